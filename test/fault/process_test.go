package fault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"hl7lake/client"
	"hl7lake/internal/testing/testbed"
	"hl7lake/local"
	"hl7lake/local/fault"
	"hl7lake/local/store"
)

// asLake makes the test's own program a lake that is to be killed: it names the
// data folder. asLakeFaults is the seed of its faults, empty for none, and
// asLakeTemplates the folder of its templates.
const (
	asLake          = "HL7LAKE_TEST_LAKE"
	asLakeAddr      = "HL7LAKE_TEST_LAKE_ADDR"
	asLakeFaults    = "HL7LAKE_TEST_LAKE_FAULTS"
	asLakeTemplates = "HL7LAKE_TEST_LAKE_TEMPLATES"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(asLake); dir != "" {
		if err := serve(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serve runs a lake until the process is killed, or until the process that started it is
// gone.
func serve(dir string) error {
	var plan fault.Plan
	if text := os.Getenv(asLakeFaults); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return err
		}
		plan = newChance(seed).plan
	}
	running, err := local.Start(context.Background(), local.Options{
		Dir: dir, Addr: os.Getenv(asLakeAddr), Durability: store.Durable,
		Assembly: os.Getenv(asLakeTemplates),
	}, testbed.Options{Faults: plan, TimeScale: timeScale})
	if err != nil {
		return err
	}
	connection, err := client.ConnectionTo(running)
	if err == nil {
		err = connection.Write(filepath.Join(dir, "connection.json"))
	}
	if err != nil {
		return errors.Join(err, running.Close())
	}
	_, _ = os.Stdin.Read(make([]byte, 1)) // ends with the process that started this one
	return running.Close()
}

// lakeProcess is a lake in a process of its own.
type lakeProcess struct {
	dir, addr string
	templates string
	process   *exec.Cmd
	exited    chan struct{} // closed when the process is gone
	output    bytes.Buffer
}

// newLakeProcess chooses a folder and a port; start starts it.
func newLakeProcess(t *testing.T) *lakeProcess {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	p := &lakeProcess{dir: t.TempDir(), addr: listener.Addr().String(), templates: templates(t)}
	t.Cleanup(func() {
		if p.exited != nil {
			p.kill()
		}
	})
	return p
}

// start starts the lake on the data folder, whatever that holds, and returns
// how to reach it once it answers. faults is a seed; "" is none.
func (p *lakeProcess) start(ctx context.Context, faults string) (client.Connection, error) {
	connection := filepath.Join(p.dir, "connection.json")
	if err := os.RemoveAll(connection); err != nil {
		return client.Connection{}, err
	}
	p.output.Reset()
	p.process = exec.CommandContext(ctx, os.Args[0])
	p.process.Env = append(os.Environ(), asLake+"="+p.dir, asLakeAddr+"="+p.addr, asLakeFaults+"="+faults, asLakeTemplates+"="+p.templates)
	p.process.Stdout, p.process.Stderr = &p.output, &p.output
	if _, err := p.process.StdinPipe(); err != nil {
		return client.Connection{}, err
	}
	if err := p.process.Start(); err != nil {
		return client.Connection{}, err
	}
	p.exited = make(chan struct{})
	go func() { // ends with the process, which kill waits for
		defer close(p.exited)
		_ = p.process.Wait() // usually killed
	}()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if found, err := client.ReadConnection(connection); err == nil {
			return found, nil
		}
		select {
		case <-p.exited:
			return client.Connection{}, fmt.Errorf("the lake did not start: %s", p.output.String())
		default:
		}
	}
	p.kill()
	return client.Connection{}, fmt.Errorf("the lake did not start in %v: %s", patience, p.output.String())
}

// kill is kill -9.
func (p *lakeProcess) kill() {
	_ = p.process.Process.Kill() // it may have ended on its own
	<-p.exited
}
