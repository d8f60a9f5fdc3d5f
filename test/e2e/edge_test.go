package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
	"hl7lake/edge"
	"hl7lake/edge/config"
	"hl7lake/edge/mllp"
	"hl7lake/hl7"
)

// edgeOf runs an edge, with one listener in a mode, in front of a lake until the test
// ends.
func (l *lake) edgeOf(t *testing.T, mode config.AckMode) *edge.Edge {
	t.Helper()
	user := client.User{Email: "engine@example.org", Read: client.Institutions{scenario.Institution}, Write: scenario.Institution}
	password := client.NewPassword()
	if err := l.pool.Add(t.Context(), user, password); err != nil {
		t.Fatal(err)
	}
	c, err := scenario.EdgeConfig(t.TempDir(), l.connection, user, mode)
	if err != nil {
		t.Fatal(err)
	}
	return openEdge(t, c, password)
}

// openEdge runs an edge until the test ends. Every environment variable is the secret.
func openEdge(t *testing.T, c config.Config, secret string) *edge.Edge {
	t.Helper()
	e, err := edge.Open(t.Context(), c, edge.Options{
		Target: func(listener config.Listener) (*client.Client, error) {
			return edge.NewTarget(c, listener, func(string) string { return secret })
		},
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return e
}

// overMLLP sends messages on one connection and returns the acknowledgment codes.
func overMLLP(t *testing.T, to net.Addr, messages ...[]byte) (codes []string) {
	t.Helper()
	conn, err := net.Dial("tcp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(*patience)); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(conn)
	for _, m := range messages {
		if _, err := conn.Write(mllp.AppendFrame(nil, m)); err != nil {
			t.Fatal(err)
		}
		frame, err := answers.ReadBytes(0x1c)
		if err != nil {
			t.Fatal(err)
		}
		ack, err := hl7.Parse(bytes.TrimLeft(frame, "\r"))
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, ack.Get("MSA-1"))
	}
	return codes
}

// TestAMessageOverMLLPIsInTheLakeByteForByte sends over MLLP what the lake then has, and
// gets its AA in both modes.
func TestAMessageOverMLLPIsInTheLakeByteForByte(t *testing.T) {
	for _, mode := range []config.AckMode{config.Queued, config.Delivered} {
		t.Run(string(mode), func(t *testing.T) {
			l := start(t)
			e := l.edgeOf(t, mode)
			body := admission(1)
			for _, code := range overMLLP(t, e.Listeners()[0].Addr(), body, body, admission(2)) {
				if code != "AA" {
					t.Errorf("answered %s", code)
				}
			}
			for limit := time.Now().Add(*patience); e.Health().Listeners[0].Queued > 0; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(limit) {
					t.Fatal("the messages are not delivered")
				}
			}
			c := l.client(t, l.admin(t))
			receipt, err := c.Send(t.Context(), client.Message{Body: body})
			if err != nil || !receipt.Duplicate {
				t.Fatalf("sent again: %+v, %v", receipt, err)
			}
			ended(t, c, receipt.ID)
			if kept, err := c.ER7(t.Context(), receipt.ID); err != nil || !bytes.Equal(kept, body) {
				t.Errorf("kept is %q, %v", kept, err)
			}
			if keys := l.keys(t, client.Ingestion); len(keys) < 1 || len(keys) > 2 { // the second may be on its way
				t.Errorf("the lake holds %d messages", len(keys))
			}
		})
	}
}
