package sqs

import (
	"context"
	"time"

	"github.com/google/uuid"

	"hl7lake/local/wire"
)

// maxMessage is the most bytes of a message, unless its queue says less, and of a whole
// batch.
const maxMessage = 1 << 20

type sendInput struct {
	QueueUrl          string
	MessageBody       string
	DelaySeconds      *int
	MessageAttributes map[string]Attribute
	MessageGroupId    string
}

type sendOutput struct {
	MessageId              string
	MD5OfMessageBody       string
	MD5OfMessageAttributes string `json:",omitempty"`
}

func (s *Service) sendMessage(ctx context.Context, in *sendInput) (*sendOutput, error) {
	q, err := s.allowed(ctx, "SendMessage", nameOf(in.QueueUrl, "/"))
	if err != nil {
		return nil, err
	}
	m := &message{Body: in.MessageBody, Attributes: in.MessageAttributes, Group: in.MessageGroupId, Sender: wire.Caller(ctx)}
	if err := s.put(ctx, q, m, in.DelaySeconds); err != nil {
		return nil, err
	}
	return m.sent(), nil
}

func (m *message) sent() *sendOutput {
	return &sendOutput{MessageId: m.ID, MD5OfMessageBody: hashText(m.Body), MD5OfMessageAttributes: hashAttributes(m.Attributes)}
}

// put makes a message durable and then receivable. delay is in seconds; nil means the
// queue's own.
func (s *Service) put(ctx context.Context, q *queue, m *message, delay *int) error {
	limit := maxMessage
	if q.MaximumMessageSize != nil {
		limit = *q.MaximumMessageSize
	}
	if err := m.check(limit); err != nil {
		return err
	}
	if delay == nil {
		delay = q.DelaySeconds
	}
	m.ID, m.Sent = uuid.NewString(), time.Now()
	m.Visible = m.Sent.Add(seconds(delay, 0))
	s.requested(ctx, m.size())
	return s.keep(q, m)
}

// keep puts a message with its id and times into a queue.
func (s *Service) keep(q *queue, m *message) error {
	if err := s.store.Update(q.write(m)); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.insert(m)
	return nil
}

type sendBatchInput struct {
	QueueUrl string
	Entries  []struct {
		Id string
		sendInput
	}
}

type sendBatchOutput struct {
	Successful []sentEntry
	Failed     []failedEntry
}

type sentEntry struct {
	Id string
	*sendOutput
}

type failedEntry struct {
	Id, Code, Message string
	SenderFault       bool
}

func failedAs(id string, err error) failedEntry {
	answer := wire.AsError(err)
	return failedEntry{id, answer.Code, answer.Message, answer.Status < 500}
}

// checkBatch refuses a batch as a whole.
func checkBatch(ids []string) error {
	seen := map[string]bool{}
	for _, id := range ids {
		if seen[id] {
			return wire.Errorf("BatchEntryIdsNotDistinct", "Id %s repeated.", id)
		}
		seen[id] = true
	}
	switch {
	case len(ids) == 0:
		return wire.Errorf("EmptyBatchRequest", "There should be at least one entry in the request.")
	case len(ids) > 10:
		return wire.Errorf("TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent %d.", len(ids))
	}
	return nil
}

func (s *Service) sendMessageBatch(ctx context.Context, in *sendBatchInput) (*sendBatchOutput, error) {
	q, err := s.allowed(ctx, "SendMessage", nameOf(in.QueueUrl, "/"))
	if err != nil {
		return nil, err
	}
	ids, size := make([]string, len(in.Entries)), 0
	for i, entry := range in.Entries {
		ids[i] = entry.Id
		size += (&message{Body: entry.MessageBody, Attributes: entry.MessageAttributes}).size()
	}
	if err := checkBatch(ids); err != nil {
		return nil, err
	}
	if size > maxMessage {
		return nil, wire.Errorf("BatchRequestTooLong", "Batch requests cannot be longer than %d bytes. You have sent %d bytes.", maxMessage, size)
	}
	output := &sendBatchOutput{Successful: []sentEntry{}, Failed: []failedEntry{}}
	for _, entry := range in.Entries {
		m := &message{Body: entry.MessageBody, Attributes: entry.MessageAttributes, Group: entry.MessageGroupId, Sender: wire.Caller(ctx)}
		if err := s.put(ctx, q, m, entry.DelaySeconds); err != nil {
			output.Failed = append(output.Failed, failedAs(entry.Id, err))
			continue
		}
		output.Successful = append(output.Successful, sentEntry{entry.Id, m.sent()})
	}
	return output, nil
}
