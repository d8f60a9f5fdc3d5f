package edge_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"hl7lake/client"
	"hl7lake/edge"
	"hl7lake/edge/config"
	"hl7lake/edge/queue"
)

// front is an API that takes every message at once, or none while it is away: what is
// measured or tried is the edge.
type front struct {
	*httptest.Server
	away   bool
	mu     sync.Mutex
	bodies []string
}

func newFront(t testing.TB, away bool) *front {
	f := &front{away: away}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if f.away {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		f.mu.Lock()
		f.bodies = append(f.bodies, string(body))
		f.mu.Unlock()
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"id":"1"}`)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *front) taken() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.bodies...)
}

// edgeTo runs an edge in front of an API until the test ends, and returns its address.
func edgeTo(t testing.TB, to *front) string {
	t.Helper()
	e := openEdge(t, to.URL)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return e.Listeners()[0].Addr().String()
}

func openEdge(t testing.TB, url string) *edge.Edge {
	t.Helper()
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	if err := queue.WriteKey(key); err != nil {
		t.Fatal(err)
	}
	c := config.Config{
		Data: filepath.Join(dir, "data"), KeyFile: key, Queue: config.Queue{MaxMessages: 10_000_000, MaxBytes: 20 << 30},
		Listeners: []config.Listener{{
			Name: "adt", Address: "127.0.0.1:0", Ack: config.Queued, MaxMessage: 4 << 20, MaxConnections: 256, Idle: config.Duration(time.Hour),
		}},
	}
	e, err := edge.Open(t.Context(), c, edge.Options{
		Target: func(config.Listener) (*client.Client, error) { return client.New(url, client.Token("t")) },
		Log:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}
