// Package hub is the functions' side of the hub topic: what an event is, how it looks on
// the wire, and how a body that is too large for the topic or for a Step Functions state
// travels as a claim check without a handler noticing.
//
// The attributes of an event are the only coupling between the stacks. Nothing in an
// attribute, a subject or a key is ever taken from a message's content, except the
// message type.
package hub

import (
	"crypto/sha1" // RFC 9562, 5.5, wants it; nothing is secret here
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"hl7lake/internal/contract"
)

// UnknownType is the `type` of an event whose message has no known type.
const UnknownType = "unknown"

// Name says what happened; it is the `event` attribute.
type Name string

// The events of the lake.
const (
	Ingested  Name = contract.EventIngested  // a sender's message was accepted
	Staged    Name = contract.EventStaged    // a connector made something of it
	Error     Name = contract.EventError     // a connector could not process it; the body is unchanged
	Forgotten Name = contract.EventForgotten // its content was deleted on purpose; the body is the code of the reason
)

// Event is one event of the hub, with its body in hand.
type Event struct {
	Name      Name
	Kind      Kind // of the body
	ID        uuid.UUID
	Root      uuid.UUID // the ingested message's id; equals ID for Ingested
	Parent    uuid.UUID // the event that this one was made from; zero for Ingested
	Connector Connector // the connector that made it; zero for Ingested and Forgotten
	Owner     string    // the institution that may read it
	Type      string    // of the message, such as ADT^A01 from MSH-9, or UnknownType
	Charset   string    // as the sender of the message declared it; empty if nothing was declared
	ReadIn    string    // the charset that an operator chose, whatever is declared; empty if nobody did
	Reason    Reason    // why it failed; zero unless Error
	Raw       string    // hex SHA-256 of the ingested bytes, if the body is no longer these; only between the states of a workflow
	Body      []byte
}

// NewID returns the id of a message that is accepted now. It is a UUIDv7, so it contains
// the time of acceptance.
func NewID() (uuid.UUID, error) { return uuid.NewV7() }

// BodyHash returns the hex SHA-256 of the body, in the form of Raw.
func (e Event) BodyHash() string {
	sum := sha256.Sum256(e.Body)
	return hex.EncodeToString(sum[:])
}

// Received returns the time at which a message was accepted, in UTC with millisecond
// precision. Both its own id and every id derived from it contain that time (RFC 9562,
// 5.7).
func Received(id uuid.UUID) time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(id[:8]) >> 16)).UTC()
}

// Derived reports whether id belongs to a derived event.
func Derived(id uuid.UUID) bool { return id.Version() == 8 }

// IDAt returns the beginning of an id that is made at the given time. It sorts before
// every id that is made then or later, and after every earlier one, because a UUIDv7
// begins with its milliseconds (RFC 9562, 5.7).
func IDAt(at time.Time) string {
	ms := max(at.UnixMilli(), 0)
	return fmt.Sprintf("%08x-%04x", ms>>16, ms&0xffff)
}

// TimeLayout writes a time as RFC 3339 with milliseconds, so that text order is
// time order in the catalog's index.
const TimeLayout = "2006-01-02T15:04:05.000Z07:00"

// Derive returns the event that the connector by publishes about parent: the same
// message, a new name and kind, and an id that a redelivery of parent repeats and that no
// other connector makes. The id is the UUIDv5 of the parent's id (RFC 9562, 5.5) and of
// connector, event, protocol, format and version, joined by slashes, which none of them
// contains; for Forgotten, the connector is zero. If an operator chose a charset, that is
// part of it too. The first 48 bits are
// replaced by the time at which the message was accepted, as in the root, so that a
// derived id leads back to the root. That makes it a UUIDv8 (RFC 9562, 5.8). The caller
// sets the body, and an error's reason.
func Derive(parent Event, by Connector, name Name, kind Kind) Event {
	seed := []string{by.Name, string(name), kind.Protocol(), kind.Format(), strconv.Itoa(by.Version)}
	if parent.ReadIn != "" {
		seed = append(seed, parent.ReadIn)
	}
	child := parent
	child.Name = name
	child.Kind = kind
	child.ID = uuid.NewHash(sha1.New(), parent.ID, []byte(strings.Join(seed, "/")), 8)
	copy(child.ID[:6], parent.Root[:6])
	child.Parent = parent.ID
	child.Connector = by
	child.Reason = Reason{}
	child.Raw = ""
	child.Body = nil
	return child
}

// ValidOwner reports whether name can be an institution's. It becomes part of object
// keys, so it is short and plain.
func ValidOwner(name string) bool { return ownerPattern.MatchString(name) }

var (
	ownerPattern   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	typePattern    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9^._-]{0,31}$`)
	charsetPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:()+-]{0,31}$`)
	readInPattern  = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,19}$`)
)

// ValidCharset reports whether name is shaped like the name of a charset (RFC 2978, 2.3).
// It may have 32 characters, so that it fits into a subject. Only two of IANA's charset
// names are longer.
func ValidCharset(name string) bool { return charsetPattern.MatchString(name) }

// made reports whether a connector made the event.
func (e Event) made() bool { return e.Name == Staged || e.Name == Error }

// check reports the first attribute that no publisher may send.
func (e Event) check() error {
	switch {
	case e.Name != Ingested && e.Name != Forgotten && !e.made():
		return &AttributeError{Name: "event"}
	case !validName(e.Kind.Protocol()):
		return &AttributeError{Name: "protocol"}
	case !validName(e.Kind.Format()):
		return &AttributeError{Name: "format"}
	case e.ID == uuid.Nil:
		return &AttributeError{Name: "id"}
	case e.Root.Version() != 7:
		return &AttributeError{Name: "root"}
	case e.Name != Ingested && e.Parent == uuid.Nil:
		return &AttributeError{Name: "source"}
	case !e.made() && e.Connector != Connector{}, e.made() && !e.Connector.Valid():
		return &AttributeError{Name: "connector"}
	case !ValidOwner(e.Owner):
		return &AttributeError{Name: "owner"}
	case !typePattern.MatchString(e.Type):
		return &AttributeError{Name: "type"}
	case e.Charset != "" && !ValidCharset(e.Charset):
		return &AttributeError{Name: "charset"}
	case e.ReadIn != "" && !readInPattern.MatchString(e.ReadIn):
		return &AttributeError{Name: "read-in"}
	}
	return nil
}

// AttributeError names an attribute that is absent or malformed. It does not repeat the
// value.
type AttributeError struct {
	Name string
}

func (e *AttributeError) Error() string {
	return fmt.Sprintf("hub: attribute %s is absent or malformed", e.Name)
}
