package finder_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hl7lake/hl7"
	"hl7lake/internal/finder"
)

const front = "MSH|^~\\&|A|B|C|D|20260102||ORU^R01|C-1|T|2.5.1\r"

// parse returns a message that must be one.
func parse(t testing.TB, text string) *hl7.Message {
	t.Helper()
	m, err := hl7.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestIdentifiersAreThoseOfAllSegmentsAndRepetitions(t *testing.T) {
	control := finder.Identifier{Kind: finder.ControlID, Value: "C-1"}
	for name, test := range map[string]struct {
		body string
		want []finder.Identifier
	}{
		"none": {"EVN|A01\r", nil},
		"a patient of two authorities": {"PID|1||1^^^X^MR~1^^^Y&1.2.3&ISO^MR~2\r", []finder.Identifier{
			{Kind: finder.Patient, Value: "1", Authorities: []string{"X", "Y", "1.2.3"}}, {Kind: finder.Patient, Value: "2"},
		}},
		"an account and a visit": {"PID|1|||||||||||||||||A^^^X\rPV1|1|I|||||||||||||||||V\r", []finder.Identifier{
			{Kind: finder.Account, Value: "A", Authorities: []string{"X"}}, {Kind: finder.Visit, Value: "V"},
		}},
		"orders": {"ORC|RE|P^N^1.2^ISO|F\rOBR|1|P^M|F\rOBR|2||G\r", []finder.Identifier{
			{Kind: finder.Order, Value: "P", Authorities: []string{"N", "1.2", "M"}}, {Kind: finder.Order, Value: "F"}, {Kind: finder.Order, Value: "G"},
		}},
		"sub-components":         {"PID|1||1&2&3^^^X&Y&Z\r", []finder.Identifier{{Kind: finder.Patient, Value: "1", Authorities: []string{"X", "Y"}}}},
		"nulls":                  {"PID|1||\"\"^^^X~1^^^\"\"\r", []finder.Identifier{{Kind: finder.Patient, Value: "1"}}},
		"blanks and escapes":     {"PID|1||  a\\S\\b\\X20\\ ^^^ X \r", []finder.Identifier{{Kind: finder.Patient, Value: "a^b", Authorities: []string{"X"}}}},
		"only blanks":            {"PID|1||   \r", nil},
		"a decomposed character": {"PID|1||Zoe\u0308\r", []finder.Identifier{{Kind: finder.Patient, Value: "Zo\u00eb"}}},
		"zeros and case":         {"PID|1||001~1~aB~AB\r", []finder.Identifier{{Kind: finder.Patient, Value: "001"}, {Kind: finder.Patient, Value: "1"}, {Kind: finder.Patient, Value: "aB"}, {Kind: finder.Patient, Value: "AB"}}},
		"another segment's":      {"MRG|1^^^X\rZID|1||9\r", nil},
	} {
		got, left := finder.Identifiers(parse(t, front+test.body), finder.Places())
		if diff := cmp.Diff(append([]finder.Identifier{control}, test.want...), got); diff != "" || left != 0 {
			t.Errorf("%s: %d left out:\n%s", name, left, diff)
		}
	}
}

func TestAnEnvironmentAddsPlaces(t *testing.T) {
	own, err := finder.ParsePlaces("accession=OBR-18 patient=MRG-1 device=OBX-18.2")
	if err != nil {
		t.Fatal(err)
	}
	places := append(finder.Places(), own...)
	got, _ := finder.Identifiers(parse(t, front+"MRG|7^^^X\rOBR|1|||||||||||||||||ACC\rOBX|1|||||||||||||||||d^e\r"), places)
	want := []finder.Identifier{
		{Kind: finder.ControlID, Value: "C-1"}, {Kind: finder.Patient, Value: "7"}, {Kind: "accession", Value: "ACC"}, {Kind: "device", Value: "e"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	kinds := finder.Kinds(places)
	if diff := cmp.Diff([]finder.Kind{finder.ControlID, finder.Patient, finder.Account, finder.Visit, finder.Order, "accession", "device"}, kinds); diff != "" {
		t.Error(diff)
	}
	for _, wrong := range []string{"OBR-18", "accession", "accession=", "accession=OBR", "accession=OBR[2]-18", "accession=OBR-18[2]", "Accession=OBR-18", "=OBR-18", "a=b=OBR-18"} {
		if places, err := finder.ParsePlaces(wrong); err == nil {
			t.Errorf("%q is read as %+v", wrong, places)
		}
	}
}

func TestAMessageHasABoundedNumberOfHashes(t *testing.T) {
	for name, of := range map[string]func(n int) string{
		"repetitions": func(n int) string { return fmt.Sprintf("%d~", n) },
		"authorities": func(n int) string { return fmt.Sprintf("1^^^%d~", n) },
		"both":        func(n int) string { return fmt.Sprintf("%d^^^%d~", n, n) },
	} {
		var text strings.Builder
		text.WriteString(front + "PID|1||")
		const many = 3 * finder.MaxHashes
		for n := range many {
			text.WriteString(of(n))
		}
		found, left := finder.Identifiers(parse(t, text.String()+"\r"), finder.Places())
		hashes := 0
		for _, each := range found {
			hashes += 1 + len(each.Authorities)
		}
		if hashes != finder.MaxHashes || left == 0 {
			t.Errorf("%s: %d hashes, and %d places left out", name, hashes, left)
		}
	}
}

// TestTheTimeOfFindingIdentifiersGrowsWithTheMessage compares a message with one eight
// times as large, of each of the forms that could make it grow faster.
func TestTheTimeOfFindingIdentifiersGrowsWithTheMessage(t *testing.T) {
	for name, unit := range map[string]string{
		"repetitions": "N^^^A&B~", "components": "N^", "sub-components": "N&", "escapes": "\\X41\\N", "fields": "|N", "segments": "\rORC|1|N", "blanks": " ",
	} {
		of := func(units int) time.Duration {
			var body strings.Builder
			body.WriteString(front + "PID|1||")
			for n := range units {
				body.WriteString(strings.ReplaceAll(unit, "N", strconv.Itoa(n)))
			}
			m := parse(t, body.String()+"\r")
			best := time.Hour
			for range 3 {
				begin := time.Now()
				finder.Identifiers(m, finder.Places())
				best = min(best, time.Since(begin))
			}
			return best
		}
		small, large := of(20_000), of(160_000)
		if large > 8*4*small+20*time.Millisecond {
			t.Errorf("%s: eight times the size takes %v in place of %v", name, large, small)
		}
	}
}

func TestNormalizedTextStaysAsItIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		once := finder.Normalize(text)
		if twice := finder.Normalize(once); twice != once {
			t.Errorf("%q becomes %q and then %q", text, once, twice)
		}
		if finder.Normalize(" \t"+text+"\n") != once {
			t.Errorf("%q with white space around it is another", text)
		}
	})
}
