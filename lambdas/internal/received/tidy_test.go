package received_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"hl7lake/hl7"
	"hl7lake/lambdas/internal/received"
)

// ways is one message as different programs send it.
var ways = map[string]string{
	"as the standard has it":    "MSH|^~\\&|A\rPID|1||7\rNTE|1||x\r",
	"LF":                        "MSH|^~\\&|A\nPID|1||7\nNTE|1||x\n",
	"CRLF":                      "MSH|^~\\&|A\r\nPID|1||7\r\nNTE|1||x\r\n",
	"line ends of several":      "MSH|^~\\&|A\r\nPID|1||7\rNTE|1||x\r\n",
	"MLLP":                      "\x0bMSH|^~\\&|A\rPID|1||7\rNTE|1||x\r\x1c\r",
	"MLLP around LF":            "\x0bMSH|^~\\&|A\nPID|1||7\nNTE|1||x\n\x1c\r",
	"MLLP, its last CR cut off": "\x0bMSH|^~\\&|A\rPID|1||7\rNTE|1||x\r\x1c",
	"a byte order mark":         "\ufeffMSH|^~\\&|A\rPID|1||7\rNTE|1||x\r",
	"no last terminator":        "MSH|^~\\&|A\rPID|1||7\rNTE|1||x",
	"LF, no last terminator":    "MSH|^~\\&|A\nPID|1||7\nNTE|1||x",
	"blank lines around":        "\r\n\r\nMSH|^~\\&|A\rPID|1||7\rNTE|1||x\r\r\n\n",
	"a NUL behind it":           "MSH|^~\\&|A\rPID|1||7\rNTE|1||x\r\x00",
}

func TestAMessageHasOneKeyWhicheverWayItCame(t *testing.T) {
	want := received.Key(owner, []byte(ways["as the standard has it"]))
	for name, way := range ways {
		if received.Key(owner, []byte(way)) != want {
			t.Errorf("%s is another message", name)
		}
	}
	batch := "FHS|^~\\&|A\nBHS|^~\\&|A\nMSH|^~\\&|A\nBTS|1\nFTS|1"
	if received.Key(owner, []byte(batch)) != received.Key(owner, []byte(strings.ReplaceAll(batch, "\n", "\r")+"\r")) {
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
		if received.Key(owner, []byte(pair[0])) == received.Key(owner, []byte(pair[1])) {
			t.Errorf("%s: %q and %q are one message", name, pair[0], pair[1])
		}
	}
}

// segments is what the lake makes of body: the JSON of its segments, or the code of
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

// pieces are what line ends and frames are confused with.
var pieces = rapid.SampledFrom([]string{
	"\r", "\n", "\r\n", "\r\r\n", "\n\r", " ", "\t", "\x00", "\x0b", "\x1c", "\x1c\r", "\ufeff", "|", "^", "x", "é", "\xe9", "\\",
	"PID|", "NTE|1||", "OBX|1|TX|", "ZZZ|", "MSH|^~\\&|", "BHS|^~\\&|", "BTS|",
})

// TestWhatHasOneKeyHasOneJSON changes line ends, frames and what looks like them in
// messages of all sorts: where two of them are one for the claim, the lake must make the
// same of both.
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
			if other == one || received.Key(owner, []byte(other)) != received.Key(owner, []byte(one)) {
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

// TestAMessageThatIsTidyHasTheKeyThatItAlwaysHad is about a table that an earlier
// version filled, by the hash of the bytes as they were sent.
func TestAMessageThatIsTidyHasTheKeyThatItAlwaysHad(t *testing.T) {
	for body, want := range map[string]string{
		"MSH|^~\\&|A\rPID|1\r": "db964ffcd2da7e496c9aa26d87969d9778bfe50427d7c606ce6bba587eb7c20f",
		"Hello\nthere":         "0ea7b944236bd17fc7b9f8866abd64c676a02e51ffbd922fbd412e228c9c3593",
	} {
		if got := received.Key(owner, []byte(body)); got != want {
			t.Errorf("%q has the key %s", body, got)
		}
	}
}

// acquireAs claims the message by one of the ways.
func acquireAs(t *testing.T, table received.Table, way string) (received.Claim, error) {
	t.Helper()
	return table.Acquire(t.Context(), owner, []byte(ways[way]), time.Now().Add(lease), patience)
}

func TestADuplicateIsToldWhetherItsBytesAreTheFirstOnes(t *testing.T) {
	for first := range ways {
		t.Run(first, func(t *testing.T) {
			table, _ := newTable(t)
			claim, err := acquireAs(t, table, first)
			if err != nil {
				t.Fatal(err)
			}
			finish(t, table, claim)
			for second := range ways {
				_, err := acquireAs(t, table, second)
				want := &received.DuplicateError{ID: claim.ID, Differs: second != first}
				var duplicate *received.DuplicateError
				if !errors.As(err, &duplicate) || *duplicate != *want {
					t.Errorf("%s: got %+v, want %+v", second, err, want)
				}
			}
		})
	}
}

// TestWhoTakesOverWithOtherBytesIsToldOfADuplicate: the attempt before may have
// published its own, which the lake then keeps. 201 promises the sender's bytes.
func TestWhoTakesOverWithOtherBytesIsToldOfADuplicate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, _ := newTable(t)
		first, err := acquireAs(t, table, "LF")
		if err != nil {
			t.Fatal(err)
		}
		for _, way := range []string{"CRLF", "LF", "MLLP"} {
			time.Sleep(lease + time.Millisecond)
			claim, err := acquireAs(t, table, way)
			if err != nil || claim.ID != first.ID {
				t.Fatalf("taken over as %s: %v", claim.ID, err)
			}
			if way != "MLLP" {
				continue // this one dies too
			}
			var duplicate *received.DuplicateError
			if err := table.Finish(t.Context(), claim); !errors.As(err, &duplicate) || *duplicate != (received.DuplicateError{ID: first.ID, Differs: true}) {
				t.Errorf("ended with %v", err)
			}
		}
		for _, way := range []string{"LF", "MLLP"} { // either may be what is kept
			_, err := acquireAs(t, table, way)
			var duplicate *received.DuplicateError
			if !errors.As(err, &duplicate) || *duplicate != (received.DuplicateError{ID: first.ID, Differs: true}) {
				t.Errorf("afterwards %s: %v", way, err)
			}
		}
	})
}

func TestWhoTakesOverWithTheSameBytesAccepts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, _ := newTable(t)
		for range 3 {
			if _, err := acquireAs(t, table, "LF"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(lease + time.Millisecond)
		}
		claim, err := acquireAs(t, table, "LF")
		if err != nil {
			t.Fatal(err)
		}
		finish(t, table, claim)
	})
}

// formerLF is the key that earlier versions gave to the message in LF.
const formerLF = "acad29fdef4b87ff782f5dfabd2c6121dcd02b4070f40804f6a18404de0f0840"

// former puts the claim on the message in LF as an earlier version made it. Its
// attempt died.
func former(t *testing.T, table received.Table, expiry time.Time) uuid.UUID {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	item, err := attributevalue.MarshalMap(map[string]any{
		"pk": formerLF, "id": id.String(), "owner": owner, "attempt": "earlier", "unsettled": id.String()[35:],
		"lease": time.Now().Add(-time.Hour).UnixMilli(), "expiry": expiry.Unix(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := table.DB.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table.Name, Item: item}); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestAClaimOfAnEarlierVersionHoldsForTheBytesThatItWasMadeOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, _ := newTable(t)
		id := former(t, table, time.Now().Add(time.Hour))
		claim, err := acquireAs(t, table, "LF")
		if err != nil || claim.ID != id {
			t.Fatalf("taken over as %s: %v", claim.ID, err)
		}
		finish(t, table, claim)
		_, err = acquireAs(t, table, "LF")
		var duplicate *received.DuplicateError
		if !errors.As(err, &duplicate) || *duplicate != (received.DuplicateError{ID: id}) {
			t.Errorf("again: %v", err)
		}
		if other, err := acquireAs(t, table, "MLLP"); err != nil || other.ID == id {
			t.Errorf("in other bytes it is %s: %v", other.ID, err)
		}
	})
}

func TestAClaimOfAnEarlierVersionThatIsOverHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, _ := newTable(t)
		id := former(t, table, time.Now().Add(-time.Minute)) // time to live has not come by yet
		claim, err := acquireAs(t, table, "LF")
		if err != nil || claim.ID == id {
			t.Fatalf("claimed as %s: %v", claim.ID, err)
		}
		finish(t, table, claim)
		_, err = acquireAs(t, table, "MLLP")
		var duplicate *received.DuplicateError
		if !errors.As(err, &duplicate) || duplicate.ID != claim.ID {
			t.Errorf("in other bytes: %v", err)
		}
	})
}

// BenchmarkKey is what a claim hashes, beside the hash of the bytes as they stand.
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
					received.Key(owner, form.body)
				}
			})
		}
	}
}
