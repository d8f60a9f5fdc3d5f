package mllp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// receiver is a program that engines send to.
type receiver struct {
	address string

	mu          sync.Mutex
	connections int
	received    []string
}

// receive runs a receiver until the test ends. answer returns what the nth connection
// answers to the content of a frame: frames, or "" to close it.
func receive(t *testing.T, answer func(connection int, content string) string) *receiver {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{address: listener.Addr().String()}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			r.mu.Lock()
			r.connections++
			n := r.connections
			r.mu.Unlock()
			serving.Go(func() { r.serve(conn, n, answer) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		serving.Wait()
	})
	return r
}

func (r *receiver) serve(conn net.Conn, n int, answer func(int, string) string) {
	defer conn.Close()
	for frames := NewReader(conn, 1<<10); ; {
		content, err := frames.Next()
		if err != nil {
			return
		}
		r.mu.Lock()
		r.received = append(r.received, string(content))
		r.mu.Unlock()
		reply := answer(n, string(content))
		if reply == "" {
			return
		}
		if _, err := conn.Write([]byte(reply)); err != nil {
			return
		}
	}
}

// message has a control ID.
func message(id string) string { return "MSH|^~\\&|A|B|||2026||ADT^A01|" + id + "|P|2.5\r" }

// ack is the frame of an acknowledgment of the message with the control ID.
func ack(id string) string {
	return string(AppendFrame(nil, []byte("MSH|^~\\&|B|A|||2026||ACK|9|P|2.5\rMSA|AA|"+id+"\r")))
}

// acknowledge answers each message as it should be.
func acknowledge(_ int, content string) string { return ack(strings.Split(content, "|")[9]) }

func newSender(t *testing.T, to *receiver, connections int) *Sender {
	s := NewSender(to.address, nil, 5*time.Second, connections)
	s.pause = time.Millisecond
	t.Cleanup(s.Close)
	return s
}

func TestMessagesOneAfterTheOtherUseOneConnection(t *testing.T) {
	r := receive(t, acknowledge)
	s := newSender(t, r, 1)
	for n := range 3 {
		id := fmt.Sprint(n)
		answer, attempt, err := s.Send(t.Context(), []byte(message(id)))
		if err != nil || attempt != 1 || answer.Get("MSA-2") != id {
			t.Fatalf("message %s: attempt %d, %v, answer %v", id, attempt, err, answer)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.connections != 1 {
		t.Errorf("%d connections", r.connections)
	}
	if diff := cmp.Diff([]string{message("0"), message("1"), message("2")}, r.received); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
}

func TestAMessageIsSentAgainWhenItsConnectionBreaks(t *testing.T) {
	r := receive(t, func(connection int, content string) string {
		if connection < 3 {
			return ""
		}
		return acknowledge(connection, content)
	})
	answer, attempt, err := newSender(t, r, 1).Send(t.Context(), []byte(message("7")))
	if err != nil || attempt != 3 || answer.Get("MSA-2") != "7" {
		t.Errorf("attempt %d, %v", attempt, err)
	}
}

func TestTheSixthAttemptIsTheLast(t *testing.T) {
	r := receive(t, func(int, string) string { return "" })
	_, attempt, err := newSender(t, r, 1).Send(t.Context(), []byte(message("7")))
	if err == nil || attempt != 6 || !strings.HasPrefix(err.Error(), "after 6 attempts: ") {
		t.Errorf("attempt %d, %v", attempt, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.received) != 6 {
		t.Errorf("received %d times", len(r.received))
	}
}

func TestThePauseBetweenAttemptsDoubles(t *testing.T) {
	r := receive(t, func(int, string) string { return "" })
	s := newSender(t, r, 1)
	s.pause = 4 * time.Millisecond // 4, 8, 16, 32, 64
	begin := time.Now()
	_, _, err := s.Send(t.Context(), []byte(message("7")))
	if took := time.Since(begin); err == nil || took < 124*time.Millisecond {
		t.Errorf("six attempts took %s, %v", took, err)
	}
}

func TestNoAcknowledgmentInTimeIsAnError(t *testing.T) {
	r := receive(t, func(int, string) string { return "\n" })
	s := newSender(t, r, 1)
	s.patience = 20 * time.Millisecond
	if _, _, err := s.Send(t.Context(), []byte(message("7"))); !errors.Is(err, ErrNoAck) {
		t.Errorf("got %v", err)
	}
}

func TestASenderGoesWithItsContext(t *testing.T) {
	stopped := errors.New("stopped")
	ctx, stop := context.WithCancelCause(t.Context())
	r := receive(t, func(int, string) string {
		stop(stopped)
		return "\n"
	})
	if _, attempt, err := newSender(t, r, 1).Send(ctx, []byte(message("7"))); !errors.Is(err, stopped) || attempt != 1 {
		t.Errorf("attempt %d, %v", attempt, err)
	}
}

func TestNoMoreConnectionsAreKeptThanWanted(t *testing.T) {
	var both sync.WaitGroup
	both.Add(2)
	r := receive(t, func(connection int, content string) string {
		if connection <= 2 && strings.Contains(content, "first") {
			both.Done() // answered when both are under way
			both.Wait()
		}
		return acknowledge(connection, content)
	})
	s := newSender(t, r, 1)
	together := func(ids ...string) {
		var sending sync.WaitGroup
		for _, id := range ids {
			sending.Go(func() {
				if _, _, err := s.Send(t.Context(), []byte(message(id))); err != nil {
					t.Error(err)
				}
			})
		}
		sending.Wait()
	}
	together("first 1", "first 2")
	if len(s.idle) != 1 {
		t.Errorf("%d connections are kept", len(s.idle))
	}
	together("second")
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.connections != 2 {
		t.Errorf("%d connections were made", r.connections)
	}
}
