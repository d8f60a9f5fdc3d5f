package finder

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// Key is the key of one institution's hashes, of 32 bytes. It is secret: who has it and
// the table can find out by trying which identifiers the lake has.
type Key []byte

// Label returns the label from which the key of an institution is derived.
func Label(owner string) string { return "hl7lake finder of " + owner }

// hashSize is how many bytes of an HMAC are kept. 16 are enough that no two identifiers
// will ever share a hash.
const hashSize = 16

// What is hashed begins with what it is, so that no two kinds of text have one hash.
const (
	ofIdentifier = 1
	ofAuthority  = 2
)

// Identifier returns the hash of an identifier. The value is normalized.
func (k Key) Identifier(kind Kind, value string) string {
	text := append([]byte{ofIdentifier}, kind...)
	text = append(text, 0) // which no kind contains
	return k.hash(append(text, value...))
}

// Authority returns the hash of an identifier's assigning authority. It depends on the
// identifier too, so that the table does not show which patients are of one authority.
// Both texts are normalized.
func (k Key) Authority(kind Kind, value, authority string) string {
	text := append([]byte{ofAuthority}, kind...)
	text = binary.AppendUvarint(append(text, 0), uint64(len(value)))
	text = append(text, value...)
	return k.hash(append(text, authority...))
}

func (k Key) hash(text []byte) string {
	sum := hmac.New(sha256.New, k)
	sum.Write(text)
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:hashSize])
}

// Entry is what the table holds of an identifier: hashes.
type Entry struct {
	Hash        string
	Authorities []string // may be nil
}

// Entries returns the entries of identifiers.
func (k Key) Entries(of []Identifier) []Entry {
	entries := make([]Entry, len(of))
	for i, each := range of {
		entries[i].Hash = k.Identifier(each.Kind, each.Value)
		for _, authority := range each.Authorities {
			entries[i].Authorities = append(entries[i].Authorities, k.Authority(each.Kind, each.Value, authority))
		}
	}
	return entries
}
