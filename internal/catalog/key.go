package catalog

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"hl7lake/internal/hub"
)

// Key is the name of an object of the lake, in its parts. Its text form is
// <zone>/protocol=<protocol>/source=<owner>/date=<YYYY-MM-DD>/<id>.<format>. The folders
// are Hive-style partitions. The date is the root's, so that a redelivery writes the same
// key.
type Key struct {
	Zone  Zone
	Kind  hub.Kind
	Owner string
	Date  string // time.DateOnly, in UTC
	ID    uuid.UUID
}

// KeyOf returns the key of the event's body.
func KeyOf(e hub.Event) Key {
	return Key{Zone: ZoneOf(e.Name), Kind: e.Kind, Owner: e.Owner, Date: hub.Received(e.Root).Format(time.DateOnly), ID: e.ID}
}

// String returns the text form.
func (k Key) String() string {
	return SourcePrefix(k.Zone, k.Kind.Protocol(), k.Owner) + "date=" + k.Date + "/" + k.ID.String() + "." + k.Kind.Format()
}

// ParseKey reads the text form. It reports false if the text is not a key of the
// writer's.
func ParseKey(text string) (Key, bool) {
	parts := strings.Split(text, "/")
	if len(parts) != 5 {
		return Key{}, false
	}
	name, format, _ := strings.Cut(parts[4], ".")
	id, err := uuid.Parse(name)
	k := Key{
		Zone:  Zone(parts[0]),
		Kind:  hub.KindOf(strings.TrimPrefix(parts[1], "protocol="), format),
		Owner: strings.TrimPrefix(parts[2], "source="),
		Date:  strings.TrimPrefix(parts[3], "date="),
		ID:    id,
	}
	return k, err == nil && k.Kind.Valid() && hub.ValidOwner(k.Owner) && k.String() == text
}

// FirstKey returns a text that sorts before the keys in a zone of all messages of a
// protocol that owner sent from a time on, and of what was made of them, and after those
// of earlier ones. All ids begin with the time of acceptance, see hub.Received.
func FirstKey(zone Zone, protocol, owner string, from time.Time) string {
	return SourcePrefix(zone, protocol, owner) + "date=" + from.UTC().Format(time.DateOnly) + "/" + hub.IDAt(from)
}

// ProtocolsPrefix returns the beginning of all keys of a zone; the protocol's name
// follows, up to the next slash.
func ProtocolsPrefix(zone Zone) string { return string(zone) + "/protocol=" }

// OwnersPrefix returns the beginning of the keys of a zone and protocol; the owner's name
// follows, up to the next slash.
func OwnersPrefix(zone Zone, protocol string) string {
	return ProtocolsPrefix(zone) + protocol + "/source="
}

// SourcePrefix returns the beginning of the keys of a zone, protocol and owner.
func SourcePrefix(zone Zone, protocol, owner string) string {
	return OwnersPrefix(zone, protocol) + owner + "/"
}
