package tables

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"

	"github.com/parquet-go/parquet-go"
)

// pseudonyms computes pseudonyms of identifiers and the shifts of dates, with a keyed
// hash (HMAC, RFC 2104). A hash without a key could be reversed by trying all
// identifiers.
type pseudonyms struct {
	hash  hash.Hash
	known map[string]parquet.Value // some of those made, since rows repeat them
	whose string                   // the last identifier whose shift was asked
	days  int32
}

// keptPseudonyms is how many pseudonyms are kept.
const keptPseudonyms = 1024

func newPseudonyms(key []byte) *pseudonyms {
	return &pseudonyms{hash: hmac.New(sha256.New, key), known: map[string]parquet.Value{}}
}

// of returns the pseudonym of an identifier: 32 hexadecimal digits. The same identifier
// always has the same one, so that rows can be joined.
func (p *pseudonyms) of(identifier []byte) parquet.Value {
	if string(identifier) == deleted {
		return textValue(identifier)
	}
	if v, ok := p.known[string(identifier)]; ok {
		return v
	}
	if len(p.known) >= keptPseudonyms {
		clear(p.known)
	}
	v := textValue([]byte(hex.EncodeToString(p.sum("identifier", identifier)[:16])))
	p.known[string(identifier)] = v
	return v
}

// longestShift is the most days by which dates are moved back.
const longestShift = 365

// shift returns by how many days all dates of a patient, or of a message, are moved back:
// 1 to 365.
func (p *pseudonyms) shift(kind string, id []byte) int32 {
	if whose := kind + string(id); whose != p.whose {
		p.whose = whose
		p.days = int32(binary.BigEndian.Uint64(p.sum("shift of "+kind, id))%longestShift) + 1
	}
	return p.days
}

// sum returns the keyed hash of a text, for one of its uses.
func (p *pseudonyms) sum(use string, text []byte) []byte {
	p.hash.Reset()
	p.hash.Write([]byte(use))
	p.hash.Write([]byte{0})
	p.hash.Write(text)
	return p.hash.Sum(nil)
}
