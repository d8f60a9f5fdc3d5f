package claim

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"hl7lake/hl7"
	"hl7lake/internal/hub"
)

// Key returns the key of body, which is of the kind, among owner's messages. The owner is
// part of it, so that one institution can neither block another nor find out what it has
// sent. An ER7 message has one key, whatever its line ends and framing. Bodies of other
// kinds are compared byte for byte, each kind for itself.
func Key(owner string, kind hub.Kind, body []byte) string {
	key, _ := Keys(owner, kind, body)
	return key
}

// Keys returns the key of body among owner's messages, and sent, the key of its bytes as
// they are. The two are equal unless body is ER7 and not tidy. Earlier versions kept the
// claim under sent.
func Keys(owner string, kind hub.Kind, body []byte) (key, sent string) {
	if kind != hub.ER7 { // no name of an institution has a slash
		key = hash(owner+"/"+string(kind), body)
		return key, key
	}
	content := tidy(body)
	key = hash(owner, content)
	if bytes.Equal(content, body) {
		return key, key
	}
	return key, hash(owner, body)
}

func hash(owner string, content []byte) string {
	hash := sha256.New()
	hash.Write([]byte(owner))
	hash.Write([]byte{0})
	hash.Write(content)
	return hex.EncodeToString(hash.Sum(nil))
}

// tidy returns body in the standard's form: each segment ends in CR, and nothing stands
// before or after the message. This is what prepare makes and parse reads, except that
// the last segment always ends, and only once. A body that does not begin with a header
// that hl7 can read is text and stays as it is, because the meaning of its line ends is
// unknown. UTF-16 and UTF-32, which Normalize leaves alone, and EBCDIC, whose headers
// differ from ASCII's, stay as they are too. In character sets that extend ASCII, no byte
// of a longer character is a line end.
func tidy(body []byte) []byte {
	normal := hl7.Normalize(make([]byte, 0, len(body)+1), body)
	if !beginsER7(normal) {
		return body
	}
	return append(bytes.TrimRight(normal, "\r"), '\r')
}

// longestHeader is how many bytes of a batch's header beginsER7 reads at most.
const longestHeader = 1 << 10

// beginsER7 reports whether text begins with the header of a message, batch or file, in a
// character set that extends ASCII.
func beginsER7(text []byte) bool {
	switch header, _, _ := bytes.Cut(text[:min(len(text), longestHeader)], []byte("\r")); {
	case bytes.HasPrefix(header, []byte("MSH")):
		_, ok := hl7.Peek(text)
		return ok
	case bytes.HasPrefix(header, []byte("BHS")), bytes.HasPrefix(header, []byte("FHS")):
		_, err := hl7.Parse(header)
		return errors.Is(err, hl7.ErrSeveralMessages)
	}
	return false
}
