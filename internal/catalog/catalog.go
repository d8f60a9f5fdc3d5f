// Package catalog is the catalog table and the names of the lake's objects:
// what the writer records of each object and the readers find again.
package catalog

import (
	"time"

	"github.com/google/uuid"

	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
)

// Zone is a part of the lake, the first folder of a key.
type Zone string

// The zones of the lake.
const (
	Ingestion Zone = contract.ZoneIngestion // messages as they were sent
	Staging   Zone = contract.ZoneStaging   // their JSON
	Failed    Zone = contract.ZoneError     // messages that have no JSON
)

// ZoneOf is the zone in which an event's body is filed.
func ZoneOf(name hub.Name) Zone {
	switch name {
	case hub.Staged:
		return Staging
	case hub.Error:
		return Failed
	default:
		return Ingestion
	}
}

// ObjectKey is the key of an event's body in the lake. Its folders are
// Hive-style partitions, and the date is that of the root, so that a redelivery
// writes the same key.
func ObjectKey(zone Zone, owner string, root, id uuid.UUID, format hub.Format) string {
	return dayPrefix(zone, owner, hub.Received(root)) + id.String() + "." + string(format)
}

// FirstKey sorts before the keys of all that owner sent from a time on, and after
// those of what came earlier. It is of use in the zone Ingestion, where ids are
// roots: elsewhere only the date is in order.
func FirstKey(zone Zone, owner string, from time.Time) string {
	return dayPrefix(zone, owner, from.UTC()) + hub.IDAt(from)
}

// dayPrefix is how the keys of a zone and owner begin that are of a day.
func dayPrefix(zone Zone, owner string, day time.Time) string {
	return OwnersPrefix(zone) + owner + "/date=" + day.Format(time.DateOnly) + "/"
}

// OwnersPrefix is how all keys of a zone begin; the owner's name follows, up to
// the next slash.
func OwnersPrefix(zone Zone) string {
	return string(zone) + "/protocol=" + hub.Protocol + "/source="
}

// Entry is one item of the catalog: one object of the lake. The item holds no
// content, and no hash of a single value, which would be guessed by trying.
type Entry struct {
	Root   string `dynamodbav:"root"` // partition key
	Sort   string `dynamodbav:"sk"`   // sort key: <zone>#<id>
	Zone   Zone   `dynamodbav:"zone"`
	ID     string `dynamodbav:"id"`
	Parent string `dynamodbav:"parent,omitempty"`
	Owner  string `dynamodbav:"owner"` // partition key of the index by-owner
	// Received is the index's sort key, in hub.TimeLayout, of errors only: a place
	// in the index costs as much as the entry. Messages are listed by their keys in
	// the lake, see FirstKey, and every root tells the time, see hub.Received.
	Received string `dynamodbav:"received,omitempty"`
	Written  string `dynamodbav:"written"` // hub.TimeLayout
	Type     string `dynamodbav:"type"`
	Charset  string `dynamodbav:"charset,omitempty"`
	Parser   string `dynamodbav:"parser,omitempty"`
	ReadIn   string `dynamodbav:"read_in,omitempty"` // the charset that an operator decided on

	Bucket    string `dynamodbav:"bucket"`
	Key       string `dynamodbav:"key"`
	VersionID string `dynamodbav:"version_id,omitempty"`
	SHA256    string `dynamodbav:"sha256"` // hex
	Size      int64  `dynamodbav:"size"`   // bytes

	Attempts int `dynamodbav:"attempts,omitempty"` // how often the writer was told

	ReasonCode    string `dynamodbav:"reason_code,omitempty"` // hub.Reason, of errors
	ReasonSegment int    `dynamodbav:"reason_segment,omitempty"`
	ReasonPath    string `dynamodbav:"reason_path,omitempty"`
	ReasonOffset  *int   `dynamodbav:"reason_offset,omitempty"` // nil but for errors; 0 is an offset

	// Forgotten is when the object was deleted on purpose, in hub.TimeLayout, and
	// ForgottenReason the code of why. Both are empty of one that nobody has deleted,
	// which need not be there: objects expire.
	Forgotten       string `dynamodbav:"forgotten,omitempty"`
	ForgottenReason string `dynamodbav:"forgotten_reason,omitempty"`
}

// NewEntry is the item for an event whose body is, or is about to be, the
// object key in bucket. What S3 says of the object is the caller's to add.
func NewEntry(e hub.Event, bucket string, now time.Time) Entry {
	zone := ZoneOf(e.Name)
	entry := Entry{
		Root:    e.Root.String(),
		Sort:    string(zone) + "#" + e.ID.String(),
		Zone:    zone,
		ID:      e.ID.String(),
		Owner:   e.Owner,
		Written: now.UTC().Format(hub.TimeLayout),
		Type:    e.Type,
		Charset: e.Charset,
		Parser:  e.Parser,
		Bucket:  bucket,
		Key:     ObjectKey(zone, e.Owner, e.Root, e.ID, e.Format),
	}
	if e.Parent != uuid.Nil {
		entry.Parent, entry.ReadIn = e.Parent.String(), e.ReadIn
	}
	if e.Name == hub.Error {
		entry.Received = hub.Received(e.Root).Format(hub.TimeLayout)
		entry.ReasonCode = e.Reason.Code
		entry.ReasonSegment = e.Reason.Segment
		entry.ReasonPath = e.Reason.Path
		entry.ReasonOffset = &e.Reason.Offset
	}
	return entry
}

// Ended reports whether a message is at the end of its way, by all of its entries:
// it was filed as it was sent, and so was its JSON or the record of its error.
func Ended(entries []Entry) bool {
	var sent, led bool
	for _, entry := range entries {
		sent = sent || entry.Zone == Ingestion
		led = led || entry.Zone == Staging || entry.Zone == Failed
	}
	return sent && led
}
