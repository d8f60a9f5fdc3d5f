package s3_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"hl7lake/local/s3"
)

func TestABrowserIsToldWhichOriginsScriptsMayRead(t *testing.T) {
	l := start(t, allow)
	var definition s3.Bucket
	if err := json.Unmarshal([]byte(`{"BucketName":"console","CorsConfiguration":{"CorsRules":[
		{"AllowedMethods":["GET"],"AllowedOrigins":["https://console.example.org","null"]}]}}`), &definition); err != nil {
		t.Fatal(err)
	}
	if err := l.service.CreateBucket(definition); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ bucket, method, origin, allowed string }{
		"the console":                {"console", "GET", "https://console.example.org", "https://console.example.org"},
		"sent on from another host":  {"console", "GET", "null", "null"},
		"from elsewhere":             {"console", "GET", "https://elsewhere.example", ""},
		"by another method":          {"console", "HEAD", "https://console.example.org", ""},
		"no browser":                 {"console", "GET", "", ""},
		"a bucket without the rules": {"lake", "GET", "https://console.example.org", ""},
	} {
		r, err := http.NewRequestWithContext(t.Context(), test.method, l.url+"/"+test.bucket+"/key", nil)
		if err != nil {
			t.Fatal(err)
		}
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := response.Header.Get("Access-Control-Allow-Origin"); got != test.allowed {
			t.Errorf("%s: %q may read", name, got)
		}
	}
}
