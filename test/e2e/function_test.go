package e2e_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"hl7lake/internal/contract"
	"hl7lake/local"
)

// TestEveryFunctionOfTheTemplatesAnswersAnInvocation invokes each program with an event
// that is not its own. Whatever it answers, it must start, take an event from the Runtime
// API and answer.
func TestEveryFunctionOfTheTemplatesAnswersAnInvocation(t *testing.T) {
	l := start(t)
	assembly, err := local.Load("../snapshots/dev")
	if err != nil {
		t.Fatal(err)
	}
	answered := 0
	for _, function := range assembly.OfType("AWS::Lambda::Function") {
		program, ours := function.Metadata[contract.PackageMetadata].(string)
		if !ours {
			continue
		}
		out, err := l.lambda().Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &function.PhysicalID, Payload: []byte(`{}`)})
		if err != nil {
			t.Errorf("%s: %v", program, err)
			continue
		}
		if !json.Valid(out.Payload) || strings.Contains(string(out.Payload), "Runtime.ExitError") || strings.Contains(string(out.Payload), "Sandbox.Timedout") {
			t.Errorf("%s answers %s", program, out.Payload)
		}
		answered++
	}
	programs, err := filepath.Glob("../../lambdas/*/main.go")
	if err != nil || answered != len(programs) || answered == 0 {
		t.Errorf("%d functions answered of %d, %v", answered, len(programs), err)
	}
}
