package scenario

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hl7lake/client"
	"hl7lake/cmd/lake/samples"
	"hl7lake/edge"
	"hl7lake/edge/config"
	"hl7lake/edge/mllp"
	"hl7lake/edge/queue"
)

// OverMLLP is a message that an engine sent to an edge in front of the lake, and the
// acknowledgment that it got.
type OverMLLP struct {
	Text string `json:"text"` // of the sample
	Code string `json:"code"` // MSA-1
	Ack  string `json:"ack"`  // its segments, one on each line
}

// ackLimit is how long the engine waits for its acknowledgment.
const ackLimit = 30 * time.Second

// sendOverMLLP sends a sample as an engine does. The edge acknowledges it when the lake
// has it. The first user then posts the same message, and is told the id under which the
// lake has it.
func (p *play) sendOverMLLP(ctx context.Context) (err error) {
	sample, user := samples.Transfer(), p.report.Users[0]
	p.progress("sending over MLLP", 0, 1)
	dir, err := os.MkdirTemp("", "lake-edge-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	c, err := EdgeConfig(dir, p.connection, user, config.Delivered)
	if err != nil {
		return err
	}
	if p.report.OverMLLP, err = p.throughEdge(ctx, c, sample); err != nil {
		return err
	}
	if code := p.report.OverMLLP.Code; code != "AA" {
		p.differ("%s sent over MLLP: the acknowledgment is %s, not AA", sample.Name, code)
	}
	again, err := post(ctx, p.both, user, sample)
	if err != nil {
		return err
	}
	again.Want = http.StatusConflict
	p.check(again)
	if again.AsExpected() {
		p.toFollow(again, sample)
	}
	return nil
}

// throughEdge runs an edge for as long as it takes to send a sample to it.
func (p *play) throughEdge(ctx context.Context, c config.Config, sample samples.Sample) (_ OverMLLP, err error) {
	running, err := edge.Open(ctx, c, edge.Options{
		Target: func(listener config.Listener) (*client.Client, error) {
			return edge.NewTarget(c, listener, func(string) string { return p.password })
		},
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return OverMLLP{}, err
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- running.Run(serving) }()
	defer func() {
		stop()
		err = errors.Join(err, <-ended)
	}()
	limited, cancel := context.WithTimeoutCause(ctx, ackLimit, mllp.ErrNoAck)
	defer cancel()
	link, err := mllp.Dial(limited, running.Listeners()[0].Addr().String(), nil)
	if err != nil {
		return OverMLLP{}, err
	}
	defer func() { err = errors.Join(err, link.Close()) }()
	ack, err := link.Send(limited, sample.Body)
	if err != nil {
		return OverMLLP{}, err
	}
	lines := strings.ReplaceAll(strings.TrimSuffix(string(ack.Encode()), "\r"), "\r", "\n")
	return OverMLLP{Text: sample.Name, Code: ack.Get("MSA-1"), Ack: lines}, nil
}

// EdgeConfig writes into dir what an edge in front of a lake on this machine needs, and
// returns its configuration: one listener, on a free port, with the credentials of a user
// whose password is in the environment variable PASSWORD.
func EdgeConfig(dir string, connection client.Connection, user client.User, mode config.AckMode) (config.Config, error) {
	text := fmt.Sprintf(`data: data
key_file: edge.key
lake: {connection: connection.json}
credentials: {user: %s, password_env: PASSWORD}
listeners:
  - {name: adt, address: "127.0.0.1:0", institution: %s, ack: %s}
`, user.Email, user.Write, mode)
	path := filepath.Join(dir, "edge.yaml")
	err := errors.Join(
		os.WriteFile(path, []byte(text), 0o600),
		connection.Write(filepath.Join(dir, "connection.json")),
		queue.WriteKey(filepath.Join(dir, "edge.key")),
	)
	if err != nil {
		return config.Config{}, err
	}
	return config.Read(path)
}
