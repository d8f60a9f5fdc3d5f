package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hl7lake/local/httpapi"
)

func TestABrowserIsToldWhichOriginsScriptsMayCall(t *testing.T) {
	const console = "https://console.example.org"
	const configured = `,"CorsConfiguration":{"AllowOrigins":["` + console + `"],"AllowMethods":["GET","POST"],"AllowHeaders":["authorization"],"MaxAge":60}`
	for name, test := range map[string]struct {
		configuration, method, origin string
		status                        int
		allowed, methods              string
	}{
		"a preflight":                    {configured, "OPTIONS", console, 204, console, "GET,POST"},
		"a preflight from elsewhere":     {configured, "OPTIONS", "https://elsewhere.example", 204, "", ""},
		"a preflight, and CORS is off":   {"", "OPTIONS", console, 404, "", ""},
		"a request":                      {configured, "GET", console, 404, console, ""},
		"a request from elsewhere":       {configured, "GET", console + ".elsewhere.example", 404, "", ""},
		"a request that is no browser's": {configured, "GET", "", 404, "", ""},
	} {
		var definition httpapi.Api
		if err := json.Unmarshal([]byte(`{"ProtocolType":"HTTP"`+test.configuration+`}`), &definition); err != nil {
			t.Fatal(err)
		}
		s := httpapi.New(nil, nil)
		if err := s.AddApi("a", definition); err != nil {
			t.Fatal(err)
		}
		if err := s.AddStage(httpapi.Stage{ApiId: "a", StageName: "$default"}); err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(test.method, "/er7", strings.NewReader(""))
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		if test.method == http.MethodOptions {
			r.Header.Set("Access-Control-Request-Method", "POST")
		}
		w := httptest.NewRecorder()
		s.Unsigned(r).ServeHTTP(w, r)
		h := w.Result().Header
		if w.Code != test.status || h.Get("Access-Control-Allow-Origin") != test.allowed || h.Get("Access-Control-Allow-Methods") != test.methods {
			t.Errorf("%s: %d %v", name, w.Code, h)
		}
	}
}
