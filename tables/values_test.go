package tables_test

// This file is about the table values, from which segments can be rebuilt.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hl7lake/hl7"
	"hl7lake/tables"
)

// A rebuilt segment has the form of a segment of [hl7.Message.AppendJSON].
type rebuilt struct {
	Seq    int                            `json:"seq"`
	ID     string                         `json:"id"`
	Fields map[string][]map[string]string `json:"fields"`
}

// fromValues rebuilds the segments of each message from the rows of the table values.
// Messages are keyed by root.
func fromValues(t testing.TB, files memory) map[string][]rebuilt {
	t.Helper()
	messages := map[string][]rebuilt{}
	columns := tables.New().Values
	at := func(row []any, column string) any { return row[columns.Index(column)] }
	number := func(row []any, column string) int { return int(at(row, column).(int64)) }
	files.rows(t, "values", func(_ *tables.Reader, row []any) {
		root, seq := at(row, "root").(string), number(row, "seq")
		if n := len(messages[root]); n < seq {
			if n != seq-1 {
				t.Fatalf("segment %d has no row", seq-1)
			}
			messages[root] = append(messages[root], rebuilt{Seq: seq, Fields: map[string][]map[string]string{}})
		}
		s := &messages[root][seq-1]
		if name, ok := at(row, "segment").(string); ok {
			s.ID = name
		}
		if number(row, "field") == 0 {
			if name, ok := at(row, "value").(string); ok {
				s.ID = name
			}
			return
		}
		field, repetition := strconv.Itoa(number(row, "field")), number(row, "repetition")
		for len(s.Fields[field]) < repetition {
			s.Fields[field] = append(s.Fields[field], map[string]string{})
		}
		place := strconv.Itoa(number(row, "component"))
		if sub := number(row, "subcomponent"); sub > 1 {
			place += "." + strconv.Itoa(sub)
		}
		s.Fields[field][repetition-1][place] = at(row, "value").(string)
	})
	return messages
}

// rebuild checks that the table values contains all values of some messages. Messages
// that cannot be read have no rows there.
func rebuild(t testing.TB, bodies ...[]byte) {
	t.Helper()
	want := map[string][]rebuilt{}
	var messages []tables.Message
	for i, body := range bodies {
		root := numbered(i)
		messages = append(messages, tables.Message{Root: root, Received: received, Body: body})
		m, err := hl7.Parse(body)
		if err != nil {
			continue
		}
		var segments []rebuilt
		if err := json.Unmarshal(m.AppendJSON(nil, hl7.JSON{}), &segments); err != nil {
			t.Fatal(err)
		}
		for i := range segments { // the table has a line of text as it stands, and JSON has it decoded
			segments[i].ID = m.Segment(i).Name()
		}
		want[root] = segments
	}
	if diff := cmp.Diff(want, fromValues(t, written(t, messages...))); diff != "" {
		t.Errorf("-JSON +values:\n%s", diff)
	}
}

// numbered returns the id of a test's i-th message.
func numbered(i int) string { return fmt.Sprintf("01a20506-0000-7000-8000-%012d", i) }

func TestValuesRebuildTheSegmentsOfTheCorpus(t *testing.T) {
	var bodies [][]byte
	for _, pattern := range []string{"testdata/*.hl7", "../hl7/testdata/*.hl7", "../../shared/cases/*.hl7", "../../shared/corpus/*/*"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			bodies = append(bodies, parts(t, data)...)
		}
	}
	if len(bodies) < 30 {
		t.Fatalf("only %d messages", len(bodies))
	}
	t.Logf("%d messages", len(bodies))
	rebuild(t, bodies...)
}

func TestALineThatIsNoSegmentIsInValuesAsItStands(t *testing.T) {
	rebuild(t, []byte("MSH|^~\\&|A\rPID|1\rsee \\T\\ overleaf\rsee \\X41\\|\\T\\\r"))
}

// parts returns the first messages of a file.
func parts(t *testing.T, file []byte) [][]byte {
	var bodies [][]byte
	r := hl7.NewReader(bytes.NewReader(file))
	for len(bodies) < 20 { // a batch has more of the same kind
		part, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if part.Kind == hl7.Single {
			bodies = append(bodies, bytes.Clone(part.Data))
		}
	}
	return bodies
}

func TestValuesRebuildTheSegmentsOfAnyMessageOfAnyVersion(t *testing.T) {
	versions := rapid.SampledFrom([]string{"2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.2", ""})
	types := rapid.SampledFrom([]string{"ADT^A01", "ADT", "ADT^A40^ADT_A39", "ORU^R01^ORU_R01", "ORM^O01", "VXU^V04^VXU_V04", "SIU^S12", ""})
	charsets := rapid.SampledFrom([]string{"", "8859/1", "UNICODE UTF-8"})
	text := rapid.StringOfN(rapid.SampledFrom([]rune("|||^^~&\\\r\r\nABCPIDOBXNTEÄ\"\"17. EFSTRX#")), 0, 200, -1)
	rapid.Check(t, func(rt *rapid.T) {
		delimiters := `^~\&`
		version := versions.Draw(rt, "version")
		if version >= "2.7" && rapid.Bool().Draw(rt, "truncates") {
			delimiters += "#" // HL7 v2.7, 2.5.5.2
		}
		rebuild(t, fmt.Appendf(nil, "MSH|%s|A|B|||2026||%s|1|P|%s||||||%s\r%s", delimiters,
			types.Draw(rt, "type"), version, charsets.Draw(rt, "charset"), text.Draw(rt, "segments")))
	})
}

func TestRowsOfManyMessagesAreThoseOfEach(t *testing.T) {
	files, err := filepath.Glob("testdata/*.hl7")
	if err != nil {
		t.Fatal(err)
	}
	const each = 100 // so that there is more than a batch of rows
	var all []tables.Message
	want := map[string]int{}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m := tables.Message{Root: root, Received: received, Body: body}
		for row, n := range allRows(t, written(t, m)) {
			want[row] += n * each
		}
		all = append(all, m)
	}
	all = slices.Repeat(all, each)
	together := written(t, all...)
	if diff := cmp.Diff(want, allRows(t, together)); diff != "" {
		t.Errorf("-alone +together:\n%s", diff)
	}
	again := written(t, all...)
	for name, file := range together {
		if !bytes.Equal(file.Bytes(), again[name].Bytes()) {
			t.Errorf("%s is not the same again", name)
		}
	}
}

// allRows counts the rows of all tables, by their text.
func allRows(t testing.TB, files memory) map[string]int {
	t.Helper()
	rows := map[string]int{}
	for _, table := range tables.New().All() {
		files.rows(t, table.Name, func(_ *tables.Reader, row []any) { rows[table.Name+fmt.Sprint(row...)]++ })
	}
	return rows
}
