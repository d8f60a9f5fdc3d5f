package tables_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hl7lake/tables"
)

// secret is the key of a test's pseudonyms.
var secret = []byte("the key of a test, of 32 bytes ..")

// deidentified returns the twin of what messages become.
func deidentified(t testing.TB, key []byte, messages ...tables.Message) memory {
	t.Helper()
	files := memory{}
	w := tables.NewWriter(memory{}.open)
	w.Deidentify(key, files.open)
	write(t, w, messages)
	return files
}

// fixtures are the messages of testdata/deidentified, accepted a day apart.
func fixtures(t testing.TB) []tables.Message {
	t.Helper()
	files, err := filepath.Glob("testdata/deidentified/*.hl7")
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures", err)
	}
	var all []tables.Message
	for i, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, tables.Message{Root: numbered(i), Received: received.AddDate(0, 0, i), Body: body})
	}
	return all
}

func TestThreePatientsBecomeTheDeidentifiedRowsOfTheGoldenFile(t *testing.T) {
	const golden = "testdata/deidentified/golden"
	files := deidentified(t, secret, fixtures(t)...)
	var b strings.Builder
	for _, table := range tables.Deidentified() {
		files.rows(t, table.Name, func(r *tables.Reader, row []any) {
			fmt.Fprintf(&b, "%s\n", table.Name)
			for i, v := range row {
				if at, ok := v.(time.Time); ok {
					v = at.Format("2006-01-02T15:04:05.999Z07:00")
				}
				if v != nil {
					fmt.Fprintf(&b, "\t%s\t%q\n", r.Columns[i], fmt.Sprint(v))
				}
			}
		})
	}
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// readSegments are the segments that some column of a table comes from.
func readSegments() []string {
	found := map[string]bool{}
	for _, table := range tables.New().All() {
		for _, c := range table.Columns {
			for _, path := range regexp.MustCompile(`[A-Z][A-Z0-9]{2}-`).FindAllString(c.Path, -1) {
				found[strings.TrimSuffix(path, "-")] = true
			}
		}
	}
	delete(found, "MSH")
	var names []string
	for name := range found {
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.DeleteFunc(names, func(name string) bool { return name == "PID" || name == "OBX" })
}

// marked is a message of a type with a mark in every field, component and sub-component
// of every segment that a table reads, and results of every type of value.
func marked(messageType string, mark func(segment string, field, component, subcomponent int) string) []byte {
	segment := func(name, first string) string {
		fields := []string{name}
		for field := 1; field <= 50; field++ {
			var components []string
			for component := 1; component <= 10; component++ {
				components = append(components, mark(name, field, component, 1)+"&"+mark(name, field, component, 2))
			}
			fields = append(fields, strings.Join(components, "^"))
		}
		if first != "" {
			fields[2] = first
		}
		return strings.Join(fields, "|") + "\r"
	}
	m := strings.Builder{}
	fmt.Fprintf(&m, "MSH|^~\\&|%s|%s|%s|%s|%s||%s|%s|P|2.5.1\r", mark("MSH", 3, 1, 1), mark("MSH", 4, 1, 1), mark("MSH", 5, 1, 1),
		mark("MSH", 6, 1, 1), mark("MSH", 7, 1, 1), messageType, mark("MSH", 10, 1, 1))
	m.WriteString(segment("PID", ""))
	for _, name := range readSegments() {
		m.WriteString(segment(name, ""))
	}
	for _, kind := range strings.Fields("TX FT ST NM SN CQ NR CE CWE CNE CF ID IS TS DTM DT TM ED RP CX XPN XAD XTN EI HD MO ZZ") {
		m.WriteString(segment("OBX", kind))
	}
	return []byte(m.String())
}

// unmarked fails the test where a mark stands in the twin, in the bytes of a file or in
// a value, but in columns of a class that may have it.
func unmarked(t *testing.T, files memory, mark *regexp.Regexp, may ...tables.Class) {
	t.Helper()
	rows := 0
	for _, table := range tables.Deidentified() {
		file := files[table.Name]
		if file == nil {
			t.Errorf("%s has no row", table.Name)
			continue
		}
		if len(may) == 0 && mark.Match(file.Bytes()) {
			t.Errorf("the file of %s has %s", table.Name, mark.Find(file.Bytes()))
		}
		files.rows(t, table.Name, func(_ *tables.Reader, row []any) {
			rows++
			for i, v := range row {
				if found := mark.FindString(fmt.Sprint(v)); found != "" && !slices.Contains(may, table.Columns[i].Class) {
					t.Errorf("%s.%s has %s", table.Name, table.Columns[i].Name, found)
				}
			}
		})
	}
	if rows < 30 {
		t.Errorf("only %d rows", rows)
	}
}

func TestNothingThatWasSentIsInTheTwinButCodesAndNumbers(t *testing.T) {
	n := 0
	for name, test := range map[string]struct {
		mark func(segment string, field, component, subcomponent int) string
		find *regexp.Regexp
		may  []tables.Class
	}{
		"words": {func(s string, f, c, sub int) string { return fmt.Sprintf("Canary of %s-%d.%d.%d", s, f, c, sub) },
			regexp.MustCompile(`(?i)canary[^,]*`), nil},
		"an address":        {func(string, int, int, int) string { return "canary@example.org" }, regexp.MustCompile("canary"), nil},
		"a page":            {func(string, int, int, int) string { return "http://canary" }, regexp.MustCompile("canary"), nil},
		"a social security": {func(string, int, int, int) string { return "123-45-6789" }, regexp.MustCompile("45-?6789"), nil},
		"a telephone":       {func(string, int, int, int) string { return "(802)555-1234" }, regexp.MustCompile("555-?1234"), nil},
		"what looks like a code": {func(string, int, int, int) string { n++; return fmt.Sprintf("CANARY%d", n) },
			regexp.MustCompile("CANARY[0-9]+"), []tables.Class{tables.Code}},
		"a number": {func(string, int, int, int) string { n++; return fmt.Sprint(40_000_000 + n) },
			regexp.MustCompile("^(4[0-9]{7}|4[.][0-9]+e[+]07)$"), []tables.Class{tables.Code, tables.Quantity}},
		"a day": {func(_ string, f, c, _ int) string { return fmt.Sprintf("202602%02d", (f+c)%28+1) },
			regexp.MustCompile("202602[0-9]{2}|2[.]02602[0-9]*e[+]07|2026-02"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			files := deidentified(t, secret,
				tables.Message{Root: root, Received: received, Body: marked("ORU^R01", test.mark)},
				tables.Message{Root: root, Received: received, Body: marked("VXU^V04", test.mark)}) // whose RXA are immunizations
			unmarked(t, files, test.find, test.may...)
			unmarked(t, files, regexp.MustCompile(regexp.QuoteMeta(root)))
			unmarked(t, files, regexp.MustCompile("2026-03-14"))
		})
	}
}

func TestAllDatesOfAPatientAreMovedBackByTheSameDays(t *testing.T) {
	main, twin := written(t, fixtures(t)...), deidentified(t, secret, fixtures(t)...)
	shifts := map[int]map[int]bool{} // by message
	for _, table := range tables.Deidentified() {
		var were [][]any
		of := tables.New().All()[slices.IndexFunc(tables.New().All(), func(t *tables.Table) bool { return t.Name == table.Name })]
		main.rows(t, table.Name, func(_ *tables.Reader, row []any) { were = append(were, slices.Clone(row)) })
		n := 0
		twin.rows(t, table.Name, func(_ *tables.Reader, row []any) {
			was := were[n]
			n++
			for i, c := range table.Columns {
				before, ok := was[of.Index(c.Name)].(time.Time)
				if c.Class != tables.Day || !ok || row[i] == nil {
					continue
				}
				hours := int(before.Sub(row[i].(time.Time)).Hours())
				if hours%24 != 0 || hours < 24 || hours > 365*24 {
					t.Errorf("%s.%s: %v became %v", table.Name, c.Name, before, row[i])
				}
				message := int(was[0].(string)[35] - '0')
				if shifts[message] == nil {
					shifts[message] = map[int]bool{}
				}
				shifts[message][hours/24] = true
			}
		})
	}
	for message, days := range shifts {
		if len(days) != 1 {
			t.Errorf("message %d: %v", message, days)
		}
	}
	if !cmp.Equal(shifts[0], shifts[1]) || cmp.Equal(shifts[0], shifts[2]) || len(shifts) != 4 {
		t.Errorf("the first two messages are of one patient, and no other: %v", shifts)
	}
}

func TestAnotherKeyMakesOtherPseudonymsAndTheSameKeyTheSame(t *testing.T) {
	pseudonyms := func(key string) (found []string) {
		deidentified(t, []byte(key), fixtures(t)...).rows(t, "patients", func(r *tables.Reader, row []any) {
			if id, ok := row[slices.Index(r.Columns, "patient_id")].(string); ok {
				found = append(found, id)
			}
		})
		return found
	}
	first, again, other := pseudonyms("a key"), pseudonyms("a key"), pseudonyms("another")
	if !slices.Equal(first, again) || first[0] != first[1] || first[1] == first[2] {
		t.Errorf("%q, and again %q", first, again)
	}
	for _, id := range other {
		if slices.Contains(first, id) {
			t.Errorf("%s does not depend on the key", id)
		}
	}
}

func TestRowsOfTheTwinAreJoinedByTheSamePseudonyms(t *testing.T) {
	files := deidentified(t, secret, fixtures(t)...)
	of := func(table, column string) map[string]bool {
		found := map[string]bool{}
		files.rows(t, table, func(r *tables.Reader, row []any) {
			if id, ok := row[slices.Index(r.Columns, column)].(string); ok {
				found[id] = true
			}
		})
		return found
	}
	patients, identifiers := of("patients", "patient_id"), of("identifiers", "id")
	for id := range of("observations", "patient_id") {
		if !patients[id] || !identifiers[id] {
			t.Errorf("%s is in no row of patients or of identifiers", id)
		}
	}
	if diff := cmp.Diff(of("orders", "filler_number"), of("observations", "filler_number")); diff != "" {
		t.Errorf("numbers of orders: %s", diff)
	}
	if roots := of("messages", "root"); len(roots) != 4 {
		t.Errorf("the roots are %v", roots)
	}
}

func TestAZIPCodeIsCutToThreeDigitsAndHiddenForASmallArea(t *testing.T) {
	for address, want := range map[string]any{
		"VT^05901": "000", "NH^03601": "000", "ca^90210": "902", "CA^90210-1234": "902", "CA^902101234": "902", "CA^9021": nil,
		"CA^90210-12345": nil, "CA^9021O": nil, "CA^90-2101234": nil, "Bayern^80331": nil, "^90210": nil, "CA^-----": nil, "CA^\"\"": nil,
	} {
		m := tables.Message{Root: root, Received: received, Body: []byte("MSH|^~\\&|A|B|||2026||ADT^A01|1|P|2.5\rPID|1||1||||||||^^^" + address + "\r")}
		deidentified(t, secret, m).rows(t, "patients", func(r *tables.Reader, row []any) {
			if got := row[slices.Index(r.Columns, "postal_code")]; got != want {
				t.Errorf("%s: %v, want %v", address, got, want)
			}
		})
	}
}

func TestNinetyIsTheHighestAge(t *testing.T) {
	for birth, want := range map[string]time.Duration{"19360315": 89, "19360314": 90, "1936": 90, "18990101": 90, "20260313": 0} {
		m := tables.Message{Root: root, Received: received, Body: []byte("MSH|^~\\&|A|B|||2026||ADT^A01|1|P|2.5\rPID|1||1||||" + birth + "\r")}
		deidentified(t, secret, m).rows(t, "patients", func(r *tables.Reader, row []any) {
			born, accepted := row[slices.Index(r.Columns, "birth_date")].(time.Time), row[slices.Index(r.Columns, "received_at")].(time.Time)
			age := accepted.Year() - born.Year()
			if born.AddDate(age, 0, 0).After(accepted) {
				age--
			}
			if age != int(want) || age == 90 && (born.Month() != 1 || born.Day() != 1) {
				t.Errorf("%s: born %v, accepted %v, %d years", birth, born, accepted, age)
			}
		})
	}
}

func TestTheTwinOfManyMessagesIsTheSameAgain(t *testing.T) {
	all := slices.Repeat(fixtures(t), 300)
	first, second := deidentified(t, secret, all...), deidentified(t, secret, all...)
	for name, file := range first {
		if !bytes.Equal(file.Bytes(), second[name].Bytes()) {
			t.Errorf("%s is not the same again", name)
		}
	}
	rows := 0
	first.rows(t, "observations", func(*tables.Reader, []any) { rows++ })
	if rows != 6*300 {
		t.Errorf("%d results", rows)
	}
}
