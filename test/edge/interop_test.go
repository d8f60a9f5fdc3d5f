package edge_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hl7lake/internal/testing/judge"
	"hl7lake/internal/testing/subprocess"
)

// The programs by others that .ci/run installs, as JUDGES names them.
const (
	pythonHL7 = "python-hl7"
	simpleHL7 = "simple-hl7"
)

// missing ends the test of a program that is not installed. It only skips the test,
// unless JUDGES has the program.
func missing(t *testing.T, name, install string) {
	t.Helper()
	judge.Missing(t, name, fmt.Sprintf("%s is not installed, so it tried nothing; install it with: %s", name, install))
}

// python returns a program of the environment that has python-hl7.
func python(t *testing.T, program string) string {
	t.Helper()
	path := filepath.Join("..", "..", ".ci", "venv-mllp", "bin", program)
	if _, err := os.Stat(path); err != nil {
		missing(t, pythonHL7, "python3 -m venv .ci/venv-mllp && .ci/venv-mllp/bin/pip install -r test/edge/requirements.txt")
	}
	return path
}

// node makes sure that simple-hl7 is there.
func node(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		missing(t, simpleHL7, "a Node.js of version 20 or later")
	}
	if _, err := os.Stat(filepath.Join("node_modules", simpleHL7)); err != nil {
		missing(t, simpleHL7, "npm ci --prefix test/edge")
	}
}

// messages are files with a message each, and what they hold.
func messages(t *testing.T, n int) (files, bodies []string) {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		body := fmt.Sprintf("MSH|^~\\&|APP|HERE|LAKE|THERE|20260102030405||ADT^A01|M%d|T|2.5.1\rPID|1||%d^^^HERE^MR||M\u00fcller^Sue\r", i, i)
		file := filepath.Join(dir, fmt.Sprintf("%02d.hl7", i))
		if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		files, bodies = append(files, file), append(bodies, body)
	}
	return files, bodies
}

// TestSendersByOthersAreAcknowledgedAndTheirMessagesArrive has python-hl7 and simple-hl7
// send to an edge.
func TestSendersByOthersAreAcknowledgedAndTheirMessagesArrive(t *testing.T) {
	for name, send := range map[string]func(t *testing.T, port string, files []string) (answers string){
		pythonHL7: func(t *testing.T, port string, files []string) string {
			var answers strings.Builder
			for _, file := range files {
				output, err := exec.CommandContext(t.Context(), python(t, "mllp_send"), "--port", port, "--file", file, "--loose", "127.0.0.1").Output()
				if err != nil {
					t.Fatal(err)
				}
				for segment := range strings.FieldsFuncSeq(string(output), func(r rune) bool { return r == '\r' || r == '\n' }) {
					if fields := strings.Split(segment, "|"); fields[0] == "MSA" {
						fmt.Fprintln(&answers, fields[1], fields[2])
					}
				}
			}
			return answers.String()
		},
		simpleHL7: func(t *testing.T, port string, files []string) string {
			node(t)
			output, err := exec.CommandContext(t.Context(), "node", append([]string{"send.mjs", port}, files...)...).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, output)
			}
			return string(output)
		},
	} {
		t.Run(name, func(t *testing.T) {
			files, bodies := messages(t, 3)
			lake := newFront(t, false)
			_, port, err := net.SplitHostPort(edgeTo(t, lake))
			if err != nil {
				t.Fatal(err)
			}
			if got := send(t, port, files); got != "AA M0\nAA M1\nAA M2\n" {
				t.Errorf("answered %q", got)
			}
			for deadline := time.Now().Add(patience); len(lake.taken()) < len(bodies); time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("delivered %q", lake.taken())
				}
			}
			for i, got := range lake.taken() { // simple-hl7 leaves out the CR at the end
				if strings.TrimSuffix(got, "\r") != strings.TrimSuffix(bodies[i], "\r") {
					t.Errorf("delivered %q, want %q", got, bodies[i])
				}
			}
		})
	}
}

// TestReceiversByOthersTakeWhatLakeSendSends has `lake send --mllp` send to python-hl7
// and simple-hl7.
func TestReceiversByOthersTakeWhatLakeSendSends(t *testing.T) {
	lake := filepath.Join(t.TempDir(), "lake")
	built := false
	for name, receive := range map[string]func(t *testing.T, port string) *exec.Cmd{
		pythonHL7: func(t *testing.T, port string) *exec.Cmd {
			return exec.CommandContext(t.Context(), python(t, "python"), "receive.py", port)
		},
		simpleHL7: func(t *testing.T, port string) *exec.Cmd {
			node(t)
			return exec.CommandContext(t.Context(), "node", "receive.mjs", port)
		},
	} {
		t.Run(name, func(t *testing.T) {
			addr := subprocess.FreeAddress(t)
			_, port, err := net.SplitHostPort(addr)
			if err != nil {
				t.Fatal(err)
			}
			receiver := receive(t, port)
			if !built {
				if output, err := exec.CommandContext(t.Context(), "go", "build", "-o", lake, "../../cmd/lake").CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, output)
				}
				built = true
			}
			var received bytes.Buffer
			receiver.Stdout, receiver.Stderr = &received, &received
			if err := receiver.Start(); err != nil {
				t.Fatal(err)
			}
			ended := false
			end := func() {
				if !ended {
					ended = true
					_ = receiver.Process.Kill()
					_ = receiver.Wait() // killed
				}
			}
			defer end()
			files, _ := messages(t, 3)
			arguments := append([]string{"send", "--mllp", addr, "--parallel", "1"}, files...)
			output, err := exec.CommandContext(t.Context(), lake, arguments...).CombinedOutput() // it tries again until the receiver is there
			if err != nil || strings.Count(string(output), "AA ") != 3 {
				t.Errorf("%v: %s", err, output)
			}
			end()
			if got := received.String(); got != "M0\nM1\nM2\n" {
				t.Errorf("received %q", got)
			}
		})
	}
}
