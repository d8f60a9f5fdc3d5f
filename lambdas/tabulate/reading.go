package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
	"hl7lake/tables"
)

// errChanged says that the messages of an hour changed while its tables were made. The
// next run makes them.
var errChanged = errors.New("the hour's messages changed")

// A reading is a message as it was sent, and what the catalog says of it if it was asked.
type reading struct {
	body    []byte
	asked   bool
	entries []catalog.Entry
}

// table returns what the tables are made of. A message is read in the character set of
// its JSON: the one that an operator chose when it was staged last, if any, or else the
// one that its sender declared beside it or in it.
func (r reading) table(id uuid.UUID) tables.Message {
	sent, _ := catalog.Raw(r.entries)
	staged, _ := catalog.Result(r.entries, contract.ConnectorER7, catalog.Staging)
	return tables.Message{
		Root: id.String(), Received: hub.Received(id), Body: r.body, Charset: sent.Charset, ReadIn: staged.ReadIn,
	}
}

// read reads a message and its entries in the catalog. The catalog is not asked about a
// message that says the same in every character set, which most do: a query for each
// message costs a third of what reading it costs.
func (l lake) read(ctx context.Context, source string, m message) (reading, error) {
	body, err := l.get(ctx, source, m)
	if err != nil {
		return reading{}, err
	}
	if plain(body) {
		return reading{body: body}, nil
	}
	entries, err := l.catalog.History(ctx, m.id)
	return reading{body, true, entries}, err
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
func (l lake) get(ctx context.Context, source string, m message) ([]byte, error) {
	key := catalog.Key{
		Zone: catalog.Ingestion, Kind: hub.KindOf(contract.ProtocolHL7v2, contract.FormatER7), Owner: source,
		Date: hub.Received(m.id).Format(time.DateOnly), ID: m.id,
	}
	out, err := l.objects.GetObject(ctx, &s3.GetObjectInput{Bucket: &l.bucket, Key: aws.String(key.String())})
	if isNotFound(err) {
		return nil, errChanged
	}
	if err != nil {
		return nil, fmt.Errorf("read a message: %w", err)
	}
	defer out.Body.Close()
	body := make([]byte, m.size)
	if _, err := io.ReadFull(out.Body, body); err != nil {
		return nil, fmt.Errorf("read a message: %w", err)
	}
	return body, nil
}
