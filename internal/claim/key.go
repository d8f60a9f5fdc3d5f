package claim

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"hl7lake/hl7"
)

// Key is the key of body among owner's messages: one institution can neither
// block nor probe another. A message has one key, whatever line ends and framing it
// came in.
func Key(owner string, body []byte) string { return hash(owner, tidy(body)) }

// Keys returns the key of body among owner's messages, and sent, which is made of the
// bytes as they stand. The two are the same where body is tidy. Under sent earlier
// versions held the claim.
func Keys(owner string, body []byte) (key, sent string) {
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

// tidy is body as the standard has it, each segment ended by CR and nothing around: what
// prepare makes of it and parse reads, with the last segment ended, and once. What does not
// begin with a header that hl7 can read is text, and stays as it stands: of line
// ends in it nobody knows what they mean. So do UTF-16 and UTF-32, which Normalize leaves
// alone, and EBCDIC, whose headers are none in ASCII. In the sets that extend ASCII no
// byte of a longer character is a line end.
func tidy(body []byte) []byte {
	normal := hl7.Normalize(make([]byte, 0, len(body)+1), body)
	if !beginsER7(normal) {
		return body
	}
	return append(bytes.TrimRight(normal, "\r"), '\r')
}

// longestHeader bounds what beginsER7 reads of a batch's header.
const longestHeader = 1 << 10

// beginsER7 reports whether text begins with the header of a message, batch or file, in a
// set that extends ASCII.
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
