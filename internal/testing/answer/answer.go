// Package answer is an HTTP client for tests that must count requests, and so allow the
// SDK no retry, or whose calls take something away with the answer, such as receiving
// from a queue.
//
// On one machine under load, an answer can arrive before the client has sent its whole
// request. The SDK then closes the request's body, net/http takes that for a failure to
// write and closes the connection, and the unread rest of the answer is lost
// (aws/aws-sdk-go-v2, issue 2737). Normally the SDK tries again. A test that counts calls
// cannot allow that.
package answer

import (
	"bytes"
	"io"
	"net/http"
)

// Whole sends requests with the default client, and reads each answer to its end before
// the SDK sees it. Answers are held in memory.
type Whole struct{}

// Do sends the request. The error is the client's, or that of reading the answer.
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
