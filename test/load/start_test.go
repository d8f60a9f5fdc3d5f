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

	"hl7lake/internal/contract"
)

// TestEachFunctionStartsInFiftyMilliseconds measures from the start of the
// process until it asks for its first event, in processor time, which is what
// one waits on a machine that has nothing else to do: the least of some tries,
// since the tests of other packages may be running.
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
	for _, entry := range entries {
		least := time.Hour
		for range tries {
			function := exec.CommandContext(t.Context(), filepath.Join(programs, entry.Name()))
			function.Env = environment(strings.TrimPrefix(runtime.URL, "http://"))
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

// environment is what Lambda and the templates set, with names of nothing.
func environment(runtimeAPI string) []string {
	env := []string{
		"AWS_LAMBDA_RUNTIME_API=" + runtimeAPI, "AWS_LAMBDA_FUNCTION_NAME=f", "AWS_REGION=us-east-1", "GOMAXPROCS=1",
		contract.EnvReceivedWindowDays + "=90", contract.EnvOwnerPerSecond + "=1", contract.EnvOwnerBurst + "=1",
		"AWS_ACCESS_KEY_ID=id", "AWS_SECRET_ACCESS_KEY=secret", "AWS_EC2_METADATA_DISABLED=true",
	}
	for _, name := range []string{
		contract.EnvName, contract.EnvHubTopicARN, contract.EnvClaimCheckBucket, contract.EnvReceivedTable, contract.EnvLakeBucket,
		contract.EnvCatalogTable, contract.EnvStateMachineARN,
	} {
		env = append(env, name+"=none")
	}
	return env
}
