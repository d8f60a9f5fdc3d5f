package hub

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"
)

// Wire is an event as it travels: the attributes, subject and body of an SNS message and,
// with the same rules, the input and output of a workflow's state.
type Wire struct {
	Attributes map[string]string `json:"attributes"`
	Subject    string            `json:"subject,omitempty"`
	Body       string            `json:"body"`
	// Tidy says, in the workflow's input, that the body already is what the first state
	// would make of it, so that this state is skipped. It is set nowhere else.
	Tidy bool `json:"tidy,omitempty"`

	Published time.Time `json:"-"` // when the hub took it, according to SNS; zero if not known
}

// The values of the `encoding` attribute: how Body carries the content. Only
// this attribute, which no sender can set, makes a body a reference.
const (
	encodingUTF8       = "utf-8"
	encodingBase64     = "base64"
	encodingClaimCheck = "claim-check"
)

// MaxInline is the size in bytes of an event's JSON form up to which its body travels
// within it: 262,144, the limit of an SNS message and of a Step Functions payload (Amazon
// SNS and AWS Step Functions quotas), minus what Lambda's event and the states' results
// add around it.
const MaxInline = 262_144 - 8_192

// FromSNS returns the event in one record of a function's SNS event, with its body
// unopened.
func FromSNS(record events.SNSEntity) Wire {
	wire := Wire{Attributes: make(map[string]string, len(record.MessageAttributes)), Subject: record.Subject, Body: record.Message, Published: record.Timestamp}
	for name, attribute := range record.MessageAttributes {
		if object, ok := attribute.(map[string]any); ok {
			wire.Attributes[name], _ = object["Value"].(string)
		}
	}
	return wire
}

// Notification returns w in SNS's form, as far as FromSNS reads it.
func (w Wire) Notification() events.SNSEntity {
	attributes := make(map[string]any, len(w.Attributes))
	for name, value := range w.Attributes {
		attributes[name] = map[string]any{"Type": "String", "Value": value}
	}
	return events.SNSEntity{
		Type: "Notification", MessageAttributes: attributes, Subject: w.Subject, Message: w.Body, Timestamp: w.Published,
	}
}

// Each handles every event of a function's batch. It joins the errors, so that Lambda
// delivers the batch again. Handling an event twice must be harmless.
func Each(batch events.SNSEvent, handle func(Wire) error) error {
	var failures []error
	for _, record := range batch.Records {
		if err := handle(FromSNS(record.SNS)); err != nil {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

// inline writes e with its body within the wire form.
func inline(e Event) Wire {
	if carriesAsText(e.Body) {
		return wireOf(e, encodingUTF8, string(e.Body))
	}
	return wireOf(e, encodingBase64, base64.StdEncoding.EncodeToString(e.Body))
}

// wireOf writes e's attributes and subject around body.
func wireOf(e Event, encoding, body string) Wire {
	attributes := map[string]string{
		"event":    string(e.Name),
		"protocol": e.Kind.Protocol(),
		"format":   e.Kind.Format(),
		"encoding": encoding,
		"source":   e.Owner,
		"id":       e.ID.String(),
		"root":     e.Root.String(),
		"owner":    e.Owner,
		"type":     e.Type,
	}
	switch {
	case e.Name != Ingested:
		attributes["source"] = e.Parent.String()
		if e.made() {
			attributes["connector"] = e.Connector.String()
		}
	case e.Charset != "":
		attributes["charset"] = e.Charset
	}
	if e.Raw != "" {
		attributes["sha256"] = e.Raw
	}
	return Wire{Attributes: attributes, Subject: subject(e), Body: body}
}

// maxSubject is the longest subject in bytes (Amazon SNS, Publish).
const maxSubject = 99

// subject holds what nobody subscribes by and has no attribute. An event has at most ten
// attributes, because SNS drops one with more on its way to an SQS queue with raw
// delivery (Amazon SNS, Message attributes). The subject holds the charset of a derived
// event, the charset that an operator chose, and the reason of an error. If the reason's
// path is too long it is left out, and then the rest of the place. Charsets and a
// reason's code always fit.
func subject(e Event) string {
	var words []string
	if e.Name != Ingested && e.Charset != "" {
		words = append(words, "charset="+e.Charset)
	}
	if e.ReadIn != "" {
		words = append(words, "read-in="+e.ReadIn)
	}
	if e.Name == Error {
		room := maxSubject - len(strings.Join(words, " ")) - 1
		words = append(words, e.Reason.within(room))
	}
	return strings.Join(words, " ")
}

// Event reads the attributes and subject of w, and leaves the body unopened. Its error is
// an *AttributeError.
func (w Wire) Event() (Event, error) {
	words := keyValues(w.Subject)
	e := Event{
		Name:    Name(w.Attributes["event"]),
		Kind:    KindOf(w.Attributes["protocol"], w.Attributes["format"]),
		ID:      identity(w.Attributes["id"]),
		Root:    identity(w.Attributes["root"]),
		Owner:   w.Attributes["owner"],
		Type:    w.Attributes["type"],
		Charset: w.Attributes["charset"],
		ReadIn:  words["read-in"],
	}
	if e.Name != Ingested {
		e.Parent = identity(w.Attributes["source"])
		e.Connector = parseConnector(w.Attributes["connector"])
		e.Charset = words["charset"]
	}
	if e.Name == Error {
		e.Reason, _ = ParseReason(w.Subject)
	}
	if hexSHA256.MatchString(w.Attributes["sha256"]) {
		e.Raw = w.Attributes["sha256"]
	}
	return e, e.check()
}

var hexSHA256 = regexp.MustCompile(`^[0-9a-f]{64}$`)

// identity returns the UUID that text writes in its canonical form, or zero.
func identity(text string) uuid.UUID {
	id, err := uuid.Parse(text)
	if err != nil || id.String() != text {
		return uuid.Nil
	}
	return id
}

// JSON returns w as the input of the workflow. Delimiters such as & stay one byte.
func (w Wire) JSON() ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(w)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

// carriesAsText reports whether body passes SNS and SQS unchanged as text: it is UTF-8
// and holds only the characters of XML 1.0, 2.2 (Amazon SQS, SendMessage). MLLP framing,
// for example, does not.
func carriesAsText(body []byte) bool {
	for len(body) > 0 {
		r, n := utf8.DecodeRune(body)
		switch {
		case r == utf8.RuneError && n == 1:
			return false
		case r < ' ' && r != '\t' && r != '\n' && r != '\r':
			return false
		case r == 0xFFFE || r == 0xFFFF:
			return false
		}
		body = body[n:]
	}
	return true
}
