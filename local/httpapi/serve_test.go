package httpapi_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hl7lake/local/wire"
)

func TestAFunctionsAnswerBecomesTheResponse(t *testing.T) {
	keys := newSigner(t).keys
	for name, test := range map[string]struct {
		output, body, contentType string
		status                    int
	}{
		"whole":                  {`{"statusCode":201,"headers":{"content-type":"application/json","content-length":"99"},"body":"{}"}`, "{}", "application/json", 201},
		"without a type":         {`{"statusCode":404,"body":"no"}`, "no", "text/plain;charset=UTF-8", 404},
		"base64":                 {`{"statusCode":200,"headers":{"Content-Type":"application/hl7-v2"},"body":"Z3L8bg==","isBase64Encoded":true}`, "gr\xfcn", "application/hl7-v2", 200},
		"no content":             {`{"statusCode":204}`, "", "text/plain;charset=UTF-8", 204},
		"an object is a body":    {`{"status":"ok"}`, `{"status":"ok"}`, "application/json", 200},
		"a string is a body":     {`"hello"`, "hello", "application/json", 200},
		"null is a body":         {`null`, "null", "application/json", 200},
		"a list is a body":       {`[1]`, "[1]", "application/json", 200},
		"bad base64":             {`{"statusCode":200,"body":"?","isBase64Encoded":true}`, `{"message":"Internal Server Error"}`, "application/json", 500},
		"a status that is none":  {`{"statusCode":1}`, `{"message":"Internal Server Error"}`, "application/json", 500},
		"a status in words":      {`{"statusCode":"ok"}`, `{"message":"Internal Server Error"}`, "application/json", 500},
		"a body that is no text": {`{"statusCode":200,"body":{}}`, `{"message":"Internal Server Error"}`, "application/json", 500},
		"no JSON":                {`{`, `{"message":"Internal Server Error"}`, "application/json", 500},
	} {
		t.Run(name, func(t *testing.T) {
			response := ask(api(t, answering(test.output), keys), "POST", "/open", "")
			if got := body(t, response); response.StatusCode != test.status || got != test.body || response.Header.Get("Content-Type") != test.contentType {
				t.Errorf("got %d %q %s", response.StatusCode, got, response.Header.Get("Content-Type"))
			}
			if response.Header.Get("Apigw-Requestid") == "" {
				t.Error("the response has no request id")
			}
		})
	}
}

func TestEachCookieIsAHeaderOfItsOwn(t *testing.T) {
	response := ask(api(t, answering(`{"statusCode":200,"cookies":["a=1; Secure","b=2"]}`), newSigner(t).keys), "POST", "/open", "")
	if diff := cmp.Diff([]string{"a=1; Secure", "b=2"}, response.Header.Values("Set-Cookie")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatAFunctionCannotAnswerAPIGatewayDoes(t *testing.T) {
	keys := newSigner(t).keys
	fails := func(output, functionError string, err error) invoker {
		return func(context.Context, string, []byte) (string, string, error) { return output, functionError, err }
	}
	for name, test := range map[string]struct {
		function invoker
		want     int
	}{
		"it failed":     {fails(`{"errorMessage":"secret","errorType":"E"}`, "Unhandled", nil), 500},
		"throttled":     {fails("", "", &wire.Error{Status: 429, Code: "TooManyRequestsException"}), 503},
		"too large":     {fails("", "", &wire.Error{Status: 413, Code: "RequestTooLargeException"}), 413},
		"not permitted": {fails("", "", &wire.Error{Status: 403, Code: "AccessDeniedException"}), 500},
	} {
		t.Run(name, func(t *testing.T) {
			response := ask(api(t, test.function, keys), "POST", "/open", "")
			want := `{"message":"` + http.StatusText(test.want) + `"}`
			if got := body(t, response); response.StatusCode != test.want || got != want {
				t.Errorf("got %d %s", response.StatusCode, got)
			}
		})
	}
}

func TestAFunctionHasThirtySeconds(t *testing.T) {
	keys := newSigner(t).keys
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		handler := api(t, func(ctx context.Context, _ string, _ []byte) (string, string, error) {
			<-ctx.Done()
			return "", "", ctx.Err()
		}, keys)
		response := ask(handler, "POST", "/open", "")
		if response.StatusCode != http.StatusServiceUnavailable || body(t, response) != `{"message":"Service Unavailable"}` || time.Since(begin) != 30*time.Second {
			t.Errorf("got %d after %s", response.StatusCode, time.Since(begin))
		}
	})
}

func TestTenMegabytesAreTheMost(t *testing.T) {
	handler := api(t, answering(`{"statusCode":200}`), newSigner(t).keys)
	most := strings.Repeat("x", 10<<20)
	if response := ask(handler, "POST", "/open", most); response.StatusCode != http.StatusOK {
		t.Errorf("got %d for the most", response.StatusCode)
	}
	response := ask(handler, "POST", "/open", most+"x")
	if response.StatusCode != http.StatusRequestEntityTooLarge || body(t, response) != `{"message":"Request Entity Too Large"}` {
		t.Errorf("got %d for more", response.StatusCode)
	}
}
