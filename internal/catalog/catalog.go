// Package catalog is the catalog table and the names of the lake's objects: what the
// writer records about each object, and the readers find again.
package catalog

import (
	"strconv"
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
	Staging   Zone = contract.ZoneStaging   // the messages' JSON
	Failed    Zone = contract.ZoneError     // messages without JSON
)

// ZoneOf returns the zone in which an event's body is stored.
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

// Entry is one item of the catalog: one object of the lake. It holds no content, and no
// hash of a single value, which could be guessed by trying.
type Entry struct {
	Root   string `dynamodbav:"root"` // partition key
	Sort   string `dynamodbav:"sk"`   // sort key: <zone>#<id>
	Zone   Zone   `dynamodbav:"zone"`
	ID     string `dynamodbav:"id"`
	Parent string `dynamodbav:"parent,omitempty"`
	Owner  string `dynamodbav:"owner"` // partition key of the index by-owner
	// Received is the index's sort key, in hub.TimeLayout. Only errors have it, because a
	// place in the index costs as much as the entry. Messages are listed by their keys in
	// the lake, see FirstKey, and every root contains the time, see hub.Received.
	Received string `dynamodbav:"received,omitempty"`
	Written  string `dynamodbav:"written"` // hub.TimeLayout
	Type     string `dynamodbav:"type"`
	Charset  string `dynamodbav:"charset,omitempty"`
	// Connector and Version say who made a derived event. An entry from before decision
	// 11 has Parser instead, the version of the only connector at that time: see
	// [Entry.By].
	Connector string `dynamodbav:"connector,omitempty"`
	Version   int    `dynamodbav:"version,omitempty"`
	Parser    string `dynamodbav:"parser,omitempty"`
	ReadIn    string `dynamodbav:"read_in,omitempty"` // the charset that an operator chose

	Bucket    string `dynamodbav:"bucket"`
	Key       string `dynamodbav:"key"`
	VersionID string `dynamodbav:"version_id,omitempty"`
	SHA256    string `dynamodbav:"sha256"` // hex
	Size      int64  `dynamodbav:"size"`   // bytes

	Attempts int `dynamodbav:"attempts,omitempty"` // how many times the writer was asked to write it

	ReasonCode    string `dynamodbav:"reason_code,omitempty"` // hub.Reason, of errors
	ReasonSegment int    `dynamodbav:"reason_segment,omitempty"`
	ReasonPath    string `dynamodbav:"reason_path,omitempty"`
	ReasonOffset  *int   `dynamodbav:"reason_offset,omitempty"` // nil except for errors; 0 is an offset

	// Forgotten is when the object was deleted on purpose, in hub.TimeLayout, and
	// ForgottenReason the code of the reason. Both are empty for an object that nobody
	// has deleted. It may not exist nevertheless, because objects expire.
	Forgotten       string `dynamodbav:"forgotten,omitempty"`
	ForgottenReason string `dynamodbav:"forgotten_reason,omitempty"`
}

// NewEntry returns the item for an event whose body is, or will be, the object key in
// bucket. The caller adds what S3 says about the object.
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
		Bucket:  bucket,
		Key:     KeyOf(e).String(),

		Connector: e.Connector.Name,
		Version:   e.Connector.Version,
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

// Kind returns what the object of the entry is, which its key contains. The result is
// invalid if the key is not one of the writer's.
func (e Entry) Kind() hub.Kind {
	key, _ := ParseKey(e.Key)
	if e.Connector == "" && e.Zone == Failed {
		return hub.ER7 // formerly stored as txt
	}
	return key.Kind
}

// By returns the connector that made the object of the entry; zero for a message as it
// was sent.
func (e Entry) By() hub.Connector {
	if e.Connector == "" && e.Parser != "" {
		version, _ := strconv.Atoi(e.Parser)
		return hub.Connector{Name: contract.ConnectorER7, Version: version}
	}
	return hub.Connector{Name: e.Connector, Version: e.Version}
}
