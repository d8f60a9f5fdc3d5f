package sent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/internal/catalog"
	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
	"hl7lake/internal/object"
)

// ErrGone says that a message that was listed no longer exists.
var ErrGone = errors.New("the message no longer exists")

// A Reading is a message as it was sent, and what the catalog says of it if it was asked.
type Reading struct {
	Body    []byte
	Asked   bool            // the catalog was asked
	Entries []catalog.Entry // what it said
}

// Charsets returns the character sets in which to read the message: the one that its
// sender declared beside it, and the one that an operator chose when it was staged last.
// Each is empty if there is none.
func (r Reading) Charsets() (declared, readIn string) {
	raw, _ := catalog.Raw(r.Entries)
	staged, _ := catalog.Result(r.Entries, contract.ConnectorER7, catalog.Staging)
	return raw.Charset, staged.ReadIn
}

// Read reads a message and its entries in the catalog. The catalog is not asked about a
// message that says the same in every character set, which most do: a query for each
// message costs a third of what reading it costs.
func (l Lake) Read(ctx context.Context, source string, m Message) (Reading, error) {
	body, err := l.get(ctx, source, m)
	if err != nil {
		return Reading{}, err
	}
	if plain(body) {
		return Reading{Body: body}, nil
	}
	entries, err := l.Catalog.History(ctx, m.ID)
	return Reading{body, true, entries}, err
}

// plain reports whether a message says the same in every character set that HL7 names
// (HL7 table 0211): it has no byte beyond ASCII, none that switches between sets (ISO/IEC
// 2022: ESC, SO and SI) and no NUL, as UTF-16 has, and no byte in hexadecimal, which an
// escape X states (HL7 v2.5.1, 2.7.1).
func plain(body []byte) bool {
	const so, si, esc = 0x0e, 0x0f, 0x1b
	for i, c := range body {
		switch {
		case c >= utf8.RuneSelf, c == 0, c == so, c == si, c == esc:
			return false
		case c == 'X' && i > 0 && isHexEscape(body[i-1:]):
			return false
		}
	}
	return true
}

// isHexEscape reports whether a text begins with an escape of hexadecimal digits: an
// escape character, X, the digits, the character again. Any character may be the one,
// except for a letter, a digit or a blank, so that a field such as |XA| is taken for an
// escape too.
func isHexEscape(text []byte) bool {
	end := 2
	for end < len(text) && isHex(text[end]) {
		end++
	}
	return end > 2 && end < len(text) && text[end] == text[0] && !isWord(text[0])
}

func isWord(c byte) bool {
	return c == ' ' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'F' || 'a' <= c && c <= 'f'
}

// get reads a message as it was sent.
func (l Lake) get(ctx context.Context, source string, m Message) ([]byte, error) {
	key := catalog.Key{
		Zone: catalog.Ingestion, Kind: hub.KindOf(contract.ProtocolHL7v2, contract.FormatER7), Owner: source,
		Date: hub.Received(m.ID).Format(time.DateOnly), ID: m.ID,
	}
	out, err := l.Objects.GetObject(ctx, &s3.GetObjectInput{Bucket: &l.Bucket, Key: aws.String(key.String())})
	if object.IsGone(err) {
		return nil, ErrGone
	}
	if err != nil {
		return nil, fmt.Errorf("read a message: %w", err)
	}
	defer out.Body.Close()
	body := make([]byte, m.Size)
	if _, err := io.ReadFull(out.Body, body); err != nil {
		return nil, fmt.Errorf("read a message: %w", err)
	}
	return body, nil
}
