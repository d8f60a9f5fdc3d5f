package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"hl7lake/hl7"
)

// largestPost is more than any lake accepts at once: the payload of an HTTP API (API
// Gateway Developer Guide, "Quotas for configuring and running an HTTP API in API
// Gateway").
const largestPost = 10 << 20

// sniffed is how much of a file is looked at to say what it is.
const sniffed = 512

// notOneError says why a file is not posted as one message.
type notOneError struct {
	holds string
	split bool // --split would find messages
}

func (e *notOneError) Error() string { return "not sent: " + e.holds }

// readWhole reads a file that is to be posted as one message. Unless any file may be
// posted, it must be one message; otherwise the error is a *notOneError.
func readWhole(input io.Reader, anything bool) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(input, largestPost+1))
	if err != nil {
		return nil, err
	}
	if len(body) > largestPost {
		return nil, &notOneError{fmt.Sprintf("larger than the %s that a lake takes at once", size(largestPost)), true}
	}
	if anything {
		return body, nil
	}
	return body, oneMessage(body)
}

// oneMessage returns nil for one message, intact or broken, and otherwise a *notOneError.
func oneMessage(body []byte) error {
	messages, batch := 0, false
	var before int64
	parts := hl7.NewReader(bytes.NewReader(body))
	parts.Tell = func(n hl7.Notice) {
		if n.Reason == hl7.Outside && messages == 0 {
			before += int64(n.Length)
		}
	}
	for {
		part, err := parts.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch part.Kind {
		case hl7.Single:
			messages++
		case hl7.Opening, hl7.Closing:
			batch = true
		}
	}
	switch {
	case batch:
		return &notOneError{fmt.Sprintf("a batch, messages in it: %d", messages), true}
	case messages > 1:
		return &notOneError{fmt.Sprintf("%d messages in one file", messages), true}
	case messages == 1 && before > 0:
		return &notOneError{fmt.Sprintf("begins with %d bytes that belong to no message", before), true}
	case messages == 0 && !brokenHeader(body):
		return &notOneError{"no HL7 message: " + kindOf(body), false}
	}
	return nil
}

// brokenHeader reports whether a text begins like a message but has no readable header.
// The lake keeps it and says why.
func brokenHeader(body []byte) bool {
	front := bytes.ReplaceAll(body[:min(len(body), sniffed)], []byte{0}, nil)
	for _, mark := range []string{"\ufeff", "\xff\xfe", "\xfe\xff"} {
		front = bytes.TrimPrefix(front, []byte(mark))
	}
	return bytes.HasPrefix(bytes.TrimLeft(front, "\v\x1c \t\r\n"), []byte("MSH"))
}

// kindOf says in a word or two what a file is that begins like this and is not a message.
func kindOf(front []byte) string {
	front = front[:min(len(front), sniffed)]
	text := bytes.TrimSpace(front)
	switch {
	case len(front) == 0:
		return "an empty file"
	case len(text) == 0:
		return "blanks"
	case text[0] == '{' || text[0] == '[':
		return "JSON"
	}
	kind, _, _ := strings.Cut(http.DetectContentType(front), ";")
	switch kind {
	case "text/plain":
		return "text"
	case "application/octet-stream":
		if utf8.Valid(front) && !bytes.ContainsRune(front, 0) {
			return "text"
		}
		return "binary data"
	default:
		return kind
	}
}
