package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// answers is a lake that gives these answers, one for each request. It repeats the last
// one.
func answers(t *testing.T, handlers ...http.HandlerFunc) (*Client, *int) {
	t.Helper()
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler := handlers[min(requests, len(handlers)-1)]
		requests++
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	lake, err := New(server.URL, Token("the-token"))
	if err != nil {
		t.Fatal(err)
	}
	lake.policy.first, lake.policy.longest = time.Millisecond, 5*time.Millisecond
	return lake, &requests
}

func answering(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// lost breaks the connection instead of answering.
func lost(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }

func TestSendTellsWhatTheLakeAnswered(t *testing.T) {
	const id = "019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77"
	tests := []struct {
		name    string
		answer  http.HandlerFunc
		receipt Receipt
		problem *Problem
	}{
		{"accepted", answering(201, `{"status":"Message ingested","id":"`+id+`"}`), Receipt{ID: id, Status: 201, Attempts: 1}, nil},
		{"duplicate", answering(409, `{"status":"Rejected due to being a duplicate","id":"`+id+`"}`), Receipt{ID: id, Status: 409, Duplicate: true, Attempts: 1}, nil},
		{"duplicate in other bytes", answering(409, `{"status":"Rejected due to being a duplicate","id":"`+id+`","detail":"Line ends differ."}`),
			Receipt{ID: id, Status: 409, Duplicate: true, Detail: "Line ends differ.", Attempts: 1}, nil},
		{"refused with problem details", answering(403, `{"type":"about:blank","title":"Forbidden","status":403,"code":"no-write","detail":"Insufficient privileges to write"}`),
			Receipt{}, &Problem{Status: 403, Code: "no-write", Detail: "Insufficient privileges to write"}},
		{"refused by the gateway", answering(401, `{"message":"Unauthorized"}`), Receipt{}, &Problem{Status: 401, Detail: "Unauthorized"}},
		{"refused by something that is no lake", answering(413, `<html>too large</html>`), Receipt{}, &Problem{Status: 413, Detail: "Request Entity Too Large"}},
		{"refused with a status of its own", answering(499, ``), Receipt{}, &Problem{Status: 499, Detail: "an unknown status"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			lake, _ := answers(t, test.answer)
			receipt, err := lake.Send(t.Context(), Message{Body: []byte("MSH|^~\\&|A")})
			if diff := cmp.Diff(test.receipt, receipt); diff != "" {
				t.Error(diff)
			}
			problem, _ := errors.AsType[*Problem](err)
			if diff := cmp.Diff(test.problem, problem); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnAnswerWithoutAnIDIsNoReceipt(t *testing.T) {
	for _, body := range []string{"", "{}", "<html></html>"} {
		lake, _ := answers(t, answering(201, body))
		if receipt, err := lake.Send(t.Context(), Message{}); err == nil {
			t.Errorf("%q gives %+v", body, receipt)
		}
	}
}

func TestAMessageTravelsByteForByteUnderItsCharset(t *testing.T) {
	const body = "\x0bMSH|^~\\&|\xe4\x00\r\x1c\r"
	tests := map[string]string{"": "application/hl7-v2", "iso-8859-1": "application/hl7-v2; charset=iso-8859-1"}
	for charset, contentType := range tests {
		lake, _ := answers(t, func(w http.ResponseWriter, r *http.Request) {
			got, err := io.ReadAll(r.Body)
			if err != nil || string(got) != body {
				t.Errorf("%q arrived, %v", got, err)
			}
			want := []string{http.MethodPost, "/er7", contentType, "Bearer the-token"}
			is := []string{r.Method, r.URL.Path, r.Header.Get("Content-Type"), r.Header.Get("Authorization")}
			if diff := cmp.Diff(want, is); diff != "" {
				t.Error(diff)
			}
			answering(201, `{"id":"1"}`)(w, r)
		})
		if _, err := lake.Send(t.Context(), Message{Body: []byte(body), Charset: charset}); err != nil {
			t.Error(err)
		}
	}
}

func TestABusyLakeAndALostAnswerAreTriedAgain(t *testing.T) {
	accepted := answering(201, `{"id":"1"}`)
	for name, first := range map[string]http.HandlerFunc{
		"busy":          answering(503, `{"detail":"later"}`, "Retry-After", "0"),
		"busy, no hint": answering(503, ``),
		"throttled":     answering(429, `{"message":"Too Many Requests"}`),
		"timed out":     answering(504, ``),
		"died":          answering(500, `{"message":"Internal Server Error"}`),
		"lost":          lost,
	} {
		t.Run(name, func(t *testing.T) {
			lake, requests := answers(t, first, first, accepted)
			receipt, err := lake.Send(t.Context(), Message{})
			if err != nil || receipt.Attempts != 3 || *requests != 3 {
				t.Errorf("%+v, %v after %d requests", receipt, err, *requests)
			}
		})
	}
}

func TestARefusalIsNotTriedAgain(t *testing.T) {
	for _, status := range []int{400, 401, 403, 413, 500} {
		lake, requests := answers(t, answering(status, `{"code":"refused"}`))
		if _, err := lake.Send(t.Context(), Message{}); err == nil || *requests != 1 {
			t.Errorf("%d: %v after %d requests", status, err, *requests)
		}
	}
}

func TestALakeThatStaysBusyIsGivenUpWithItsAnswer(t *testing.T) {
	lake, requests := answers(t, answering(503, `{"detail":"The lake cannot answer now."}`))
	_, err := lake.Send(t.Context(), Message{})
	problem, _ := errors.AsType[*Problem](err)
	if diff := cmp.Diff(&Problem{Status: 503, Detail: "The lake cannot answer now."}, problem); diff != "" {
		t.Error(diff)
	}
	if *requests != lake.policy.attempts {
		t.Errorf("%d requests", *requests)
	}
}

func TestAnAddressWhereNothingListensIsToldAtOnce(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	lake, err := New(server.URL, Token(""))
	if err != nil {
		t.Fatal(err)
	}
	_, err = lake.Send(t.Context(), Message{})
	unreachable, ok := errors.AsType[*UnreachableError](err)
	if !ok || !unreachable.Refused() || unreachable.URL != server.URL {
		t.Errorf("%v", err)
	}
	if want := "no answer from " + server.URL + ": connection refused"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
}

func TestALakeThatAnsweredAndIsGoneIsLookedForAgain(t *testing.T) {
	lake, _ := answers(t, answering(201, `{"id":"1"}`))
	if _, err := lake.Send(t.Context(), Message{}); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	lake.base.Host = address
	lake.policy = retryPolicy{attempts: 8, first: 50 * time.Millisecond, longest: time.Second}
	back := &http.Server{Handler: answering(201, `{"id":"2"}`)}
	defer back.Close()
	time.AfterFunc(100*time.Millisecond, func() {
		if again, err := net.Listen("tcp", address); err == nil {
			_ = back.Serve(again)
		}
	})
	receipt, err := lake.Send(t.Context(), Message{})
	if err != nil || receipt.ID != "2" || receipt.Attempts < 2 {
		t.Errorf("%+v, %v", receipt, err)
	}
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	lake, _ := answers(t, answering(503, "", "Retry-After", "3600"))
	lake.policy.longest = time.Hour
	gone := errors.New("the caller left")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, gone)
	defer cancel()
	if _, err := lake.Send(ctx, Message{}); !errors.Is(err, gone) {
		t.Error(err)
	}
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		value string
		want  time.Duration
		ok    bool
	}{
		{"", 0, false},
		{"soon", 0, false},
		{"-1", 0, false},
		{"0", 0, true},
		{"120", 2 * time.Minute, true},
		{"Sun, 01 Mar 2026 12:00:30 GMT", 30 * time.Second, true},
		{"Sun, 01 Mar 2026 11:00:00 GMT", 0, true},
	}
	for _, test := range tests {
		header := http.Header{"Retry-After": {test.value}}
		if got, ok := retryAfter(header, now); got != test.want || ok != test.ok {
			t.Errorf("%q: %v, %v", test.value, got, ok)
		}
	}
}

func TestLargeContentIsFetchedWithoutTheToken(t *testing.T) {
	lake, _ := answers(t,
		answering(303, "", "Location", "/elsewhere?X-Amz-Signature=1"),
		func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/elsewhere" || r.Header.Get("Authorization") != "" {
				t.Errorf("%s with the authorization %q", r.URL, r.Header.Get("Authorization"))
			}
			answering(200, "MSH|")(w, r)
		})
	content, err := lake.ER7(t.Context(), "1")
	if err != nil || string(content) != "MSH|" {
		t.Errorf("%q, %v", content, err)
	}
}

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	for _, address := range []string{"", "example.org", "ftp://example.org", "https://", "http://[::1"} {
		if _, err := New(address, Token("")); err == nil {
			t.Errorf("%q is taken", address)
		}
	}
}
