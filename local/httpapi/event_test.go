package httpapi_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"hl7lake/local/wire"
)

func TestTheEventIsTheOneThatAPIGatewayMakes(t *testing.T) {
	signer := newSigner(t)
	var event map[string]any
	handler := api(t, func(ctx context.Context, arn string, payload []byte) (string, string, error) {
		if arn != ingestARN {
			t.Errorf("%s is invoked", arn)
		}
		if got, want := wire.Source(ctx), "arn:aws:execute-api:us-east-1:123456789012:testapi123/$default/GET/messages/{id}/er7"; got != want {
			t.Errorf("on behalf of %s, want %s", got, want)
		}
		var typed events.APIGatewayV2HTTPRequest
		if err := json.Unmarshal(payload, &typed); err != nil {
			t.Error(err)
		}
		return `{"statusCode":200}`, "", json.Unmarshal(payload, &event)
	}, signer.keys)
	token := signer.token(t, map[string]any{"cognito:groups": []string{"a", "b"}, "exp": 4102444800, "email_verified": true})
	response := ask(handler, "GET", "http://lake.test/messages/0190%20a/er7?a=1&a=2&b=", "",
		"Authorization", "Bearer "+token, "X-Twice", "one", "X-Twice", "two", "Cookie", "k=v; l=w", "User-Agent", "test")
	if response.StatusCode != http.StatusOK {
		t.Fatalf("got %d: %s", response.StatusCode, response.Header.Get("Www-Authenticate"))
	}
	request := event["requestContext"].(map[string]any)
	claims := request["authorizer"].(map[string]any)["jwt"].(map[string]any)["claims"].(map[string]any)
	for _, random := range []string{"requestId", "time", "timeEpoch"} {
		if request[random] == nil {
			t.Errorf("no %s", random)
		}
		delete(request, random)
	}
	delete(event["headers"].(map[string]any), "x-amzn-trace-id")
	delete(claims, "iat")
	want := map[string]any{
		"version": "2.0", "routeKey": "GET /messages/{id}/er7", "rawPath": "/messages/0190 a/er7", "rawQueryString": "a=1&a=2&b=",
		"cookies": []any{"k=v", "l=w"},
		"headers": map[string]any{"authorization": "Bearer " + token, "x-twice": "one,two", "host": "lake.test", "user-agent": "test",
			"x-forwarded-for": "192.0.2.1", "x-forwarded-port": "443", "x-forwarded-proto": "https"},
		"queryStringParameters": map[string]any{"a": "1,2", "b": ""},
		"pathParameters":        map[string]any{"id": "0190 a"},
		"isBase64Encoded":       false,
		"requestContext": map[string]any{
			"routeKey": "GET /messages/{id}/er7", "accountId": wire.Account, "stage": "$default", "apiId": apiID,
			"domainName": apiID + ".execute-api.us-east-1.amazonaws.com", "domainPrefix": apiID,
			"authorizer": map[string]any{"jwt": map[string]any{"scopes": nil, "claims": map[string]any{
				"iss": issuer, "aud": audience, "sub": "u", "exp": "4102444800", "cognito:groups": "[a b]", "email_verified": "true"}}},
			"http": map[string]any{"method": "GET", "path": "/messages/0190 a/er7", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "test"},
		},
	}
	if diff := cmp.Diff(want, event); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func TestABodyIsTextOrBase64ByItsContentType(t *testing.T) {
	var event events.APIGatewayV2HTTPRequest
	handler := api(t, func(_ context.Context, _ string, payload []byte) (string, string, error) {
		event = events.APIGatewayV2HTTPRequest{}
		return `{"statusCode":200}`, "", json.Unmarshal(payload, &event)
	}, newSigner(t).keys)
	for name, test := range map[string]struct {
		contentType, body, want string
		encoded                 bool
	}{
		"JSON":                      {"application/json", `{"msg":"grün"}`, `{"msg":"grün"}`, false},
		"JSON with charset":         {"application/json; charset=UTF-8", `{}`, `{}`, false},
		"plain text":                {"text/plain", "MSH|", "MSH|", false},
		"plain text in UTF-8":       {"text/plain;charset=utf-8", "MSH|", "MSH|", false},
		"plain text in Latin 1":     {"text/plain; charset=iso-8859-1", "gr\xfcn", "Z3L8bg==", true},
		"HL7v2":                     {"application/hl7-v2; charset=utf-8", "MSH|", "TVNIfA==", true},
		"a form":                    {"application/x-www-form-urlencoded", "a=b", "YT1i", true},
		"problem+json":              {"application/problem+json", "{}", "e30=", true},
		"no type":                   {"", "MSH|", "TVNIfA==", true},
		"a type that cannot be":     {";;", "MSH|", "TVNIfA==", true},
		"text that is not its type": {"text/plain", "gr\xfcn", "gr\uFFFDn", false},
		"nothing":                   {"application/octet-stream", "", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			ask(handler, "POST", "/open", test.body, "Content-Type", test.contentType)
			if event.Body != test.want || event.IsBase64Encoded != test.encoded {
				t.Errorf("got %q, %v", event.Body, event.IsBase64Encoded)
			}
		})
	}
}

// FuzzARequest: whatever a client sends, the function gets every byte of the body, or the
// replacement characters of invalid text.
func FuzzARequest(f *testing.F) {
	f.Add("POST", "/open", "text/plain", []byte("MSH|\xff"))
	f.Add("GET", "/open/%7B?a=%zz&a", "application/json; charset=utf-8; x", []byte(nil))
	f.Fuzz(func(t *testing.T, method, target, contentType string, sent []byte) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://lake.test/"+target, bytes.NewReader(sent))
		if err != nil {
			t.Skip("no client could send it")
		}
		r.Header.Set("Content-Type", contentType)
		var event events.APIGatewayV2HTTPRequest
		handler := api(t, func(_ context.Context, _ string, payload []byte) (string, string, error) {
			return `{"statusCode":200}`, "", json.Unmarshal(payload, &event)
		}, func(string) (*jose.JSONWebKeySet, bool) { return nil, false })
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code == http.StatusNotFound {
			return
		}
		got := []byte(event.Body)
		if event.IsBase64Encoded {
			if got, err = base64.StdEncoding.DecodeString(event.Body); err != nil {
				t.Fatal(err)
			}
		} else {
			sent = bytes.ToValidUTF8(sent, []byte("\uFFFD"))
		}
		if w.Code != http.StatusOK || !bytes.Equal(got, sent) {
			t.Errorf("%d: sent %q, got %q", w.Code, sent, got)
		}
	})
}
