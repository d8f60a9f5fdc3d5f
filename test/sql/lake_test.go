package sql_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hl7lake/hl7"
	"hl7lake/tables"
)

// institution is the source of the messages.
const institution = "st-elsewhere"

// accepted is when the first message was accepted.
var accepted = time.Date(2026, 3, 16, 6, 0, 0, 0, time.UTC)

// day is how long it took until the last message was accepted.
const day = 24 * time.Hour

// A lakeFolder has messages as JSON and as tables.
type lakeFolder struct {
	path     string
	readable [][]byte // those that have JSON, as they were sent
}

// json is the SQL before a question over JSON.
func (l lakeFolder) json() string {
	return fmt.Sprintf(jsonPreamble, filepath.ToSlash(filepath.Join(l.path, "staging", "**", "*.json")))
}

// tables is the SQL before a question over tables.
func (l lakeFolder) tables() string {
	return tables.DuckDB(filepath.ToSlash(filepath.Join(l.path, "tables")), tables.New().All(), func(table *tables.Table) bool {
		found, err := filepath.Glob(filepath.Join(l.path, "tables", table.Name, "*", "*", "*", tables.FileName))
		return err == nil && len(found) > 0
	})
}

// writeLake writes messages, accepted in a day, as JSON and as tables. A message that
// cannot be read has a row in the table messages, and no JSON.
func writeLake(t testing.TB, bodies [][]byte) lakeFolder {
	t.Helper()
	l := lakeFolder{path: t.TempDir()}
	var w *tables.Writer
	var hour time.Time
	closeHour := func() {
		if w == nil {
			return
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for i, body := range bodies {
		received := accepted.Add(day / time.Duration(len(bodies)) * time.Duration(i))
		if start := received.Truncate(time.Hour); start != hour {
			closeHour()
			w, hour = tables.NewWriter(l.hour(start)), start
		}
		sum := sha256.Sum256(body)
		root := uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(sum[:], i)).String()
		if err := w.Add(tables.Message{Root: root, Received: received, Body: body}); err != nil {
			t.Fatal(err)
		}
		document := staged(t, root, received, body)
		if document == nil {
			continue
		}
		l.readable = append(l.readable, body)
		path := filepath.Join(l.path, "staging", "protocol=hl7v2", "source="+institution, "date="+received.Format(time.DateOnly), root+".json")
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, document, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	closeHour()
	return l
}

// hour opens the files of an hour's tables.
func (l lakeFolder) hour(start time.Time) tables.Files {
	return func(table *tables.Table) (io.WriteCloser, error) {
		path := filepath.Join(l.path, "tables", filepath.FromSlash(tables.Key(table.Name, institution, start.Format(time.DateOnly), start.Hour())))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		return os.Create(path)
	}
}

// staged is a message's JSON in the shape of docs/lake.md, without what no question asks
// for; nil if the message cannot be read.
func staged(t testing.TB, root string, received time.Time, body []byte) []byte {
	t.Helper()
	m, err := hl7.Parse(body)
	if err != nil {
		return nil
	}
	header := m.Header()
	document, err := json.Marshal(map[string]any{
		"root": root, "source": institution, "received": received,
		"message": map[string]any{
			"type": header.Type, "version": nullable(header.Version), "control_id": nullable(header.ControlID),
			"sending": map[string]any{"app": nullable(header.SendingApplication)},
		},
		"segments": json.RawMessage(m.AppendJSON(nil, hl7.JSON{})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return append(document, '\n')
}

// nullable is nil for a value that is absent.
func nullable(value string) any {
	if value == "" {
		return nil
	}
	return value
}

// sharedCorpus returns messages of many senders, which are not in this repository.
func sharedCorpus(t *testing.T) (bodies [][]byte) {
	t.Helper()
	files, err := filepath.Glob("../../../shared/corpus/*/*")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("SKIPPED: the corpus is not there")
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r := hl7.NewReader(bytes.NewReader(content))
		for {
			part, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if part.Kind == hl7.Single {
				bodies = append(bodies, bytes.Clone(part.Data))
			}
		}
	}
	return bodies
}

// feed is a small sample of what a hospital sends in two weeks: admissions, discharges,
// merges and laboratory reports. The messages are invented, and the same each time.
func feed(n int) [][]byte {
	random := rand.New(rand.NewPCG(2026, 3))
	bodies := make([][]byte, n)
	for i := range bodies {
		p := visit{random: random, patient: random.IntN(n/4 + 1), number: i}
		p.at = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC).Add(time.Duration(random.IntN(14*24*60)) * time.Minute)
		p.ward = []string{"3WEST", "3EAST", "ICU", "ED"}[random.IntN(4)]
		var text string
		switch {
		case i%10 == 9:
			text = p.merge()
		case i%10 >= 7:
			text = p.discharge()
		case i%2 == 0:
			text = p.admission()
		default:
			text = p.report()
		}
		bodies[i] = []byte(strings.ReplaceAll(text, "\n", "\r"))
	}
	return bodies
}

// A visit is what a message of the feed is about.
type visit struct {
	random          *rand.Rand
	number, patient int
	ward            string
	at              time.Time
}

// stamp is a time some minutes later, as HL7 writes it.
func (v visit) stamp(minutes int) string {
	return v.at.Add(time.Duration(minutes) * time.Minute).Format("20060102150405")
}

func (v visit) header(kind, structure, version string) string {
	from := "WARDS"
	if structure == "ORU_R01" {
		from = "LAB"
	}
	return fmt.Sprintf("MSH|^~\\&|%s|NORTHFIELD|LAKE|NORTHFIELD|%s||%s^%s|N%d|P|%s\n", from, v.stamp(90), kind, structure, v.number, version)
}

func (v visit) pid() string {
	return fmt.Sprintf("PID|1||9%d^^^NORTHFIELD^MR~X%d^^^REGISTRY^SS||Testperson%d^Tilda||%d0%d1%d|%s\n",
		v.patient, v.patient, v.patient, 1930+v.patient%80, 1+v.patient%9, v.patient%10, []string{"F", "M", "U"}[v.patient%3])
}

func (v visit) pv1(class, discharged string) string {
	return fmt.Sprintf("PV1|1|%s|%s^%d^A|||||||||||||||||||||||||||||||||||||||||%s|%s\n", class, v.ward, 100+v.patient%40, v.stamp(0), discharged)
}

func (v visit) admission() string {
	text := v.header("ADT^A01", "ADT_A01", "2.5.1") + "EVN|A01|" + v.stamp(1) + "\n" + v.pid() + v.pv1("I", "") +
		fmt.Sprintf("DG1|1||%s^^I10|||A\n", []string{"A41.9", "J18.9", "N39.0", "I21.4"}[v.random.IntN(4)])
	if v.random.IntN(3) == 0 {
		text += fmt.Sprintf("AL1|1|DA|PEN^Penicillin^L|%s|Hives\n", []string{"SV", "MO", "MI"}[v.random.IntN(3)])
	}
	return text + fmt.Sprintf("ZBD|1|%s~standby|A^%d\n", v.ward, v.patient)
}

func (v visit) discharge() string {
	return v.header("ADT^A03", "ADT_A03", "2.3") + "EVN|A03|" + v.stamp(1) + "\n" + v.pid() + v.pv1([]string{"I", "E"}[v.random.IntN(2)], v.stamp(60+v.random.IntN(9000)))
}

func (v visit) merge() string {
	return v.header("ADT^A40", "ADT_A39", "2.5.1") + "EVN|A40|" + v.stamp(1) + "\n" + v.pid() + fmt.Sprintf("MRG|8%d^^^NORTHFIELD^MR~Y%d^^^REGISTRY^SS\n", v.patient, v.patient)
}

// report has one order, of a metabolic panel or of the tests for a suspected sepsis.
func (v visit) report() string {
	collected, reported := v.stamp(0), v.stamp(20+v.random.IntN(240))
	text := v.header("ORU^R01", "ORU_R01", "2.5.1") + v.pid() + v.pv1("I", "")
	obr := func(code, name string) string {
		return fmt.Sprintf("OBR|1|ORD%d^WARDS|LAB%d^LAB|%s^%s^LN|||%s|||||||||||||||%s|||F\n", v.number, v.number, code, name, collected, reported)
	}
	obx := func(n int, kind, code, name, value, unit, flag string) string {
		return fmt.Sprintf("OBX|%d|%s|%s^%s^LN||%s|%s|3.5-5.1|%s|||F|||%s\n", n, kind, code, name, value, unit, flag, reported)
	}
	number := func(least, tenths int) string {
		return fmt.Sprintf("%d.%d", least+v.random.IntN(tenths)/10, v.random.IntN(10))
	}
	if v.random.IntN(5) > 0 {
		return text + obr("24323-8", "Metabolic panel") + obx(1, "NM", "2345-7", "Glucose", number(3, 90), "mmol/L", []string{"N", "H", "HH", ""}[v.random.IntN(4)]) +
			obx(2, "NM", "2823-3", "Potassium", number(3, 30), "mmol/L", "N") + obx(3, "SN", "2160-0", "Creatinine", ">^1.2", "mg/dL", "H~A")
	}
	text += obr("75241-0", "Sepsis panel") + obx(1, "NM", "2524-7", "Lactate", number(0, 80), "mmol/L", "H") + obx(2, "NM", "33959-8", "Procalcitonin", number(0, 400), "ng/mL", "HH")
	if v.random.IntN(2) == 0 {
		text += obx(3, "CE", "600-7", "Blood culture", "112283007^Escherichia coli^SCT", "", "A") + "NTE|1|L|Called to the ward.\n"
	}
	return text
}
