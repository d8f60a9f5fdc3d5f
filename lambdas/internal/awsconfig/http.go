package awsconfig

import (
	"bytes"
	"io"
	"net/http"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// inOneWrite is the length in bytes of the longest request that is sent in one write: a
// message of usual size, as SNS takes it.
const inOneWrite = 32 << 10

// client sends the SDK's requests.
type client struct{ aws.HTTPClient }

func newClient() client {
	return client{awshttp.NewBuildableClient().WithTransportOptions(keepConnections, func(transport *http.Transport) {
		transport.WriteBufferSize = inOneWrite
	})}
}

// Do sends a short request in one write. The SDK wraps the body in a reader that net/http
// does not know and might have to wait for, so net/http would send the header alone and
// the body afterwards. That is twice the work for both ends (https://go.dev/issue/22088).
func (c client) Do(request *http.Request) (*http.Response, error) {
	if request.Body != nil && 0 < request.ContentLength && request.ContentLength <= inOneWrite {
		body, err := io.ReadAll(io.LimitReader(request.Body, request.ContentLength+1))
		if err != nil {
			return nil, err
		}
		_ = request.Body.Close() // it was read
		request.Body = io.NopCloser(bytes.NewReader(body))
	}
	return c.HTTPClient.Do(request)
}

// KeepConnections lets a process that handles several events at once keep a connection to
// the Runtime API for each of them. The default is two, which suits one event.
// aws-lambda-go's client begins as a copy of [http.DefaultTransport], which this function
// changes.
func KeepConnections() {
	if runtimeAPI, ok := http.DefaultTransport.(*http.Transport); ok {
		keepConnections(runtimeAPI)
	}
}

// keepConnections does the same for any transport, if one host answers for all services;
// the SDK's default is ten connections.
func keepConnections(transport *http.Transport) {
	transport.MaxIdleConnsPerHost = max(transport.MaxIdleConnsPerHost, 2*lambdacontext.MaxConcurrency())
}
