package received

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"hl7lake/hl7"
)

// Key is the key of body among owner's messages: one institution can neither
// block nor probe another. A message has one key, whatever line ends and framing it
// came in.
func Key(owner string, body []byte) string { return digest(owner, tidy(body)) }

func digest(owner string, content []byte) string {
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

// several stands for the hash of the bytes as they were sent where attempts at one
// message came with different ones, and either may be what the lake keeps.
const several = "several"

// identify gives mine its key, and says in Sent whether body is tidy.
func (t Table) identify(ctx context.Context, mine item, body []byte) (item, error) {
	content := tidy(body)
	mine.PK = digest(mine.Owner, content)
	if bytes.Equal(content, body) {
		return mine, nil
	}
	mine.Sent = digest(mine.Owner, body)
	return t.former(ctx, mine)
}

// former gives mine the key under which an earlier version may have claimed the same
// bytes: the hash of them as they were sent. A claim lives under the key that it was made
// with. Tidy content has had one key always.
func (t Table) former(ctx context.Context, mine item) (item, error) {
	out, err := t.DB.GetItem(ctx, &dynamodb.GetItemInput{TableName: &t.Name, Key: key(mine.Sent), ConsistentRead: new(true)})
	if err != nil {
		return item{}, fmt.Errorf("look for a claim of an earlier version: %w", err)
	}
	var stored item
	if err := attributevalue.UnmarshalMap(out.Item, &stored); err != nil {
		return item{}, err
	}
	if stored.Expiry >= time.Now().Unix() {
		mine.PK, mine.Sent = mine.Sent, ""
	}
	return mine, nil
}
