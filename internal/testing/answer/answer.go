// Package answer is the HTTP client for tests that allow the SDK no retry, or
// whose calls take something away with the answer, as receiving from a queue.
//
// An answer may come before the client is done with its request, which happens
// on one machine under load. The SDK then closes the request's body, net/http
// takes that for a failure to write and closes the connection, and what was not
// read of the answer is lost (aws/aws-sdk-go-v2, issue 2737). Everywhere else
// the SDK tries again; a test that counts calls must not.
package answer

import (
	"bytes"
	"io"
	"net/http"
)

// Whole sends requests with the default client and reads each answer to its end
// before the SDK sees it. It keeps answers in memory.
type Whole struct{}

// Do sends request. The error is the client's, or that of reading the answer.
func (Whole) Do(request *http.Request) (*http.Response, error) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(content))
	return response, nil
}
