package rehearse_test

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"hl7lake/internal/testing/subprocess"
)

// kind is an emulator as its makers publish it.
type kind struct {
	program           string
	arguments         func(host, port string) []string
	environment       func(host, port string) []string
	lacks             []missing         // what it cannot create, and what is therefore left out
	method            string            // of `cdk deploy`; empty for the usual one, by change sets
	lacksStackOutputs bool              // it does not know Fn::GetStackOutput
	known             map[string]string // type, or type and property, that it creates differently from the template, and why
}

// emulator is a running one.
type emulator struct {
	kind        *kind
	url         string
	environment []string // for a program that will call it
	output      *subprocess.Output
}

// start runs the emulator on a free port of the loopback interface until the test ends.
func (k *kind) start(t *testing.T, ctx context.Context) *emulator {
	t.Helper()
	if k.program == "" {
		return k.find(t)
	}
	if *program == "" {
		*program = k.program
	}
	path, err := exec.LookPath(*program)
	if err != nil {
		t.Fatalf("%v: install it as docs/rehearsal.md says, or name it with -program", err)
	}
	host, port, _ := net.SplitHostPort(subprocess.FreeAddress(t))
	home := t.TempDir()
	e := &emulator{kind: k, url: "http://" + net.JoinHostPort(host, port), output: new(subprocess.Output)}
	e.environment = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "CDK_HOME=" + home, "AWS_ENDPOINT_URL=" + e.url,
		"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		// moto looks for a template's bucket in the host of its address, unless that is
		// localhost. The CDK reads this variable.
		"AWS_ENDPOINT_URL_S3=" + e.url, "AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION=http://" + net.JoinHostPort("localhost", port),
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull, "AWS_EC2_METADATA_DISABLED=true",
	}
	process := exec.CommandContext(ctx, path, k.arguments(host, port)...)
	process.Dir = home
	process.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + home}, k.environment(host, port)...)
	process.Stdout, process.Stderr = e.output, e.output
	process.WaitDelay = 5 * time.Second
	subprocess.EndWithParent(process)
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Process.Kill() // it may have ended on its own
		_ = process.Wait()
	})
	e.await(t, ctx)
	return e
}

// find returns the emulator that the environment names. It must be on this machine,
// because a rehearsal creates and destroys.
func (k *kind) find(t *testing.T) *emulator {
	t.Helper()
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "AWS_ENDPOINT_URL") && !loopback(value) {
			t.Fatalf("%s is %q, which is not on this machine", name, value)
		}
	}
	address := os.Getenv("AWS_ENDPOINT_URL")
	if address == "" || os.Getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") != "" {
		t.Fatal("AWS_ENDPOINT_URL must name the emulator, and AWS_IGNORE_CONFIGURED_ENDPOINT_URLS must not be set")
	}
	environment := append(os.Environ(), "CDK_HOME="+t.TempDir())
	found := *k
	for name := range strings.SplitSeq(*without, ",") {
		of, with, _ := strings.Cut(name, "/")
		found.lacks = append(found.lacks, missing{kind: of, with: with, why: "-leave-out"})
	}
	return &emulator{kind: &found, url: address, environment: environment, output: new(subprocess.Output)}
}

// loopback reports whether a URL leads to this machine.
func loopback(address string) bool {
	parsed, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(parsed.Hostname())
	return parsed.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// await waits until the emulator answers in any way.
func (e *emulator) await(t *testing.T, ctx context.Context) {
	t.Helper()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = answer.Body.Close() // any answer will do
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the emulator does not answer: %v\n%s", err, e.output.Tail(4000))
		case <-time.After(100 * time.Millisecond):
		}
	}
}
