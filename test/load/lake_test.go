// Package load measures the lake: how many messages a second go from a sender's request
// to their JSON, what that takes of processors and memory, whether the last message of
// many is as fast as the first, and what AWS would charge for it. The lake is a process
// of its own and durable, as `lake up` runs it.
//
//	go test ./test/load                          the short forms
//	go test ./test/load -run '^$' -bench . -benchtime 2000x
//	go test ./test/load -run Last -load 100000 -timeout 1h -v
//	go test ./test/load -run '^$' -bench . -benchtime 5000x -profile /tmp/lake.pprof
package load_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"hl7lake/client"
	"hl7lake/local"
	"hl7lake/local/store"
)

// patience limits every wait for the lake.
const patience = 2 * time.Minute

// institutions is how many send. Together they may send what the lake can take; one alone
// may not.
const institutions = 8

// serveDir, if set, makes this program a lake in that folder instead of a test.
const serveDir = "HL7LAKE_LOAD_DIR"

// serveShared is how many events an instance of a function handles at once.
const serveShared = "HL7LAKE_LOAD_SHARED"

// serveAssembly is the folder of the templates; empty for the committed ones.
const serveAssembly = "HL7LAKE_LOAD_ASSEMBLY"

var shared = flag.Int("shared", 64, "how many events an instance of a function handles at once; 1 is what AWS does by default")

var profile = flag.String("profile", "", "write a CPU profile of the lake's process to this `file`")

func TestMain(m *testing.M) {
	if dir := os.Getenv(serveDir); dir != "" {
		shared, _ := strconv.Atoi(os.Getenv(serveShared)) // start wrote it
		if err := serve(dir, shared, os.Getenv("HL7LAKE_LOAD_PROFILE")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serve runs a lake until its standard input ends. The first line of its output is the
// client.Connection as JSON.
func serve(dir string, shared int, profile string) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	debug.SetGCPercent(local.GCPercent) // as lake up does
	l, err := local.Start(ctx, local.Options{Dir: dir, Addr: "127.0.0.1:0", Durability: store.Durable, EventsPerInstance: shared, Assembly: os.Getenv(serveAssembly)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if profile != "" {
		file, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	connection, err := client.ConnectionTo(l)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(connection); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// lake is a lake in a process of its own.
type lake struct {
	client.Connection
	process *exec.Cmd
	engines [institutions]*client.Client     // one of each institution, who may read and write
	tokens  [institutions]client.TokenSource // the engines'
}

// start runs a lake in a new folder until the test or benchmark ends.
func start(t testing.TB) *lake { return startIn(t, t.TempDir()) }

// startIn runs a lake in a folder until the test or benchmark ends. serve reads the given
// environment variables.
func startIn(t testing.TB, dir string, environment ...string) *lake {
	t.Helper()
	l := &lake{process: exec.Command(os.Args[0])}
	l.process.Env = append(os.Environ(), serveDir+"="+dir, "HL7LAKE_LOAD_PROFILE="+*profile, serveShared+"="+strconv.Itoa(*shared))
	l.process.Env = append(l.process.Env, environment...)
	l.process.Stderr = os.Stderr
	input, err := l.process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := l.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		input.Close()
		if err := l.process.Wait(); err != nil {
			t.Error("the lake's process:", err)
		}
	})
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal("the lake did not start:", err)
	}
	if err := json.NewDecoder(strings.NewReader(line)).Decode(&l.Connection); err != nil {
		t.Fatal(err)
	}
	l.addEngines(t)
	return l
}

// addEngines creates a user for each institution.
func (l *lake) addEngines(t testing.TB) {
	t.Helper()
	pool, err := l.Pool(nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for n := range l.engines {
		password := client.NewPassword()
		user := client.User{Email: institution(n) + "@example.org", Read: client.Institutions{institution(n)}, Write: institution(n)}
		if err := pool.Add(ctx, user, password); err != nil {
			t.Fatal(err)
		}
		l.tokens[n] = pool.SignIn(user.Email, password)
		if l.engines[n], err = l.Client(l.tokens[n]); err != nil {
			t.Fatal(err)
		}
	}
}

// institution returns the name of the nth.
func institution(n int) string { return fmt.Sprintf("institution-%d", n) }

// config returns an AWS SDK's configuration with the rights of the account's root.
func (l *lake) config() aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(l.Endpoint),
		Credentials: credentials.NewStaticCredentialsProvider(l.Credentials.AccessKeyID, l.Credentials.SecretAccessKey, ""),
	}
}
