package main

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hl7lake/edge/mllp"
	"hl7lake/hl7"
)

// receiver takes messages over MLLP until the test ends. What it answers is MSH-3 of the
// message: an acknowledgment code, or what to do in place of an answer, the first time.
type receiver struct {
	net.Listener
	mu    sync.Mutex
	taken []string // MSH-10 of what was answered
	cut   map[string]bool
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{Listener: listener, cut: map[string]bool{}}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				r.converse(t, conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		running.Wait()
	})
	return r
}

func (r *receiver) converse(t *testing.T, conn net.Conn) {
	frames := mllp.NewReader(conn, 1<<20)
	for {
		content, err := frames.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
				t.Log(err)
			}
			return
		}
		m, err := hl7.Parse(content)
		if err != nil {
			t.Error(err)
			return
		}
		id, code := m.ControlID(), m.Get("MSH-3")
		r.mu.Lock()
		first := !r.cut[id]
		r.cut[id] = true
		r.taken = append(r.taken, id)
		r.mu.Unlock()
		switch {
		case code == "CUT" && first:
			return
		case code == "CUT" || code == "LATE":
			code = "AA"
		}
		if m.Get("MSH-3") == "LATE" { // an answer to another message comes before
			other, err := hl7.Reply([]byte("MSH|^~\\&|||||||ACK|other|T|2.5\r"), hl7.Ack{Code: "AE", ControlID: "1", Time: time.Now()})
			if err != nil {
				t.Error(err)
			}
			_, _ = conn.Write(mllp.AppendFrame(nil, other.Encode()))
		}
		ack := hl7.Ack{Code: hl7.AckCode(code), ControlID: "1", Time: time.Now()}
		if code == "AE" {
			ack.Problems = []hl7.Problem{{Code: "101", Text: "PID-3 is missing."}}
		}
		answer, err := m.Acknowledge(ack)
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = conn.Write(mllp.AppendFrame(nil, answer.Encode()))
	}
}

func numbered(id, answer string) string {
	return "MSH|^~\\&|" + answer + "|HERE|||2026||ADT^A01|" + id + "|T|2.5\rPID|1\r"
}

func TestSendOverMLLPTellsWhatWasAcknowledged(t *testing.T) {
	to := newReceiver(t)
	dir := folder(t, map[string]string{
		"a.hl7": numbered("1", "AA"), "b.hl7": "\v" + numbered("2", "CA") + "\x1c\r", "c.hl7": numbered("3", "AE"), "d.hl7": numbered("4", "CUT"),
		"e.hl7": numbered("5", "LATE"), "f.txt": "no message",
	})
	got := call(t, nil, "", "send", dir, "--mllp", to.Addr().String(), "-p", "1")
	got.Out = strings.ReplaceAll(got.Out, dir, "DIR")
	want := result{
		Status: statusRefused,
		Out: `AA   DIR/a.hl7
CA   DIR/b.hl7
AE   DIR/c.hl7  PID-3 is missing.
AA   DIR/d.hl7
AA   DIR/e.hl7
-    DIR/f.txt  not sent: no HL7 message: text
`,
	}
	got.Out = strings.ReplaceAll(got.Out, "  \n", "\n")
	if got.Status != want.Status || !strings.Contains(got.Err, "accepted: 4, duplicates: 0, refused: 1, not sent: 1") {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff(want.Out, got.Out); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"1", "2", "3", "4", "4", "5"}, to.taken); diff != "" {
		t.Error(diff)
	}
}

func TestSendOverMLLPTakesBatchesApartOnSeveralConnections(t *testing.T) {
	to := newReceiver(t)
	var batch strings.Builder
	for _, id := range strings.Fields("1 2 3 4 5 6 7 8 9") {
		batch.WriteString(numbered(id, "AA"))
	}
	got := call(t, nil, batch.String(), "send", "-", "--split", "--json", "--mllp", to.Addr().String(), "-p", "3")
	if got.Status != statusDone || strings.Count(got.Out, "\n") != 9 || len(to.taken) != 9 {
		t.Fatalf("%+v, %v", got, to.taken)
	}
	var first struct {
		File, Ack string
		Attempts  int
	}
	line, _, _ := strings.Cut(got.Out, "\n")
	if err := json.Unmarshal([]byte(line), &first); err != nil || first.File != "-#1" || first.Ack != "AA" || first.Attempts != 1 {
		t.Errorf("%s: %+v, %v", line, first, err)
	}
}

func TestSendOverMLLPEndsWhereNobodyAnswers(t *testing.T) {
	dir := folder(t, map[string]string{"a.hl7": numbered("1", "AA")})
	got := call(t, nil, "", "send", dir, "--mllp", "127.0.0.1:1", "--ack-timeout", "1ms")
	if got.Status != statusUnreachable || !strings.Contains(got.Err, "no answer from mllp://127.0.0.1:1") || strings.Contains(got.Err, "lake up") {
		t.Errorf("%+v", got)
	}
	if got := call(t, nil, "", "send", dir, "--mllp", "127.0.0.1:1", "--tls-ca", "none.pem"); got.Status != statusUnusable {
		t.Errorf("%+v", got)
	}
}
