package httpapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

func TestTheMostSpecificRouteTakesTheRequest(t *testing.T) {
	var key string
	handler := api(t, func(_ context.Context, _ string, payload []byte) (string, string, error) {
		var event events.APIGatewayV2HTTPRequest
		err := json.Unmarshal(payload, &event)
		key = event.RouteKey
		return `{"statusCode":200}`, "", err
	}, newSigner(t).keys)
	for request, want := range map[string]string{
		"POST /open":       "POST /open",
		"PATCH /open":      "ANY /open",
		"GET /open/fixed":  "GET /open/fixed",
		"GET /open/other":  "GET /open/{id}",
		"GET /open/a/tail": "GET /open/{id}/tail",
		"GET /open/a/b/c":  "GET /open/{rest+}",
		"GET /open/":       "",
		"POST /open/other": "",
		"GET /er7":         "",
		"GET /":            "",
		"POST /ER7":        "",
	} {
		t.Run(request, func(t *testing.T) {
			key = ""
			method, path, _ := strings.Cut(request, " ")
			response := ask(handler, method, path, "")
			if key != want {
				t.Errorf("got route %q, want %q", key, want)
			}
			if want == "" && (response.StatusCode != http.StatusNotFound || body(t, response) != `{"message":"Not Found"}`) {
				t.Errorf("got %d", response.StatusCode)
			}
		})
	}
}
