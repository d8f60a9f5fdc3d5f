package catalog

import (
	"cmp"
	"slices"

	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
)

// Raw returns the entry whose object is the message, byte for byte as it was sent, among
// all entries of one message: the message itself or, if that was never stored, what was
// stored of an error in its place. It reports false if there is none.
func Raw(entries []Entry) (raw Entry, ok bool) {
	for _, entry := range entries {
		switch {
		case entry.Zone == Ingestion:
			return entry, true
		case entry.Zone == Failed && entry.Parent == entry.Root:
			raw, ok = entry, true
		}
	}
	return raw, ok
}

// Result returns the newest of a connector's entries in the zone, among all entries of
// one message: the one with the highest version that was written last, because an
// operator may have had the message read in another charset. It reports false if there is
// none.
func Result(entries []Entry, connector string, zone Zone) (newest Entry, ok bool) {
	for _, entry := range entries {
		if entry.Zone != zone || entry.By().Name != connector {
			continue
		}
		if !ok || cmp.Or(cmp.Compare(entry.By().Version, newest.By().Version), cmp.Compare(entry.Written, newest.Written)) >= 0 {
			newest, ok = entry, true
		}
	}
	return newest, ok
}

// Ended reports whether a message has ended, given all of its entries: it is stored as it
// was sent and, if it is ER7, so is its JSON or the record of its error. For other kinds
// it is not known who subscribes to them.
func Ended(entries []Entry) bool {
	sent := slices.IndexFunc(entries, func(e Entry) bool { return e.Zone == Ingestion })
	if sent < 0 {
		return false
	}
	_, staged := Result(entries, contract.ConnectorER7, Staging)
	_, failed := Result(entries, contract.ConnectorER7, Failed)
	return staged || failed || entries[sent].Kind() != hub.ER7
}
