package operate

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"hl7lake/client"
)

// reconciling is an operator whose Lambda answers Invoke with answer. asked is the last
// request.
func reconciling(t *testing.T, answer http.HandlerFunc) (o *Operator, asked *string) {
	t.Helper()
	asked = new(string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		*asked = r.URL.Path + " " + string(body)
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	o, err := New(client.Connection{
		Endpoint: server.URL, Credentials: &client.Key{AccessKeyID: "a", SecretAccessKey: "b"},
		Outputs: client.Outputs{
			"hl7lake-dev-core": {
				client.OutputLake: "lake", client.OutputHub: "arn:aws:sns:us-east-1:000000000000:hub",
				client.OutputCatalog: "catalog", client.OutputClaimCheck: "checks", client.OutputReceived: "received",
			},
			"hl7lake-dev-front-door": {client.OutputReconcile: "reconciler", client.OutputPool: "us-east-1_pool"},
		},
	}, aws.Config{RetryMaxAttempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	return o, asked
}

func TestAReportOfReconcileIsReadWhole(t *testing.T) {
	o, asked := reconciling(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"settled":1,"republished":2,"waiting":3,"missing":4,"unpublished":5,"abandoned":6,"failed":0,
			"oldestUnstagedSeconds":8,"complete":true,"missingMessages":[{"id":"i","owner":"o","ageSeconds":9}]}`)
	})
	want := Reconciled{1, 2, 3, 4, 5, 6, 8, true, []MissingMessage{{"i", "o", 9}}}
	for overdue, payload := range map[time.Duration]string{-1: `{}`, 0: `{"overdueSeconds":0}`, 90 * time.Second: `{"overdueSeconds":90}`} {
		got, err := o.Reconcile(t.Context(), overdue)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		if path := "/2015-03-31/functions/reconciler/invocations "; *asked != path+payload {
			t.Errorf("asked %s", *asked)
		}
	}
}

func TestARunThatDoesNotEndWellIsAnError(t *testing.T) {
	failed := func(payload string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
			_, _ = io.WriteString(w, payload)
		}
	}
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		want   error
	}{
		{"its own error", failed(`{"errorType":"Fault","errorMessage":"Doe, Jane"}`), &FunctionError{"reconciler", "Fault"}},
		{"an error with words for a name", failed(`{"errorType":"of patient Jane"}`), &FunctionError{Function: "reconciler"}},
		{"no JSON", failed(`Jane`), &FunctionError{Function: "reconciler"}},
		{"a run is under way", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amzn-Errortype", "TooManyRequestsException")
			w.WriteHeader(http.StatusTooManyRequests)
		}, ErrReconciling},
		{"no report", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `"Jane"`) }, errors.New("reconciler did not return a report")},
	} {
		o, _ := reconciling(t, test.answer)
		if _, err := o.Reconcile(t.Context(), -1); err == nil || err.Error() != test.want.Error() {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
