// Package edge holds the edge against what it promises: what it has acknowledged is in
// the lake, once, whatever is killed or cut between, and that programs by others can talk
// to it. It runs the edge and the lake in processes of their own.
//
// The default run is a short form. The rest runs with
//
//	go test ./test/edge -timeout=0 -run Ledger -ledger=10m -v
//	go test ./test/edge -timeout=0 -run Memory -queued=1000000 -v
package edge_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"hl7lake/client"
	"hl7lake/edge"
	"hl7lake/edge/config"
	"hl7lake/internal/testing/subprocess"
	"hl7lake/local"
	"hl7lake/local/store"
)

// patience bounds every wait of a test.
const patience = 2 * time.Minute

var (
	ledgerFor = flag.Duration("ledger", 5*time.Second, "how long the ledger test sends messages")
	seed      = flag.Uint64("seed", 1, "of what is killed and cut; the same seed makes the same plan")
	lanes     = flag.Int("lanes", 4, "how many lanes the edge has")
)

// asLake and asEdge make the test's own program a lake or an edge that is to be killed:
// they name the data folder and the configuration.
const (
	asLake     = "HL7LAKE_TEST_LAKE"
	asLakeAddr = "HL7LAKE_TEST_LAKE_ADDR"
	asEdge     = "HL7LAKE_TEST_EDGE"
)

const password = "PASSWORD" // the environment variable with the password of the edge's user

func TestMain(m *testing.M) {
	var err error
	switch {
	case os.Getenv(asLake) != "":
		err = serveLake(os.Getenv(asLake))
	case os.Getenv(asEdge) != "":
		err = serveEdge(os.Getenv(asEdge))
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// connectionFile is what a lake leaves in its folder once it answers.
const connectionFile = "connection.json"

// serveLake runs a lake until the process is killed, or until who started it is gone.
func serveLake(dir string) error {
	running, err := local.Start(context.Background(), local.Options{Dir: dir, Addr: os.Getenv(asLakeAddr), Durability: store.Durable})
	if err != nil {
		return err
	}
	connection, err := client.ConnectionTo(running)
	if err == nil {
		err = connection.Write(filepath.Join(dir, connectionFile))
	}
	if err == nil {
		_, _ = os.Stdin.Read(make([]byte, 1)) // ends with whoever started this
	}
	return errors.Join(err, running.Close())
}

// serveEdge runs an edge until the process is killed or gets SIGTERM, or until who
// started it is gone.
func serveEdge(path string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() { // ends with the process
		_, _ = os.Stdin.Read(make([]byte, 1))
		stop()
	}()
	c, err := config.Read(path)
	if err != nil {
		return err
	}
	e, err := edge.Open(ctx, c, edge.Options{
		Target: func(l config.Listener) (*client.Client, error) { return edge.NewTarget(c, l, os.Getenv) },
		Log:    slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return err
	}
	return e.Run(ctx)
}

// process is a part that is killed and started again, on the same address.
type process struct {
	addr        string
	environment []string
	running     *exec.Cmd
	exited      chan struct{} // closed when the process is gone
	output      bytes.Buffer
}

// newProcess chooses a port. The process is killed when the test ends.
func newProcess(t *testing.T, environment ...string) *process {
	t.Helper()
	p := &process{addr: subprocess.FreeAddress(t), environment: environment}
	t.Cleanup(func() {
		if p.running != nil {
			p.kill()
		}
	})
	return p
}

// start starts the process and waits until it answers on its address.
func (p *process) start() error {
	p.output.Reset()
	p.running = exec.Command(os.Args[0])
	p.running.Env = append(os.Environ(), p.environment...)
	p.running.Stdout, p.running.Stderr = &p.output, &p.output
	if _, err := p.running.StdinPipe(); err != nil {
		return err
	}
	if err := p.running.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	p.exited = exited
	go func() { // ends with the process, which kill and end wait for
		defer close(exited)
		_ = p.running.Wait() // killed, as a rule
	}()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", p.addr); err == nil {
			return conn.Close()
		}
		select {
		case <-exited:
			return fmt.Errorf("the process did not start: %s", p.output.String())
		default:
		}
	}
	p.kill()
	return fmt.Errorf("the process did not start in %v: %s", patience, p.output.String())
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.running.Process.Kill() // it may have ended by itself
	<-p.exited
}

// end is SIGTERM.
func (p *process) end() error {
	if err := p.running.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	<-p.exited
	if !p.running.ProcessState.Success() {
		return fmt.Errorf("ended with %v: %s", p.running.ProcessState, p.output.String())
	}
	return nil
}
