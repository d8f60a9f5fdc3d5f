package states_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hl7lake/local/states"
)

// BenchmarkAnExecution is what the workflow itself costs for a message of 2 KB
// that becomes 7 KB of JSON: its functions take no time.
func BenchmarkAnExecution(b *testing.B) {
	body := func(size int) string {
		return `{"attributes":{"id":"1"},"body":"` + strings.Repeat("MSH|^~", size/6) + `"}`
	}
	answering := func(text string) func(context.Context, []byte) (string, string, error) {
		return func(context.Context, []byte) (string, string, error) { return text, "", nil }
	}
	s := states.New(allow, functions{function("prepare"): answering(body(2000)), function("parse"): answering(body(7000))})
	defer s.Close()
	if err := s.Add(machineARN, states.StateMachine{StateMachineType: "EXPRESS", DefinitionString: staging}); err != nil {
		b.Fatal(err)
	}
	request, err := json.Marshal(map[string]string{"stateMachineArn": machineARN, "input": body(2000)})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(request)))
		r.Header.Set("X-Amz-Target", "AWSStepFunctions.StartSyncExecution")
		w := httptest.NewRecorder()
		if s.ServeHTTP(w, r); w.Code != http.StatusOK {
			b.Fatal(w.Body)
		}
	}
}
