package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"hl7lake/internal/hub"
)

// against runs a message with the SDK's own client against serve.
func against(t *testing.T, timeout time.Duration, serve http.HandlerFunc) (*hub.Reason, error) {
	t.Helper()
	server := httptest.NewServer(serve)
	defer server.Close()
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := sfn.NewFromConfig(aws.Config{
		Region:           "eu-central-1",
		Credentials:      credentials.NewStaticCredentialsProvider("id", "secret", ""),
		BaseEndpoint:     &server.URL,
		RetryMaxAttempts: 1,
		HTTPClient: awshttp.NewBuildableClient().WithTransportOptions(func(transport *http.Transport) {
			transport.Proxy = http.ProxyURL(address) // the SDK asks for the host sync-127.0.0.1
		}),
	})
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	return workflow{arn: "machine", starter: client}.run(ctx, "name", hub.Wire{Body: "MSH"})
}

func TestWhatTheSDKReportsIsUnderstood(t *testing.T) {
	for _, test := range []struct {
		name, body string
		status     int
		want       *hub.Reason
	}{
		{"success", `{"status":"SUCCEEDED"}`, 200, nil},
		{"a parse error", `{"status":"FAILED","error":"ParseError","cause":"{\"errorMessage\":\"code=empty offset=0\"}"}`, 200, &hub.Reason{Code: "empty"}},
		{"a failure without words", `{"status":"FAILED"}`, 200, &hub.Reason{Code: "workflow"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := against(t, time.Minute, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/x-amz-json-1.0")
				w.WriteHeader(test.status)
				fmt.Fprint(w, test.body)
			})
			if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
		})
	}
}

func TestTheSDKsThrottlingIsAnErrorAndNoReason(t *testing.T) {
	got, err := against(t, time.Minute, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"__type":"com.amazonaws.swf.base.model#ThrottlingException"}`)
	})
	var refused smithy.APIError
	if !errors.As(err, &refused) || refused.ErrorCode() != "ThrottlingException" || got != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func TestAServerThatHangsIsAnErrorAndNoReason(t *testing.T) {
	got, err := against(t, 50*time.Millisecond, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server notices that a client has left only after it has read the request
		<-r.Context().Done()
	})
	if !errors.Is(err, context.DeadlineExceeded) || got != nil {
		t.Errorf("%v, %v", got, err)
	}
}

// FuzzNoCauseMakesTheReasonSayMore takes whatever a workflow may say at its end. The
// reason always fits an event's subject, in words of its own.
func FuzzNoCauseMakesTheReasonSayMore(f *testing.F) {
	f.Add("ParseError", `{"errorMessage":"code=no-header segment=1 path=MSH-2 offset=0","errorType":"ParseError"}`)
	f.Add("ParseError", `{"errorMessage":"code=PID|1||4711 path=PID-5.1 segment=x"}`)
	f.Add("ParseError", `{"errorMessage":`)
	f.Add("States.Timeout", "")
	f.Add("Fault", `"Sample^Sue"`)
	form := regexp.MustCompile(`^code=[a-z][a-z0-9-]{0,31}( segment=\d+)?( path=[A-Z0-9-.\[\]]+)? offset=\d+$`)
	f.Fuzz(func(t *testing.T, name, cause string) {
		if text := reasonOf(name, cause).String(); !form.MatchString(text) {
			t.Errorf("the reason is %q", text)
		}
	})
}
