package sqs

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"hl7lake/local/wire"
)

// Attribute is a message attribute, as in the protocol.
type Attribute struct {
	DataType    string // String, Number, Binary, or one of them with .something
	StringValue string `json:",omitempty"`
	BinaryValue []byte `json:",omitempty"`
}

// message is a message as stored.
type message struct {
	ID            string
	Body          string
	Attributes    map[string]Attribute
	Group         string // MessageGroupId; empty for none
	Sender        string
	Sent          time.Time
	FirstReceived time.Time
	Receives      int       // how often it was received
	Visible       time.Time // from when it can be received
	DeadLetterOf  string    // ARN of the queue that it was moved from

	key      uint64    // in the store
	home     *schedule // the heap of the queue that it is in; nil when it is gone
	index    int       // in that heap
	inFlight bool      // received, and hidden since
}

// size is what counts against MaximumMessageSize, in bytes.
func (m *message) size() int {
	size := len(m.Body)
	for name, attribute := range m.Attributes {
		size += len(name) + len(attribute.DataType) + len(attribute.StringValue) + len(attribute.BinaryValue)
	}
	return size
}

// check refuses what SQS refuses
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html).
func (m *message) check(limit int) error {
	if m.Body == "" {
		return wire.Errorf("MissingParameter", "The request must contain the parameter MessageBody.")
	}
	if len(m.Attributes) > 10 {
		return invalid("Number of message attributes [%d] exceeds the allowed maximum [10].", len(m.Attributes))
	}
	if m.size() > limit {
		return invalid("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", limit)
	}
	if strings.ContainsFunc(m.Body, forbidden) {
		return wire.Errorf("InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | "+
			"#x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF")
	}
	if !groupPattern.MatchString(m.Group) {
		return invalid("Value for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.")
	}
	for name, attribute := range m.Attributes {
		kind, _, _ := strings.Cut(attribute.DataType, ".")
		if !slices.Contains([]string{"String", "Number", "Binary"}, kind) {
			return invalid("The type of message (user) attribute '%s' is invalid. You must use only the following supported type prefixes: Binary, Number, String.", name)
		}
		if attribute.StringValue == "" && len(attribute.BinaryValue) == 0 {
			return invalid("Message (user) attribute '%s' must contain a non-empty value of type '%s'.", name, kind)
		}
	}
	return nil
}

// groupPattern is the form of a MessageGroupId, or none.
var groupPattern = regexp.MustCompile(`^[!-~]{0,128}$`)

// forbidden characters are those that XML 1.0 does not allow.
func forbidden(r rune) bool {
	return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}

func invalid(format string, args ...any) error {
	return wire.Errorf("InvalidParameterValue", format, args...)
}

func hashText(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// hashAttributes returns the digest that SDKs check
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html).
// It is empty if there are no attributes.
func hashAttributes(attributes map[string]Attribute) string {
	if len(attributes) == 0 {
		return ""
	}
	hash := md5.New()
	part := func(text []byte) {
		var length [4]byte
		binary.BigEndian.PutUint32(length[:], uint32(len(text)))
		hash.Write(length[:])
		hash.Write(text)
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		attribute := attributes[name]
		part([]byte(name))
		part([]byte(attribute.DataType))
		if strings.HasPrefix(attribute.DataType, "Binary") {
			hash.Write([]byte{2})
			part(attribute.BinaryValue)
			continue
		}
		hash.Write([]byte{1})
		part([]byte(attribute.StringValue))
	}
	return hex.EncodeToString(hash.Sum(nil))
}
