// Package hub is the functions' side of the hub topic: what an event is, how it
// looks on the wire, and how a body that is too large for the topic or for a
// Step Functions state travels as a claim check without a handler noticing.
//
// The attributes of an event are the only coupling between the stacks. Nothing
// in an attribute, a subject or a key is ever taken from a message's content,
// apart from the message type.
package hub

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"time"

	"github.com/google/uuid"
)

// Protocol is the value of every event's `protocol` attribute.
const Protocol = "hl7v2"

// ParserVersion says which parser made a derived event. Raise it when the JSON
// of an unchanged message changes: its id is part of the derived id, so a new
// parser's result is stored beside the old one and never over it.
const ParserVersion = "2"

// UnknownType is the `type` of a message without a usable MSH-9.
const UnknownType = "unknown"

// Name says what happened; it is the `event` attribute.
type Name string

// The events of the lake.
const (
	Ingested Name = "ingested" // a sender's message was accepted
	Staged   Name = "staged"   // its JSON was made
	Error    Name = "error"    // its JSON could not be made
)

// Format says what an event's body is; it is the `format` attribute and the
// extension of the object in the lake.
type Format string

// The formats of a body. An error's body is the original ER7 under the name
// txt, since the trigger's filter would stage an er7 again.
const (
	ER7  Format = "er7"
	JSON Format = "json"
	TXT  Format = "txt"
)

// Event is one event of the hub, with its body in hand.
type Event struct {
	Name    Name
	Format  Format
	ID      uuid.UUID
	Root    uuid.UUID // the ingested message's id; equals ID for Ingested
	Parent  uuid.UUID // the event that this one was made from; zero for Ingested
	Owner   string    // the institution that may read it
	Type    string    // MSH-9 as ADT^A01, or UnknownType
	Charset string    // as the sender declared it; empty when nothing was declared
	ReadIn  string    // the charset that an operator decided on, whatever is declared; empty where nobody did
	Parser  string    // the parser's version; empty for Ingested
	Reason  Reason    // why staging failed; zero unless Error
	Raw     string    // hex SHA-256 of the ingested bytes, where the body is no longer these; only between the states of the workflow
	Body    []byte
}

// NewID returns the id of a message that is accepted now: a UUIDv7, so that the
// id itself tells the received time.
func NewID() (uuid.UUID, error) { return uuid.NewV7() }

// BodyHash is the hex SHA-256 of the body, as Raw has it of the ingested one.
func (e Event) BodyHash() string {
	sum := sha256.Sum256(e.Body)
	return hex.EncodeToString(sum[:])
}

// Received is the time at which the message root was accepted, in UTC with
// millisecond precision (RFC 9562, 5.7).
func Received(root uuid.UUID) time.Time {
	sec, nsec := root.Time().UnixTime()
	return time.Unix(sec, nsec).UTC().Truncate(time.Millisecond)
}

// IDAt is how an id begins that is made at the given time. It sorts before every
// id that is made then or later, and after every earlier one: a UUIDv7 begins with
// its milliseconds (RFC 9562, 5.7).
func IDAt(at time.Time) string {
	ms := max(at.UnixMilli(), 0)
	return fmt.Sprintf("%08x-%04x", ms>>16, ms&0xffff)
}

// TimeLayout writes a time as RFC 3339 with milliseconds, so that text order is
// time order in the catalog's index.
const TimeLayout = "2006-01-02T15:04:05.000Z07:00"

// Derive makes the event that follows from parent: same message, new name and
// format, and an id that a redelivery of parent repeats (UUIDv5 of the parent's
// id, RFC 9562, 5.5), also where an operator has it read in the same charset as before.
// The body, and an error's reason, are the caller's to set.
func Derive(parent Event, name Name, format Format) Event {
	child := parent
	child.Name = name
	child.Format = format
	child.Parent = parent.ID
	child.Parser = ParserVersion
	seed := string(name) + "/" + string(format) + "/" + ParserVersion
	if parent.ReadIn != "" {
		seed += "/" + parent.ReadIn
	}
	child.ID = uuid.NewSHA1(parent.ID, []byte(seed))
	child.Raw = ""
	child.Body = nil
	return child
}

// ValidOwner reports whether name can be an institution's: it becomes part of
// object keys, so it is short and plain.
func ValidOwner(name string) bool { return ownerPattern.MatchString(name) }

var (
	ownerPattern   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	typePattern    = regexp.MustCompile(`^[A-Z0-9]{3}(\^[A-Z0-9]{3})?$`)
	charsetPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:()+-]{0,39}$`)
)

// Type returns text if it is shaped like a message type (HL7 v2.5.1, 2.16.9:
// code and trigger event, three characters each), else UnknownType. What a
// broken message holds in its ninth field must not become an attribute.
func Type(text string) string {
	if typePattern.MatchString(text) {
		return text
	}
	return UnknownType
}

// ValidCharset reports whether name is shaped like the name of a charset
// (RFC 2978, 2.3: at most 40 printable characters).
func ValidCharset(name string) bool { return charsetPattern.MatchString(name) }

// check reports the first attribute that no publisher of ours would send.
func (e Event) check() error {
	switch {
	case e.Name != Ingested && e.Name != Staged && e.Name != Error:
		return &AttributeError{Name: "event"}
	case e.Format != ER7 && e.Format != JSON && e.Format != TXT:
		return &AttributeError{Name: "format"}
	case e.ID == uuid.Nil:
		return &AttributeError{Name: "id"}
	case e.Root.Version() != 7:
		return &AttributeError{Name: "root"}
	case !ValidOwner(e.Owner):
		return &AttributeError{Name: "owner"}
	case e.Type != UnknownType && Type(e.Type) != e.Type:
		return &AttributeError{Name: "type"}
	case e.Charset != "" && !ValidCharset(e.Charset):
		return &AttributeError{Name: "charset"}
	case e.ReadIn != "" && !ValidCharset(e.ReadIn):
		return &AttributeError{Name: "read-in"}
	}
	return nil
}

// AttributeError names an attribute that is absent or not of its form. It does
// not repeat the value.
type AttributeError struct {
	Name string
}

func (e *AttributeError) Error() string {
	return fmt.Sprintf("hub: attribute %s is absent or malformed", e.Name)
}
