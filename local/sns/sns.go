// Package sns is the local lake's Amazon SNS: standard topics with message attributes,
// subscriptions with filter policies, and delivery to functions and queues. A message is
// acknowledged once every subscriber whose filter it passes has it durably. If a
// subscriber cannot take it, its dead-letter queue gets it.
package sns

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"hl7lake/local/fault"
	"hl7lake/local/wire"
)

// MaxMessage is how many bytes a message may have, including its attributes
// (https://docs.aws.amazon.com/general/latest/gr/sns.html).
const MaxMessage = 262_144

// namespace is that of SNS's answers.
const namespace = "http://sns.amazonaws.com/doc/2010-03-31/"

// Topic is what a template says about a topic; the fields are those of AWS::SNS::Topic.
// FifoTopic is refused.
type Topic struct {
	TopicName string
	FifoTopic bool
}

// Subscription is what a template says about a subscription; the fields are those of
// AWS::SNS::Subscription.
type Subscription struct {
	TopicArn           string
	Protocol           string // lambda or sqs
	Endpoint           string // ARN
	FilterPolicy       json.RawMessage
	FilterPolicyScope  string // MessageAttributes, or empty, which means the same
	RawMessageDelivery bool
	RedrivePolicy      struct {
		DeadLetterTargetArn string `json:"deadLetterTargetArn"`
	}
	SubscriptionArn string `json:"-"` // the resource's physical id
}

// UnmarshalJSON refuses the properties that are neither run nor ignored by name.
func (t *Topic) UnmarshalJSON(text []byte) error {
	type properties Topic
	return wire.Properties(text, (*properties)(t), t.Ignored())
}

// Ignored are the properties that are not run here, and why not.
func (*Topic) Ignored() wire.Ignored {
	return wire.Ignored{
		"KmsMasterKeyId": "messages are not encrypted here",
		"TracingConfig":  "nothing is traced here",
	}
}

// UnmarshalJSON refuses the properties that are neither run nor ignored by name.
func (s *Subscription) UnmarshalJSON(text []byte) error {
	type properties Subscription
	return wire.Properties(text, (*properties)(s))
}

// Subscribers take what a topic delivers. Each returns once it has the message durably.
type Subscribers struct {
	// Function takes an event for a function, by its ARN.
	Function func(ctx context.Context, functionARN string, payload []byte) error
	// Queue takes a message for a queue, by its ARN.
	Queue func(ctx context.Context, queueARN, body string, attributes map[string]string) error
	// Faults make deliveries to functions fail; nil: none.
	Faults *fault.Injector
}

// Service is a set of topics.
type Service struct {
	http.Handler
	authorize   wire.Authorize
	subscribers Subscribers
	published   Published

	mu     sync.RWMutex
	topics map[string][]subscription // by the topic's ARN
}

type subscription struct {
	Subscription
	filter filter
}

// Attribute is a message attribute.
type Attribute struct {
	DataType string // String, Number, String.Array, Binary
	Value    string // a Binary is in base64
}

// Message is what is published.
type Message struct {
	TopicARN   string
	Subject    string // may be empty
	Body       string
	Attributes map[string]Attribute
}

// Published is called for each published message: with its size in bytes, including its
// attributes, and the number of subscriptions to which it went.
type Published func(ctx context.Context, size, deliveries int)

// Option changes how a Service works.
type Option func(*Service)

// WithPublished makes the service report what is published.
func WithPublished(published Published) Option { return func(s *Service) { s.published = published } }

// New returns a service without topics.
func New(authorize wire.Authorize, subscribers Subscribers, options ...Option) *Service {
	s := &Service{
		authorize: authorize, subscribers: subscribers, topics: map[string][]subscription{},
		published: func(context.Context, int, int) {},
	}
	for _, option := range options {
		option(s)
	}
	s.Handler = wire.Query(namespace, map[string]wire.QueryOperation{
		"Publish":                  s.servePublish,
		"ListTopics":               s.serveListTopics,
		"ListSubscriptionsByTopic": s.serveListSubscriptionsByTopic,
		"ListSubscriptions":        s.serveListSubscriptions,
	})
	return s
}

// AddTopic makes a topic known by its ARN.
func (s *Service) AddTopic(topicARN string, t Topic) error {
	if t.FifoTopic {
		return wire.Unsupported("AWS::SNS::Topic FifoTopic")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.topics[topicARN]; !known {
		s.topics[topicARN] = nil
	}
	return nil
}

// Subscribe adds a subscription to a topic that was added before.
func (s *Service) Subscribe(sub Subscription) error {
	switch {
	case sub.Protocol != "lambda" && sub.Protocol != "sqs":
		return wire.Unsupported("AWS::SNS::Subscription Protocol " + sub.Protocol)
	case sub.FilterPolicyScope != "" && sub.FilterPolicyScope != "MessageAttributes":
		return wire.Unsupported("AWS::SNS::Subscription FilterPolicyScope " + sub.FilterPolicyScope)
	}
	filter, err := parseFilter(sub.FilterPolicy)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.topics[sub.TopicArn]; !known {
		return notFound()
	}
	s.topics[sub.TopicArn] = append(s.topics[sub.TopicArn], subscription{sub, filter})
	return nil
}

func notFound() error {
	return &wire.Error{Status: http.StatusNotFound, Code: "NotFound", Message: "Topic does not exist"}
}

// Publish delivers a message to every subscription whose filter lets it pass
// and returns its id.
func (s *Service) Publish(ctx context.Context, m Message) (id string, err error) {
	if err := s.authorize(ctx, "sns:Publish", m.TopicARN, nil); err != nil {
		return "", err
	}
	if err := m.check(); err != nil {
		return "", err
	}
	s.mu.RLock()
	subscriptions, known := s.topics[m.TopicARN]
	s.mu.RUnlock()
	if !known {
		return "", notFound()
	}
	id = uuid.NewString()
	deliveries := 0
	defer func() { s.published(ctx, m.size(), deliveries) }()
	onBehalf := wire.WithSource(ctx, "sns.amazonaws.com", m.TopicARN)
	var errs []error
	for _, err := range s.deliverAll(onBehalf, subscriptions, m, id) {
		if err == nil {
			deliveries++
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	return id, nil
}

// deliverAll delivers to all subscriptions at once, so that they wait for the disk
// together. It returns how each delivery ended.
func (s *Service) deliverAll(ctx context.Context, subscriptions []subscription, m Message, id string) []error {
	var passing []subscription
	for _, sub := range subscriptions {
		if sub.filter.passes(m.Attributes) {
			passing = append(passing, sub)
		}
	}
	errs := make([]error, len(passing))
	var delivering sync.WaitGroup
	for i, sub := range passing {
		delivering.Go(func() { errs[i] = s.deliver(ctx, sub.Subscription, m, id) })
	}
	delivering.Wait()
	return errs
}

// check refuses what SNS refuses
// (https://docs.aws.amazon.com/sns/latest/api/API_Publish.html).
func (m Message) check() error {
	for name, a := range m.Attributes {
		if err := a.check(name); err != nil {
			return err
		}
	}
	switch {
	case m.Body == "":
		return wire.Errorf("InvalidParameter", "Invalid parameter: Empty message")
	case m.size() > MaxMessage:
		return wire.Errorf("InvalidParameter", "Invalid parameter: Message too long")
	case !validSubject(m.Subject):
		return wire.Errorf("InvalidParameter", "Invalid parameter: Subject")
	}
	return nil
}

// size is the size of the message in bytes, with its attributes.
func (m Message) size() int {
	size := len(m.Body)
	for name, a := range m.Attributes {
		size += len(name) + len(a.DataType) + len(a.Value)
	}
	return size
}

// check refuses an attribute without a value, of no known type, or of a number type
// without a number
// (https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html).
func (a Attribute) check(name string) error {
	kind, _, _ := strings.Cut(a.DataType, ".")
	_, notNumber := strconv.ParseFloat(a.Value, 64)
	switch {
	case !slices.Contains([]string{"String", "Number", "Binary"}, kind):
		return wire.Errorf("ParameterValueInvalid", "The message attribute '%s' has an invalid message attribute type, "+
			"the set of supported type prefixes is Binary, Number, and String.", name)
	case a.Value == "":
		return wire.Errorf("ParameterValueInvalid", "The message attribute '%s' must contain non-empty message attribute value.", name)
	case kind == "Number" && notNumber != nil:
		return wire.Errorf("ParameterValueInvalid", "Could not cast message attribute '%s' value to number.", name)
	}
	return nil
}

// validSubject reports whether a subject is ASCII of at most 100 characters without
// control characters. An empty one means none.
func validSubject(subject string) bool {
	control := func(r rune) bool { return r < ' ' || r > '~' }
	return len(subject) <= 100 && !strings.ContainsFunc(subject, control) && !strings.HasPrefix(subject, " ")
}

// deliver gives the message to one subscriber or, if that fails, to the subscription's
// dead-letter queue.
func (s *Service) deliver(ctx context.Context, sub Subscription, m Message, id string) error {
	err := s.handOver(ctx, sub, m, id)
	if err == nil || sub.RedrivePolicy.DeadLetterTargetArn == "" {
		return err
	}
	body, marshalErr := json.Marshal(notification(m, id))
	if marshalErr != nil {
		return marshalErr
	}
	return s.subscribers.Queue(ctx, sub.RedrivePolicy.DeadLetterTargetArn, string(body), map[string]string{
		"ErrorCode": wire.AsError(err).Code, "RequestID": id,
	})
}

func (s *Service) handOver(ctx context.Context, sub Subscription, m Message, id string) error {
	if sub.Protocol == "lambda" {
		payload, err := json.Marshal(map[string]any{"Records": []any{map[string]any{
			"EventSource":          "aws:sns",
			"EventVersion":         "1.0",
			"EventSubscriptionArn": sub.SubscriptionArn,
			"Sns":                  notification(m, id),
		}}})
		if err != nil {
			return err
		}
		return s.notify(ctx, sub.Endpoint, payload)
	}
	if sub.RawMessageDelivery {
		values := make(map[string]string, len(m.Attributes))
		for name, a := range m.Attributes {
			if a.DataType != "String" {
				return wire.Unsupported("raw delivery of a message attribute of type " + a.DataType)
			}
			values[name] = a.Value
		}
		return s.subscribers.Queue(ctx, sub.Endpoint, m.Body, values)
	}
	body, err := json.Marshal(notification(m, id))
	if err != nil {
		return err
	}
	return s.subscribers.Queue(ctx, sub.Endpoint, string(body), nil)
}

// notifyTries is how often SNS tries a function without a pause. The tries that it
// spreads over the following weeks are not made here
// (https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html).
const notifyTries = 3

// notify gives a message to a function, and tries again if that fails.
func (s *Service) notify(ctx context.Context, functionARN string, payload []byte) (err error) {
	for try := 1; try <= notifyTries; try++ {
		if err = s.tryNotify(ctx, functionARN, payload, try); err == nil {
			return nil
		}
	}
	return err
}

func (s *Service) tryNotify(ctx context.Context, functionARN string, payload []byte, try int) error {
	function := functionARN[strings.LastIndexByte(functionARN, ':')+1:]
	struck := s.subscribers.Faults.At(fault.Point{Function: function, Call: fault.Notification, Attempt: try, Payload: payload})
	unavailable := &wire.Error{Status: http.StatusInternalServerError, Code: "ServiceException", Message: "a fault of the test's plan"}
	switch struck.Kind {
	case fault.Fail, fault.Throttle:
		return unavailable
	case fault.Lose:
		if err := s.subscribers.Function(ctx, functionARN, payload); err != nil {
			return err
		}
		return unavailable
	case fault.Repeat:
		if err := s.subscribers.Function(ctx, functionARN, payload); err != nil {
			return err
		}
	}
	return s.subscribers.Function(ctx, functionARN, payload)
}

// notification is the form in which a subscriber sees a message
// (https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html). It is not signed here.
func notification(m Message, id string) map[string]any {
	attributes := make(map[string]any, len(m.Attributes))
	for name, a := range m.Attributes {
		attributes[name] = map[string]string{"Type": a.DataType, "Value": a.Value}
	}
	n := map[string]any{
		"Type": "Notification", "MessageId": id, "TopicArn": m.TopicARN, "Message": m.Body,
		"Timestamp":         time.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		"MessageAttributes": attributes,
		"SignatureVersion":  "1", "Signature": "", "SigningCertUrl": "", "UnsubscribeUrl": "",
	}
	if m.Subject != "" {
		n["Subject"] = m.Subject
	}
	return n
}
