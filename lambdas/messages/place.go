package main

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/google/uuid"

	"hl7lake/internal/catalog"
)

// place is a point in the order of ids: the upper 64 bits of an id. Those of a UUIDv7 are
// its millisecond and a fraction of that (RFC 9562, 5.7), so places are in the order of
// acceptance. No process makes two ids of one place, so far fewer messages share one than
// a listing holds.
type place uint64

// millisecond is the distance of two places that are a millisecond apart.
const millisecond place = 1 << 16

// placeAt returns the place before which all ids were made before the given time, and
// none after.
func placeAt(at time.Time) place { return place(max(at.UnixMilli(), 0)) * millisecond }

// placeOf returns the place of an id.
func placeOf(id uuid.UUID) place { return place(binary.BigEndian.Uint64(id[:8])) }

// above returns the first place after all ids that are earlier than id.
func above(id uuid.UUID) place {
	p := placeOf(id)
	if binary.BigEndian.Uint64(id[8:]) > 0 && p < math.MaxUint64 {
		p++
	}
	return p
}

// id returns the first id of the place.
func (p place) id() (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:8], uint64(p))
	return id
}

// back returns the place that is the width earlier, or the floor if that is later.
func (p place) back(width, floor place) place { return max(p-min(p, width), floor) }

// time returns the millisecond of the place.
func (p place) time() time.Time { return time.UnixMilli(int64(p / millisecond)).UTC() }

// key returns a text that sorts before the keys of all messages from the place on, and
// after those of earlier ones.
func (p place) key(s source) string {
	const digits = 18 // of the upper half of an id, with its dashes
	date := p.time().Format(time.DateOnly)
	return catalog.SourcePrefix(catalog.Ingestion, s.protocol, s.owner) + "date=" + date + "/" + p.id().String()[:digits]
}
