package edge

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Health is the answer of /healthz. It is healthy while messages can be received. Whether
// they are delivered is reported for each listener, because refusing engines does not
// help a lake that is unreachable.
type Health struct {
	Status    string           `json:"status"` // "ok", or "full" if no message is received because there is no room
	Listeners []ListenerHealth `json:"listeners"`
}

// ListenerHealth is the state of one listener.
type ListenerHealth struct {
	Name        string  `json:"name"`
	Connections int     `json:"connections"`
	Queued      int64   `json:"queued"`
	OldestAge   float64 `json:"oldest_age_seconds"`
	Trouble     string  `json:"trouble,omitempty"` // why messages are not delivered
}

// Health returns the state of the edge.
func (e *Edge) Health() Health {
	h := Health{Status: "ok"}
	if e.queue.Full() {
		h.Status = "full"
	}
	for _, l := range e.listeners {
		l.mu.Lock()
		connections := len(l.conversations)
		l.mu.Unlock()
		of := ListenerHealth{
			Name: l.Name(), Connections: connections, Queued: e.queue.LaneUsage(l.Name()).Messages, OldestAge: oldest(e.queue, l.Name()).Seconds(),
		}
		if err := l.sender.Trouble(); err != nil {
			of.Trouble = err.Error()
		}
		h.Listeners = append(h.Listeners, of)
	}
	return h
}

// serveStatus answers /healthz and /metrics until ctx ends.
func (e *Edge) serveStatus(ctx context.Context) {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(e.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		h := e.Health()
		w.Header().Set("Content-Type", "application/json")
		if h.Status != "ok" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(h)
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(e.status); !errors.Is(err, http.ErrServerClosed) {
		e.log.ErrorContext(ctx, "the status is not served", "error", err)
	}
}
