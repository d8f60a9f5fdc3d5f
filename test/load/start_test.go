package load_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hl7lake/local"
	"hl7lake/local/lambda"
)

// TestEachFunctionStartsInFiftyMilliseconds measures from the start of the process until
// it asks for its first event. It measures processor time, which is the time one would
// wait on an idle machine, and takes the least of some tries, because the tests of other
// packages may be running.
func TestEachFunctionStartsInFiftyMilliseconds(t *testing.T) {
	const limit, tries = 50 * time.Millisecond, 10
	mains, err := filepath.Glob("../../lambdas/*/main.go")
	if err != nil || len(mains) == 0 {
		t.Fatal("no functions are found: ", err)
	}
	programs := t.TempDir()
	args := []string{"build", "-trimpath", "-ldflags=-s -w", "-tags=lambda.norpc", "-o", programs}
	for _, main := range mains {
		args = append(args, "./"+filepath.Dir(main))
	}
	build := exec.CommandContext(t.Context(), "go", args...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	asked := make(chan struct{}, 1)
	hold := make(chan struct{})
	runtime := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	}))
	defer runtime.Close()
	defer close(hold)
	entries, err := os.ReadDir(programs)
	if err != nil {
		t.Fatal(err)
	}
	of := environments(t, strings.TrimPrefix(runtime.URL, "http://"))
	for _, entry := range entries {
		least := time.Hour
		for range tries {
			function := exec.CommandContext(t.Context(), filepath.Join(programs, entry.Name()))
			function.Env = of[entry.Name()]
			function.Stderr = os.Stderr
			if err := function.Start(); err != nil {
				t.Fatal(err)
			}
			select {
			case <-asked:
			case <-time.After(patience):
				t.Fatal(entry.Name(), "does not ask for an event")
			}
			_ = function.Process.Kill()
			_ = function.Wait() // it was killed
			least = min(least, function.ProcessState.UserTime()+function.ProcessState.SystemTime())
		}
		t.Logf("%s: %s", entry.Name(), least.Round(100*time.Microsecond))
		if least > limit {
			t.Errorf("%s takes %s of a processor to start, at best", entry.Name(), least)
		}
	}
}

// environments returns, by program, what Lambda and the templates set for each function.
func environments(t *testing.T, runtimeAPI string) map[string][]string {
	t.Helper()
	assembly, err := local.Load("../snapshots/dev")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, r := range assembly.OfType("AWS::Lambda::Function") {
		folder, ours := lambda.Package(r)
		if !ours {
			continue
		}
		text, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		var f lambda.Function
		if err := json.Unmarshal(text, &f); err != nil {
			t.Fatalf("%s: %v", r.LogicalID, err)
		}
		env := []string{
			"AWS_LAMBDA_RUNTIME_API=" + runtimeAPI, "AWS_LAMBDA_FUNCTION_NAME=f", "AWS_REGION=us-east-1", "GOMAXPROCS=1",
			"AWS_ACCESS_KEY_ID=id", "AWS_SECRET_ACCESS_KEY=secret", "AWS_EC2_METADATA_DISABLED=true",
		}
		for name, value := range f.Environment.Variables {
			env = append(env, name+"="+value)
		}
		all[path.Base(folder)] = env
	}
	return all
}
