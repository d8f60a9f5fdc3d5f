// Package sqs runs the queues of the templates behind SQS's JSON protocol, so that dead
// letters can be looked at and redriven with the ordinary SDKs and the AWS CLI. A message
// is durable before it is acknowledged. A received message comes back after its
// visibility time-out. Other services of the local lake add their dead letters with Send.
package sqs

import (
	"context"
	"math"
	"net/http"
	"strings"
	"sync"
	"time"

	"hl7lake/local/store"
	"hl7lake/local/wire"
)

// Queue has the properties of AWS::SQS::Queue that are run here; nil means SQS's default.
// Times are in seconds.
type Queue struct {
	QueueName                     string
	VisibilityTimeout             *int // 30 s
	MessageRetentionPeriod        *int // 4 days
	MaximumMessageSize            *int // bytes; 1 MiB
	DelaySeconds                  *int // 0
	ReceiveMessageWaitTimeSeconds *int // 0
	RedrivePolicy                 *RedrivePolicy
}

// RedrivePolicy says where messages go that are received too often.
type RedrivePolicy struct {
	DeadLetterTargetArn string `json:"deadLetterTargetArn"`
	MaxReceiveCount     int    `json:"maxReceiveCount"`
}

// UnmarshalJSON refuses the properties that are neither run nor ignored by name.
func (q *Queue) UnmarshalJSON(text []byte) error {
	type properties Queue
	return wire.Properties(text, (*properties)(q), q.Ignored())
}

// Ignored are the properties that are not run here, and why not.
func (*Queue) Ignored() wire.Ignored {
	return wire.Ignored{
		"KmsMasterKeyId": "messages are not encrypted here",
	}
}

// Service keeps queues. Their messages are durable in its store.
type Service struct {
	store     *store.Store
	authorize wire.Authorize
	endpoint  string
	handler   http.Handler
	requested Requested
	timeScale float64

	mu     sync.RWMutex
	queues map[string]*queue // by name
}

// Requested is called for each message that was sent, received or deleted, with its size
// in bytes; of one that is deleted, zero.
type Requested func(ctx context.Context, size int)

// Option changes how a Service works.
type Option func(*Service)

// WithRequested makes the service report its requests.
func WithRequested(requested Requested) Option { return func(s *Service) { s.requested = requested } }

// WithTimeScale multiplies the visibility time-outs of queues that say one, so that each
// is as much longer than the time-out of who receives from it as in the template.
func WithTimeScale(scale float64) Option { return func(s *Service) { s.timeScale = scale } }

// New returns a service without queues. The URLs of its queues begin with
// endpoint, such as http://127.0.0.1:4566.
func New(store *store.Store, authorize wire.Authorize, endpoint string, options ...Option) *Service {
	s := &Service{
		store: store, authorize: authorize, endpoint: endpoint, queues: map[string]*queue{},
		requested: func(context.Context, int) {}, timeScale: 1,
	}
	for _, option := range options {
		option(s)
	}
	s.handler = wire.JSON("1.0", map[string]wire.Operation{
		"SendMessage":             wire.Op(s.sendMessage),
		"SendMessageBatch":        wire.Op(s.sendMessageBatch),
		"ReceiveMessage":          wire.Op(s.receiveMessage),
		"DeleteMessage":           wire.Op(s.deleteMessage),
		"DeleteMessageBatch":      wire.Op(s.deleteMessageBatch),
		"ChangeMessageVisibility": wire.Op(s.changeMessageVisibility),
		"GetQueueUrl":             wire.Op(s.getQueueURL),
		"GetQueueAttributes":      wire.Op(s.getQueueAttributes),
		"ListQueues":              wire.Op(s.listQueues),
		"PurgeQueue":              wire.Op(s.purgeQueue),
	})
	return s
}

// ServeHTTP answers the service's operations.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// ARN is the ARN of a queue by its name.
func ARN(name string) string { return wire.ARN("sqs", name) }

// Add makes a queue known by its name, and replaces one with the same name. It has the
// messages that the store has for it.
func (s *Service) Add(name string, properties Queue) error {
	if p := properties.RedrivePolicy; p != nil && p.MaxReceiveCount < 1 {
		return wire.UnsupportedProperty("RedrivePolicy.maxReceiveCount", p.MaxReceiveCount)
	}
	if v := properties.VisibilityTimeout; v != nil {
		properties.VisibilityTimeout = new(int(math.Ceil(float64(*v) * s.timeScale)))
	}
	q, err := openQueue(s.store, name, properties)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queues[name] = q
	return nil
}

// Send puts a message into a queue by its ARN, for the caller in ctx. The attributes
// become message attributes of type String; they may be nil. If it returns nil, the
// message is durable.
func (s *Service) Send(ctx context.Context, queueARN, body string, attributes map[string]string) error {
	m := &message{Body: body, Attributes: map[string]Attribute{}}
	for name, value := range attributes {
		m.Attributes[name] = Attribute{DataType: "String", StringValue: value}
	}
	q, err := s.allowed(ctx, "SendMessage", nameOf(queueARN, ":"))
	if err != nil {
		return err
	}
	return s.put(ctx, q, m, nil)
}

// nameOf returns the part of an ARN or URL after the last separator.
func nameOf(text, separator string) string { return text[strings.LastIndex(text, separator)+1:] }

// allowed finds a queue for a caller who may perform action on it.
func (s *Service) allowed(ctx context.Context, action, name string) (*queue, error) {
	if err := s.authorize(ctx, "sqs:"+action, ARN(name), nil); err != nil {
		return nil, err
	}
	return s.queue(name)
}

func (s *Service) queue(name string) (*queue, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	q, known := s.queues[name]
	if !known {
		return nil, wire.Errorf("QueueDoesNotExist", "The specified queue does not exist.")
	}
	return q, nil
}

func (s *Service) url(name string) string { return s.endpoint + "/" + wire.Account + "/" + name }

// seconds is a number of seconds in a template or request.
func seconds(n *int, byDefault int) time.Duration {
	if n == nil {
		n = &byDefault
	}
	return time.Duration(*n) * time.Second
}
