package claim_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"hl7lake/hl7"
	"hl7lake/internal/claim"
	"hl7lake/internal/hub"
	"hl7lake/internal/testing/variants"
)

const owner = "st-elsewhere"

func TestAMessageHasOneKeyWhicheverWayItCame(t *testing.T) {
	want := claim.Key(owner, hub.ER7, []byte(variants.Message()[variants.Standard]))
	for name, way := range variants.Message() {
		if claim.Key(owner, hub.ER7, []byte(way)) != want {
			t.Errorf("%s is another message", name)
		}
	}
	batch := "FHS|^~\\&|A\nBHS|^~\\&|A\nMSH|^~\\&|A\nBTS|1\nFTS|1"
	if claim.Key(owner, hub.ER7, []byte(batch)) != claim.Key(owner, hub.ER7, []byte(strings.ReplaceAll(batch, "\n", "\r")+"\r")) {
		t.Error("a batch in LF is another one")
	}
}

func TestWhatDiffersInMoreThanItsLineEndsHasItsOwnKey(t *testing.T) {
	utf16 := func(text string) string {
		encoded, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		return encoded
	}
	for name, pair := range map[string][2]string{
		"a line feed within a value":        {"MSH|^~\\&|A\rNTE|1||one\ntwo\r", "MSH|^~\\&|A\rNTE|1||one\rtwo\r"},
		"a blank at a value's end":          {"MSH|^~\\&|A\rPID|1\r", "MSH|^~\\&|A\rPID|1 \r"},
		"a delimiter at a segment's end":    {"MSH|^~\\&|A\rPID|1\r", "MSH|^~\\&|A\rPID|1|\r"},
		"a NUL at a value's end":            {"MSH|^~\\&|A\rPID|1\r", "MSH|^~\\&|A\rPID|1\x00\r"},
		"a blank line between two segments": {"MSH|^~\\&|A\rPID|1\r", "MSH|^~\\&|A\r\rPID|1\r"},
		"text in LF and in CR":              {"Hello\nthere\n", "Hello\rthere\r"},
		"text with and without its end":     {"Hello", "Hello\n"},
		"text in a frame":                   {"Hello\r", "\x0bHello\r\x1c\r"},
		"a header that cannot be read":      {"MSH|\nPID|1\n", "MSH|\rPID|1\r"},
		"UTF-16 in LF and in CR":            {utf16("MSH|^~\\&|A\nPID|1\n"), utf16("MSH|^~\\&|A\rPID|1\r")},
		"UTF-16 without its end":            {utf16("MSH|^~\\&|A\rPID|1\r"), utf16("MSH|^~\\&|A\rPID|1")},
		"UTF-16 and UTF-8":                  {utf16("MSH|^~\\&|A\r"), "MSH|^~\\&|A\r"},
		"another character set":             {"MSH|^~\\&|M\xfcller\r", "MSH|^~\\&|Müller\r"},
	} {
		if claim.Key(owner, hub.ER7, []byte(pair[0])) == claim.Key(owner, hub.ER7, []byte(pair[1])) {
			t.Errorf("%s: %q and %q are one message", name, pair[0], pair[1])
		}
	}
}

// segments returns what the lake makes of body: the JSON of its segments, or the code of
// the error.
func segments(body []byte) string {
	message, err := hl7.Parse(hl7.Normalize(nil, body))
	var refused *hl7.ParseError
	switch {
	case errors.As(err, &refused):
		return refused.Code
	case err != nil:
		return err.Error()
	}
	return string(message.AppendJSON(nil, hl7.JSON{}))
}

// pieces are bytes that can be confused with line ends and frames.
var pieces = rapid.SampledFrom([]string{
	"\r", "\n", "\r\n", "\r\r\n", "\n\r", " ", "\t", "\x00", "\x0b", "\x1c", "\x1c\r", "\ufeff", "|", "^", "x", "é", "\xe9", "\\",
	"PID|", "NTE|1||", "OBX|1|TX|", "ZZZ|", "MSH|^~\\&|", "BHS|^~\\&|", "BTS|",
})

// TestWhatHasOneKeyHasOneJSON changes line ends, frames and similar bytes in messages of
// all kinds. Where the claim treats two of them as one message, the lake must make the
// same JSON of both.
func TestWhatHasOneKeyHasOneJSON(t *testing.T) {
	equal := 0
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.SampledFrom([]string{"MSH|^~\\&|", "\x0bMSH|^~\\&|", "\ufeffMSH|^~\\&|", "MSH|", "BHS|^~\\&|", ""}).Draw(t, "start")
		one := start + strings.Join(rapid.SliceOfN(pieces, 0, 20).Draw(t, "rest"), "")
		from, to := pieces.Draw(t, "from"), pieces.Draw(t, "to")
		for name, other := range map[string]string{
			"replaced": strings.ReplaceAll(one, from, to),
			"in LF":    strings.ReplaceAll(one, "\r", "\n"),
			"in CRLF":  strings.ReplaceAll(one, "\r", "\r\n"),
			"begun":    from + one,
			"ended":    one + from,
			"framed":   "\x0b" + one + "\x1c\r",
			"cut":      strings.TrimRight(one, "\r\n"),
		} {
			if other == one || claim.Key(owner, hub.ER7, []byte(other)) != claim.Key(owner, hub.ER7, []byte(one)) {
				continue
			}
			equal++
			if diff := cmp.Diff(segments([]byte(one)), segments([]byte(other))); diff != "" {
				t.Errorf("%q, %s: %q:\n%s", one, name, other, diff)
			}
		}
	})
	if equal == 0 {
		t.Error("no two were one")
	}
}

// TestAMessageThatIsTidyHasTheKeyThatItAlwaysHad is about a table that was filled by an
// earlier version, by the hash of the bytes as they were sent.
func TestAMessageThatIsTidyHasTheKeyThatItAlwaysHad(t *testing.T) {
	for body, want := range map[string]string{
		"MSH|^~\\&|A\rPID|1\r": "db964ffcd2da7e496c9aa26d87969d9778bfe50427d7c606ce6bba587eb7c20f",
		"Hello\nthere":         "0ea7b944236bd17fc7b9f8866abd64c676a02e51ffbd922fbd412e228c9c3593",
	} {
		if got := claim.Key(owner, hub.ER7, []byte(body)); got != want {
			t.Errorf("%q has the key %s", body, got)
		}
	}
}

func TestTheBytesAsTheyStandHaveAKeyBesideTheMessages(t *testing.T) {
	for name, way := range variants.Message() {
		key, sent := claim.Keys(owner, hub.ER7, []byte(way))
		sum := sha256.Sum256([]byte(owner + "\x00" + way))
		if key != claim.Key(owner, hub.ER7, []byte(way)) || sent != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: %s and %s", name, key, sent)
		}
		if (key == sent) != (name == variants.Standard) {
			t.Errorf("%s is taken for tidy: %t", name, key == sent)
		}
	}
}

// BenchmarkKey measures the work of making a claim's key, apart from the hash of the
// bytes as they are.
func BenchmarkKey(b *testing.B) {
	for _, size := range []int{1 << 10, 10 << 10, 4 << 20} {
		const segment = "OBX|1|NM|718-7^Hemoglobin^LN||13.2|g/dL|12.0-16.0|N|||F\r"
		tidy := []byte("MSH|^~\\&|APP|HERE|LAKE|THERE|20260102030405||ORU^R01|1|T|2.5.1\r" + strings.Repeat(segment, size/len(segment)))
		for _, form := range []struct {
			name string
			body []byte
		}{
			{"CR", tidy},
			{"LF", bytes.ReplaceAll(tidy, []byte("\r"), []byte("\n"))},
			{"CRLF", bytes.ReplaceAll(tidy, []byte("\r"), []byte("\r\n"))},
			{"text", bytes.Repeat([]byte("x"), len(tidy))},
		} {
			b.Run(fmt.Sprintf("%dKB/%s", size>>10, form.name), func(b *testing.B) {
				b.SetBytes(int64(len(form.body)))
				b.ReportAllocs()
				for b.Loop() {
					claim.Key(owner, hub.ER7, form.body)
				}
			})
		}
	}
}
