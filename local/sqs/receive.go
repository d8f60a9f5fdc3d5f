package sqs

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hl7lake/local/wire"
)

type receiveInput struct {
	QueueUrl                    string
	MaxNumberOfMessages         *int
	VisibilityTimeout           *int
	WaitTimeSeconds             *int
	AttributeNames              []string // older name of the next
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string
}

type receivedMessage struct {
	MessageId              string
	ReceiptHandle          string
	Body                   string
	MD5OfBody              string
	Attributes             map[string]string    `json:",omitempty"`
	MessageAttributes      map[string]Attribute `json:",omitempty"`
	MD5OfMessageAttributes string               `json:",omitempty"`
}

type receiveOutput struct {
	Messages []receivedMessage `json:",omitempty"`
}

// receiveMessage waits, if it is asked to, until there is a message.
func (s *Service) receiveMessage(ctx context.Context, in *receiveInput) (*receiveOutput, error) {
	q, err := s.allowed(ctx, "ReceiveMessage", nameOf(in.QueueUrl, "/"))
	if err != nil {
		return nil, err
	}
	limit := 1
	if in.MaxNumberOfMessages != nil {
		limit = *in.MaxNumberOfMessages
	}
	if limit < 1 || limit > 10 {
		return nil, invalid("Value %d for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.", limit)
	}
	hide := q.VisibilityTimeout
	if in.VisibilityTimeout != nil {
		hide = in.VisibilityTimeout
	}
	wait := q.ReceiveMessageWaitTimeSeconds
	if in.WaitTimeSeconds != nil {
		wait = in.WaitTimeSeconds
	}
	if w := seconds(wait, 0); w < 0 || w > 20*time.Second {
		return nil, invalid("Value %d for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.", *wait)
	}
	received, err := s.receive(ctx, q, limit, seconds(hide, 30), time.Now().Add(seconds(wait, 0)))
	if err != nil {
		return nil, err
	}
	output := &receiveOutput{}
	for _, m := range received {
		output.Messages = append(output.Messages, m.received(in))
	}
	return output, nil
}

// receive takes messages, hides them and records that they were received. If there is
// none, it waits until the deadline or until ctx ends.
func (s *Service) receive(ctx context.Context, q *queue, limit int, hide time.Duration, deadline time.Time) ([]message, error) {
	for {
		received, next, changed, err := s.take(q, limit, hide)
		for _, m := range received {
			s.requested(ctx, m.size())
		}
		if err != nil || len(received) > 0 || !time.Now().Before(deadline) {
			return received, err
		}
		if next.IsZero() || next.After(deadline) {
			next = deadline
		}
		timer := time.NewTimer(time.Until(next))
		select {
		case <-ctx.Done():
		case <-changed:
		case <-timer.C:
		}
		timer.Stop()
		if ctx.Err() != nil {
			return nil, nil // the caller has gone
		}
	}
}

// take takes what is visible now. If there is nothing, it returns when the next message
// will be visible, and a channel that is closed if one may be sooner.
func (s *Service) take(q *queue, limit int, hide time.Duration) (received []message, next time.Time, changed chan struct{}, err error) {
	now := time.Now()
	q.mu.Lock()
	visible, expired := q.due(now, now.Add(hide), limit)
	worn := q.wornOut(visible)
	visible = slices.DeleteFunc(visible, func(m *message) bool { return slices.Contains(worn, m) })
	for _, m := range visible {
		received = append(received, *m)
	}
	if len(q.waiting) > 0 {
		next = q.waiting[0].Visible
	}
	changed = q.changed
	q.mu.Unlock()

	if err := q.erase(expired...); err != nil {
		return nil, next, changed, err
	}
	for _, m := range worn {
		if err := s.moveToDeadLetters(q, m); err != nil {
			return nil, next, changed, err
		}
	}
	if len(received) == 0 {
		return nil, next, changed, nil
	}
	return received, next, changed, q.rewrite(received...)
}

// wornOut returns the messages that were received too often. They are removed from
// memory.
func (q *queue) wornOut(visible []*message) (worn []*message) {
	if q.RedrivePolicy == nil {
		return nil
	}
	for _, m := range visible {
		if m.Receives > q.RedrivePolicy.MaxReceiveCount {
			q.drop(m)
			worn = append(worn, m)
		}
	}
	return worn
}

// moveToDeadLetters puts a message into the dead-letter queue and then removes it from
// this one, so that a crash between can only duplicate it.
func (s *Service) moveToDeadLetters(q *queue, m *message) error {
	target, err := s.queue(nameOf(q.RedrivePolicy.DeadLetterTargetArn, ":"))
	if err != nil {
		return err
	}
	moved := *m
	moved.key, moved.Visible, moved.Receives, moved.DeadLetterOf = 0, time.Now(), 0, ARN(q.name)
	if err := s.keep(target, &moved); err != nil {
		return err
	}
	return q.erase(m)
}

// received is the message as its receiver sees it.
func (m message) received(in *receiveInput) receivedMessage {
	output := receivedMessage{MessageId: m.ID, ReceiptHandle: m.handle(), Body: m.Body, MD5OfBody: hashText(m.Body)}
	system := map[string]string{
		"SenderId": m.Sender, "SentTimestamp": millis(m.Sent),
		"ApproximateFirstReceiveTimestamp": millis(m.FirstReceived), "ApproximateReceiveCount": strconv.Itoa(m.Receives),
	}
	if m.DeadLetterOf != "" {
		system["DeadLetterQueueSourceArn"] = m.DeadLetterOf
	}
	if m.Group != "" {
		system["MessageGroupId"] = m.Group
	}
	wanted := append(slices.Clone(in.AttributeNames), in.MessageSystemAttributeNames...)
	for name, value := range system {
		if slices.Contains(wanted, "All") || slices.Contains(wanted, name) {
			if output.Attributes == nil {
				output.Attributes = map[string]string{}
			}
			output.Attributes[name] = value
		}
	}
	for name, attribute := range m.Attributes {
		if slices.ContainsFunc(in.MessageAttributeNames, func(pattern string) bool { return selects(pattern, name) }) {
			if output.MessageAttributes == nil {
				output.MessageAttributes = map[string]Attribute{}
			}
			output.MessageAttributes[name] = attribute
		}
	}
	output.MD5OfMessageAttributes = hashAttributes(output.MessageAttributes)
	return output
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// selects reports whether a pattern (All, .*, a name, or a prefix.*) matches a name.
func selects(pattern, name string) bool {
	prefix, isPrefix := strings.CutSuffix(pattern, ".*")
	return pattern == "All" || pattern == name || isPrefix && strings.HasPrefix(name, prefix)
}

// handle is valid only for the receive that it came from.
func (m message) handle() string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%d %d %s", m.key, m.Receives, m.ID))
}

// held finds the message that a receipt handle is for. It returns nil if the message is
// gone, or was received again since.
func (q *queue) held(handle string) (*message, error) {
	var key uint64
	var receives int
	var id string
	text, err := base64.StdEncoding.DecodeString(handle)
	if err == nil {
		_, err = fmt.Sscanf(string(text), "%d %d %s", &key, &receives, &id)
	}
	if err != nil {
		return nil, wire.Errorf("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
	}
	if m, there := q.byKey[key]; there && m.ID == id && m.Receives == receives {
		return m, nil
	}
	return nil, nil
}

type deleteInput struct{ QueueUrl, ReceiptHandle string }

func (s *Service) deleteMessage(ctx context.Context, in *deleteInput) (any, error) {
	q, err := s.allowed(ctx, "DeleteMessage", nameOf(in.QueueUrl, "/"))
	if err != nil {
		return nil, err
	}
	s.requested(ctx, 0)
	return nil, q.delete(in.ReceiptHandle)
}

// delete removes a message for good. It is not an error if the message is already gone.
func (q *queue) delete(handle string) error {
	q.mu.Lock()
	m, err := q.held(handle)
	q.mu.Unlock()
	if err != nil || m == nil {
		return err
	}
	if err := q.erase(m); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drop(m)
	return nil
}

type deleteBatchInput struct {
	QueueUrl string
	Entries  []struct{ Id, ReceiptHandle string }
}

type deleteBatchOutput struct {
	Successful []struct{ Id string }
	Failed     []failedEntry
}

func (s *Service) deleteMessageBatch(ctx context.Context, in *deleteBatchInput) (*deleteBatchOutput, error) {
	q, err := s.allowed(ctx, "DeleteMessage", nameOf(in.QueueUrl, "/"))
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(in.Entries))
	for i, entry := range in.Entries {
		ids[i] = entry.Id
	}
	if err := checkBatch(ids); err != nil {
		return nil, err
	}
	output := &deleteBatchOutput{Successful: []struct{ Id string }{}, Failed: []failedEntry{}}
	for _, entry := range in.Entries {
		s.requested(ctx, 0)
		if err := q.delete(entry.ReceiptHandle); err != nil {
			output.Failed = append(output.Failed, failedAs(entry.Id, err))
			continue
		}
		output.Successful = append(output.Successful, struct{ Id string }{entry.Id})
	}
	return output, nil
}

type changeVisibilityInput struct {
	QueueUrl, ReceiptHandle string
	VisibilityTimeout       *int
}

func (s *Service) changeMessageVisibility(ctx context.Context, in *changeVisibilityInput) (any, error) {
	q, err := s.allowed(ctx, "ChangeMessageVisibility", nameOf(in.QueueUrl, "/"))
	if err != nil {
		return nil, err
	}
	if t := seconds(in.VisibilityTimeout, -1); t < 0 || t > 12*time.Hour {
		return nil, invalid("Value for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be between 0 and 43200 seconds.")
	}
	now := time.Now()
	q.mu.Lock()
	m, err := q.held(in.ReceiptHandle)
	if err == nil && (m == nil || !m.Visible.After(now)) {
		err = wire.Errorf("MessageNotInflight", "The specified message isn't in flight.")
	}
	var changed message
	if err == nil {
		q.reschedule(m, now.Add(seconds(in.VisibilityTimeout, 0)))
		changed = *m
	}
	q.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return nil, q.rewrite(changed)
}
