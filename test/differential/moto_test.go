package differential_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"

	"hl7lake/internal/testing/answer"
	"hl7lake/internal/testing/judge"
	"hl7lake/internal/testing/subprocess"
	"hl7lake/local/wire"
)

// startLimit is how long moto's server may take to answer: it first imports a large part
// of Python.
const startLimit = 2 * time.Minute

// server is one of the two, by its URL.
type server struct{ url string }

// config returns an AWS SDK's configuration for the server.
func (s *server) config() aws.Config {
	return aws.Config{
		Region: wire.Region, BaseEndpoint: &s.url, RetryMaxAttempts: 1, HTTPClient: answer.Whole{},
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	}
}

// startMoto runs moto's server until the test ends. Its state machines call the functions
// at functions.
func startMoto(t *testing.T, functions *functions) *server {
	t.Helper()
	program, err := exec.LookPath("moto_server")
	if err != nil {
		missing(t)
	}
	address := subprocess.FreeAddress(t)
	host, port, _ := net.SplitHostPort(address)
	output := new(subprocess.Output)
	process := exec.CommandContext(t.Context(), program, "-H", host, "-p", port)
	// moto looks for the services that its state machines call where this variable says.
	// The port that it serves is in its arguments.
	process.Env = append(os.Environ(), "MOTO_PORT="+functions.port())
	process.Stdout, process.Stderr = output, output
	subprocess.EndWithParent(process)
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Process.Kill() // it may have ended on its own
		_ = process.Wait()
		if t.Failed() {
			t.Logf("the last that moto's server said:\n%s", output.Tail(4000))
		}
	})
	moto := &server{"http://" + address}
	moto.await(t, output)
	moto.configure(t)
	return moto
}

func missing(t *testing.T) {
	t.Helper()
	const advice = "there is no moto_server on the PATH: pip install 'moto[server]'"
	if judge.Required("moto_server") {
		t.Fatal(advice)
	}
	t.Skip("NOT COMPARED WITH A SECOND OPINION: " + advice)
}

func (s *server) await(t *testing.T, output *subprocess.Output) {
	t.Helper()
	for deadline := time.Now().Add(startLimit); ; time.Sleep(50 * time.Millisecond) {
		answer, err := http.Get(s.url + "/moto-api/")
		if err == nil {
			_ = answer.Body.Close() // any answer will do
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("moto's server does not answer: %v\n%s", err, output.Tail(4000))
		}
	}
}

// configure makes moto run state machines, which otherwise it only stores.
func (s *server) configure(t *testing.T) {
	t.Helper()
	answer, err := http.Post(s.url+"/moto-api/config", "application/json",
		strings.NewReader(`{"stepfunctions":{"execute_state_machine":true}}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close() // its status is enough
	if answer.StatusCode/100 != 2 {
		t.Fatalf("moto's configuration is answered %s", answer.Status)
	}
}

// code returns AWS's name for an error. Two emulators cannot be expected to agree on
// more. An error without a name is given by its status.
func code(err error) string {
	var answered *awshttp.ResponseError
	if errors.As(err, &answered) && answered.HTTPStatusCode() >= http.StatusInternalServerError {
		return fmt.Sprintf("HTTP %d", answered.HTTPStatusCode())
	}
	var refusal smithy.APIError
	if errors.As(err, &refusal) {
		return refusal.ErrorCode()
	}
	return fmt.Sprint(err)
}

// asError finds the error of a type in err's chain.
func asError[E error](err error, into *E) bool { return errors.As(err, into) }
