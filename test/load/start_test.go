package load_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestEachFunctionStartsInFiftyMilliseconds measures from the start of the
// process until it asks for its first event: the quickest of some, since others
// may be working on this machine.
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
	asked := make(chan time.Time, 1)
	hold := make(chan struct{})
	runtime := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- time.Now()
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
	for _, entry := range entries {
		quickest := time.Hour
		for range tries {
			function := exec.CommandContext(t.Context(), filepath.Join(programs, entry.Name()))
			function.Env = environment(strings.TrimPrefix(runtime.URL, "http://"))
			function.Stderr = os.Stderr
			begin := time.Now()
			if err := function.Start(); err != nil {
				t.Fatal(err)
			}
			select {
			case at := <-asked:
				quickest = min(quickest, at.Sub(begin))
			case <-time.After(patience):
				t.Fatal(entry.Name(), "does not ask for an event")
			}
			_ = function.Process.Kill()
			_ = function.Wait() // it was killed
		}
		t.Logf("%s: %s", entry.Name(), quickest.Round(100*time.Microsecond))
		if quickest > limit {
			t.Errorf("%s starts in %s at best", entry.Name(), quickest)
		}
	}
}

// environment is what Lambda and the templates set, with names of nothing.
func environment(runtimeAPI string) []string {
	env := []string{
		"AWS_LAMBDA_RUNTIME_API=" + runtimeAPI, "AWS_LAMBDA_FUNCTION_NAME=f", "AWS_REGION=us-east-1", "GOMAXPROCS=1",
		"AWS_ACCESS_KEY_ID=id", "AWS_SECRET_ACCESS_KEY=secret", "AWS_EC2_METADATA_DISABLED=true",
	}
	for _, name := range []string{
		"HUB_TOPIC_ARN", "CLAIM_CHECK_BUCKET", "RECEIVED_TABLE", "LAKE_BUCKET", "CATALOG_TABLE", "STATE_MACHINE_ARN",
	} {
		env = append(env, name+"=none")
	}
	return env
}
