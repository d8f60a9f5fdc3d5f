package edge

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"hl7lake/client"
	"hl7lake/edge/config"
	"hl7lake/edge/mllp"
	"hl7lake/edge/queue"
	"hl7lake/hl7"
	"hl7lake/internal/pause"
)

const (
	// writeLimit is how long an engine may take to read an answer.
	writeLimit = 10 * time.Second
	// outcomeLimit is how long a connection waits for the lake's answer to a message. An
	// engine usually gives up earlier.
	outcomeLimit = 2 * time.Minute
	// fullPause keeps an engine that reconnects at once from doing so all the time while
	// the queue is full.
	fullPause = time.Second
	// outcomesHeld is how many outcomes wait to be written to an engine that does not
	// read. Further ones are not sent.
	outcomesHeld = 256
)

// A conversation is one connection of an engine: frames come in, answers go out.
//
// Each complete frame gets at most one answer at first, in the order of the frames. An
// application acknowledgment in enhanced mode comes later, after the lake has answered.
type conversation struct {
	*Listener
	number   uint64
	conn     net.Conn
	outcomes chan outcome
	original chan struct{} // a value when a message in original mode was answered; there is one at a time

	turn    sync.Mutex // held from a message's way into the queue until its first answer, and by later answers
	writing sync.Mutex
	message hl7.Message // the one that is being received
}

// An outcome is what became of a message of the queue.
type outcome struct {
	message queue.Message
	problem *client.Problem // nil if the lake has it
}

// run reads frames until the engine has no more, or ctx ends.
func (c *conversation) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var answering sync.WaitGroup
	answering.Go(func() { c.answerOutcomes(ctx) })
	defer func() {
		cancel()
		answering.Wait()
		c.conn.Close()
	}()
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetReadDeadline(time.Now()) })
	defer stop()
	if err := c.greet(ctx); err != nil {
		c.metrics.refusedConnections.Inc()
		c.log.WarnContext(ctx, "connection refused", "from", c.conn.RemoteAddr().String(), "error", err)
		return
	}
	frames := mllp.NewReader(&patientReader{ctx, c.conn, time.Duration(c.config.Idle)}, int(c.config.MaxMessage))
	skipped := int64(0)
	for {
		content, err := frames.Next()
		if noise := frames.Skipped() - skipped; noise > 0 {
			skipped += noise
			c.metrics.noise.Add(float64(noise))
		}
		switch {
		case errors.Is(err, mllp.ErrTooLarge):
			err = c.refuse(content, tooLarge)
		case err == nil:
			err = c.take(ctx, content)
		}
		if err != nil {
			c.ended(ctx, err)
			return
		}
	}
}

// ErrClientName says that a client's certificate names nobody who may connect.
var ErrClientName = errors.New("the client's certificate has none of the names that may connect")

// greet checks who the client is.
func (c *conversation) greet(ctx context.Context) error {
	secured, ok := c.conn.(*tls.Conn)
	if !ok {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	if err := secured.HandshakeContext(limited); err != nil {
		return err
	}
	names := c.config.TLS.ClientNames
	if len(names) == 0 || anyName(secured.ConnectionState().PeerCertificates, names) {
		return nil
	}
	return ErrClientName
}

// ended reports why a conversation is over, if that is not normal.
func (c *conversation) ended(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil, errors.Is(err, io.EOF):
	case errors.Is(err, io.ErrUnexpectedEOF):
		c.metrics.torn.Inc()
		c.log.InfoContext(ctx, "connection ended within a frame, which is not answered", "from", c.conn.RemoteAddr().String())
	default:
		c.log.InfoContext(ctx, "connection ended", "from", c.conn.RemoteAddr().String(), "error", err)
	}
}

// take puts the content of a frame into the queue and answers. After an error the
// connection cannot be used any more.
func (c *conversation) take(ctx context.Context, content []byte) error {
	c.metrics.received.Inc()
	content, torn := lastBegun(content)
	c.metrics.torn.Add(float64(torn))
	m := &c.message
	if err := m.Parse(content); err != nil {
		return c.refuse(content, hl7.ProblemOf(err))
	}
	enhanced := m.InEnhancedMode()
	later := enhanced && (m.Wants(hl7.ApplicationAccept) || m.Wants(hl7.ApplicationError))
	waits := !enhanced && c.config.Ack == config.Delivered
	queued := queue.Message{Body: content, Received: time.Now()}
	if later || waits {
		queued.Origin = c.number
	}
	kept, err := c.keep(&queued, !waits)
	switch {
	case !kept:
		return c.notKept(ctx, err)
	case waits:
		return c.awaitAnswer(ctx)
	}
	return err
}

// keep puts the message that is being received into the queue, and then answers it unless
// that comes later. The lake may answer before keep does: its answer waits for its turn.
func (c *conversation) keep(queued *queue.Message, answerNow bool) (kept bool, err error) {
	c.turn.Lock()
	defer c.turn.Unlock()
	if err := c.queue.Put(c.config.Name, queued); err != nil {
		return false, err
	}
	c.metrics.bytes.Add(float64(len(queued.Body)))
	m := &c.message
	switch enhanced := m.InEnhancedMode(); {
	case !answerNow, enhanced && !m.Wants(hl7.CommitAccept):
		return true, nil
	case enhanced:
		return true, c.answer(m, hl7.CommitAccept)
	}
	return true, c.answer(m, hl7.ApplicationAccept)
}

// notKept handles a message that is not in the queue. It is not answered, so the engine
// keeps it and sends it again on its next connection.
func (c *conversation) notKept(ctx context.Context, err error) error {
	c.metrics.notKept.Inc()
	if errors.Is(err, queue.ErrFull) {
		return errors.Join(err, pause.For(ctx, fullPause))
	}
	return err
}

var errNoOutcome = errors.New("the lake has not answered in time: the message stays in the queue, and is not acknowledged")

// awaitAnswer waits until the message that was last put into the queue was answered.
func (c *conversation) awaitAnswer(ctx context.Context) error {
	late := time.NewTimer(outcomeLimit)
	defer late.Stop()
	select {
	case <-c.original:
		return nil
	case <-late.C:
		return errNoOutcome
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// answerOutcomes writes application acknowledgments until ctx ends.
func (c *conversation) answerOutcomes(ctx context.Context) {
	var m hl7.Message
	for {
		select {
		case <-ctx.Done():
			return
		case o := <-c.outcomes:
			if m.Parse(o.message.Body) != nil {
				continue // it was parsed before, and has not changed
			}
			c.turn.Lock()
			err := c.answerOutcome(&m, o.problem)
			c.turn.Unlock()
			if err != nil {
				c.log.InfoContext(ctx, "acknowledgment not sent", "error", err)
				c.metrics.unsent.Inc()
			}
			if !m.InEnhancedMode() {
				c.original <- struct{}{}
			}
		}
	}
}

// answerOutcome acknowledges the outcome of a message, if its sender wants to know.
func (c *conversation) answerOutcome(m *hl7.Message, problem *client.Problem) error {
	if problem == nil {
		if !m.Wants(hl7.ApplicationAccept) {
			return nil
		}
		return c.answer(m, hl7.ApplicationAccept)
	}
	if !m.Wants(hl7.ApplicationError) {
		return nil
	}
	return c.answer(m, hl7.ApplicationError, hl7.Problem{Code: "207", Name: "Application internal error", Text: problem.Detail})
}

// tooLarge is the problem of a message that exceeds the limit.
var tooLarge = hl7.Problem{Code: "207", Name: "Application internal error", Text: "The message is larger than this receiver takes."}

// refuse answers a frame that is not queued, with as much as its header tells.
func (c *conversation) refuse(content []byte, problem hl7.Problem) error {
	c.metrics.refused.Inc()
	code := hl7.ApplicationError
	if header, err := hl7.ParseHeader(content); err == nil && header.InEnhancedMode() {
		switch {
		case header.Wants(hl7.CommitError):
			code = hl7.CommitError
		case !header.Wants(hl7.ApplicationError):
			return nil
		}
	}
	ack, err := hl7.Reply(content, hl7.NewAck(code, problem))
	if err != nil {
		return err
	}
	return c.write(code, ack)
}

// answer acknowledges a message.
func (c *conversation) answer(m *hl7.Message, code hl7.AckCode, problems ...hl7.Problem) error {
	ack, err := m.Acknowledge(hl7.NewAck(code, problems...))
	if err != nil {
		return err
	}
	return c.write(code, ack)
}

func (c *conversation) write(code hl7.AckCode, ack *hl7.Message) error {
	frame := mllp.AppendFrame(nil, ack.Encode())
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := c.conn.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return err
	}
	if _, err := c.conn.Write(frame); err != nil {
		return err
	}
	c.metrics.acknowledged(code)
	return nil
}

// patientReader reads from a connection, and waits at most a given time for each read.
type patientReader struct {
	ctx  context.Context
	conn net.Conn
	idle time.Duration
}

func (r *patientReader) Read(p []byte) (int, error) {
	if err := r.conn.SetReadDeadline(time.Now().Add(r.idle)); err != nil {
		return 0, err
	}
	if r.ctx.Err() != nil { // ctx has ended, and this deadline may have replaced the one set for that
		return 0, context.Cause(r.ctx)
	}
	return r.conn.Read(p)
}
