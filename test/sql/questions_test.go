package sql_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"hl7lake/internal/testing/judge"

	"github.com/google/go-cmp/cmp"
)

// A question is what a person asks of a lake, in SQL over its tables and in SQL over its
// JSON. test/sql/count.py answers the same questions from the messages themselves.
type question struct {
	ask    string
	tables string
	json   string // over the views and macros of jsonPreamble
}

// questions are those of docs/tables.md, in its order.
func questions() []question {
	return []question{
		{"How many messages of each type?",
			`SELECT type, count(*) FROM messages WHERE problem IS NULL GROUP BY ALL`,
			`SELECT message.type, count(*) FROM messages GROUP BY ALL`},
		{"How many messages of each version of HL7?",
			`SELECT version, count(*) FROM messages WHERE problem IS NULL GROUP BY ALL`,
			`SELECT message.version, count(*) FROM messages GROUP BY ALL`},
		{"Which programs send?",
			`SELECT sending_application, count(*) FROM messages WHERE problem IS NULL GROUP BY ALL`,
			`SELECT message.sending.app, count(*) FROM messages GROUP BY ALL`},
		{"Of which sex are the patients?",
			`SELECT sex, count(*) FROM patients GROUP BY ALL`,
			`SELECT value(fields, '8', '1'), count(*) FROM segments WHERE id = 'PID' AND filled(fields) GROUP BY ALL`},
		{"In which decades were they born?",
			`SELECT year(birth_date) // 10 * 10, count(*) FROM patients WHERE birth_date IS NOT NULL GROUP BY ALL`,
			`SELECT year(moment(value(fields, '7', '1'))) // 10 * 10, count(*) FROM segments
			 WHERE id = 'PID' AND moment(value(fields, '7', '1')) IS NOT NULL GROUP BY ALL`},
		{"Which types of identifiers do they have?",
			`SELECT type, count(*) FROM identifiers WHERE field = 3 GROUP BY ALL`,
			`SELECT r['5'], count(*) FROM (SELECT unnest(fields['3']) AS r FROM segments WHERE id = 'PID')
			 WHERE len(map_keys(r)) > 0 GROUP BY ALL`},
		{"How many identifiers became another one, by the messages' types?",
			`SELECT m.type, count(*) FROM patient_links l JOIN messages m USING (root) GROUP BY ALL`,
			`SELECT type, count(*) FROM (SELECT message.type AS type, unnest(fields['1']) AS r FROM segments WHERE id = 'MRG')
			 WHERE len(map_keys(r)) > 0 GROUP BY ALL`},
		{"How many reports of visits, by class?",
			`SELECT class, count(*) FROM visits GROUP BY ALL`,
			`SELECT value(fields, '2', '1'), count(*) FROM segments WHERE id = 'PV1' AND filled(fields) GROUP BY ALL`},
		{"On which wards?",
			`SELECT ward, count(*) FROM visits GROUP BY ALL`,
			`SELECT value(fields, '3', '1'), count(*) FROM segments WHERE id = 'PV1' AND filled(fields) GROUP BY ALL`},
		{"How long is a stay, in hours, by class?",
			`SELECT class, count(*), avg(date_diff('minute', admitted_at, discharged_at)) / 60
			 FROM visits WHERE admitted_at IS NOT NULL AND discharged_at IS NOT NULL GROUP BY ALL`,
			`SELECT value(fields, '2', '1'), count(*),
			   avg(date_diff('minute', moment(value(fields, '44', '1')), moment(value(fields, '45', '1')))) / 60
			 FROM segments WHERE id = 'PV1' AND moment(value(fields, '44', '1')) IS NOT NULL
			   AND moment(value(fields, '45', '1')) IS NOT NULL GROUP BY ALL`},
		{"How many results has each examination?",
			`SELECT service_code, count(*) FROM observations GROUP BY ALL`,
			`SELECT value("order", '4', '1'), count(*) FROM results GROUP BY ALL`},
		{"How fast is each examination, in minutes from the specimen to the report?",
			`SELECT service_code, count(*), avg(date_diff('minute', collected_at, reported_at))
			 FROM orders WHERE collected_at IS NOT NULL AND reported_at IS NOT NULL GROUP BY ALL`,
			`SELECT value(fields, '4', '1'), count(*),
			   avg(date_diff('minute', moment(value(fields, '7', '1')), moment(value(fields, '22', '1'))))
			 FROM segments WHERE id = 'OBR' AND moment(value(fields, '7', '1')) IS NOT NULL
			   AND moment(value(fields, '22', '1')) IS NOT NULL GROUP BY ALL`},
		{"Of which types are the values of results?",
			`SELECT value_type, count(*) FROM observations GROUP BY ALL`,
			`SELECT value(fields, '2', '1'), count(*) FROM results GROUP BY ALL`},
		{"Between which bounds are the numbers, and what is their mean, by code and unit?",
			`SELECT observation_code, unit, count(*), min(value_number), avg(value_number), max(value_number)
			 FROM observations WHERE value_type = 'NM' AND value_number IS NOT NULL GROUP BY ALL`,
			`SELECT value(fields, '3', '1'), value(fields, '6', '1'), count(*), min(n), avg(n), max(n)
			 FROM (SELECT fields, TRY_CAST(value(fields, '5', '1') AS DOUBLE) AS n FROM results WHERE value(fields, '2', '1') = 'NM')
			 WHERE n IS NOT NULL GROUP BY ALL`},
		{"How many results are flagged as abnormal, by flag?",
			`SELECT abnormal_flags, count(*) FROM observations WHERE abnormal_flags IS NOT NULL GROUP BY ALL`,
			`SELECT flags, count(*) FROM (SELECT list_aggregate([r['1'] FOR r IN fields['8'] IF r['1'] IS NOT NULL], 'string_agg', '~') AS flags
			   FROM results) WHERE flags IS NOT NULL GROUP BY ALL`},
		{"How many sepsis labs last week, by ward, and how fast?",
			`SELECT v.ward, count(*), median(date_diff('minute', o.collected_at, o.reported_at)), max(o.value_number)
			 FROM observations o LEFT JOIN visits v ON v.root = o.root AND v.seq = o.visit_seq
			 WHERE o.observation_code IN ('2524-7', '33959-8', '600-7') -- lactate, procalcitonin, blood culture
			   AND o.reported_at >= '2026-03-09' AND o.reported_at < '2026-03-16' GROUP BY ALL`,
			`SELECT value(visit, '3', '1'), count(*),
			   median(date_diff('minute', moment(value("order", '7', '1')), moment(value("order", '22', '1')))),
			   max(CASE WHEN value(fields, '2', '1') = 'NM' THEN TRY_CAST(value(fields, '5', '1') AS DOUBLE) END)
			 FROM results WHERE value(fields, '3', '1') IN ('2524-7', '33959-8', '600-7')
			   AND moment(value("order", '22', '1')) >= '2026-03-09' AND moment(value("order", '22', '1')) < '2026-03-16' GROUP BY ALL`},
		{"What are notes about?",
			`SELECT about_segment, count(*) FROM notes GROUP BY ALL`,
			`SELECT about, count(*) FROM (SELECT id, fields, last_value(CASE WHEN id <> 'NTE' THEN id END IGNORE NULLS)
			     OVER (PARTITION BY root ORDER BY seq) AS about FROM segments)
			 WHERE id = 'NTE' AND filled(fields) GROUP BY ALL`},
		{"Which diagnoses?",
			`SELECT code, count(*) FROM diagnoses GROUP BY ALL`,
			`SELECT value(fields, '3', '1'), count(*) FROM segments WHERE id = 'DG1' AND filled(fields) GROUP BY ALL`},
		{"Which kinds of allergies, and how severe?",
			`SELECT type_code, severity_code, count(*) FROM allergies GROUP BY ALL`,
			`SELECT value(fields, '2', '1'), value(fields, '4', '1'), count(*) FROM segments
			 WHERE id IN ('AL1', 'IAM') AND filled(fields) GROUP BY ALL`},
		{"Which segments of the house's own (Z), and with how many values?",
			`SELECT segment, count(DISTINCT (root, seq)), count(*) FROM "values" WHERE segment LIKE 'Z%' AND field > 0 GROUP BY ALL`,
			`SELECT id, count(*), sum(list_sum([list_sum([len(map_keys(r)) FOR r IN reps]) FOR reps IN map_values(fields)]))::BIGINT
			 FROM segments WHERE id LIKE 'Z__' AND filled(fields) GROUP BY ALL`},
	}
}

// jsonPreamble defines what the questions over JSON have in common: the segments, each a
// row, and the results with the order and the visit that they belong to. Those are the
// last before them, unless a segment that begins something else comes between.
const jsonPreamble = `
CREATE VIEW messages AS FROM read_json('%s', format = 'newline_delimited',
  maximum_object_size = 67_108_864, columns = {root: 'UUID',
    message: 'STRUCT(type VARCHAR, version VARCHAR, sending STRUCT(app VARCHAR))',
    segments: 'STRUCT(seq INTEGER, id VARCHAR, fields MAP(VARCHAR, MAP(VARCHAR, VARCHAR)[]))[]'});
CREATE VIEW segments AS SELECT root, message, s.seq AS seq, s.id AS id, s.fields AS fields
  FROM (SELECT root, message, unnest(segments) AS s FROM messages);
CREATE MACRO value(all_fields, field, component) AS all_fields[field][1][component];
CREATE MACRO filled(all_fields) AS len(map_keys(all_fields)) > 0;
CREATE MACRO moment(t) AS try_strptime(regexp_extract(t, '^[0-9]{4,14}'), ['%%Y%%m%%d%%H%%M%%S', '%%Y%%m%%d%%H%%M', '%%Y%%m%%d', '%%Y%%m', '%%Y']);
CREATE VIEW results AS SELECT root, seq, fields,
    CASE WHEN beginning.id = 'OBR' THEN beginning.fields END AS "order",
    CASE WHEN place.id = 'PV1' THEN place.fields END AS visit
  FROM (SELECT *,
      last_value(CASE WHEN id IN ('PID', 'ORC', 'OBR') THEN {'id': id, 'fields': fields} END IGNORE NULLS) OVER w AS beginning,
      last_value(CASE WHEN id IN ('PID', 'PV1') THEN {'id': id, 'fields': fields} END IGNORE NULLS) OVER w AS place
    FROM segments WINDOW w AS (PARTITION BY root ORDER BY seq))
  WHERE id = 'OBX' AND filled(fields);
`

var update = flag.Bool("update", false, "write the answers of count.py as the golden files")

// TestTwentyQuestionsHaveTheAnswersThatWereCountedFromTheMessages asks the tables and the
// JSON of a feed, and of the corpus of messages by many senders if that is there. The
// golden answers are those of count.py, which reads messages with python-hl7 and knows
// nothing of this module.
func TestTwentyQuestionsHaveTheAnswersThatWereCountedFromTheMessages(t *testing.T) {
	duckdb := duckDBProgram(t)
	if n := len(questions()); n != 20 {
		t.Fatalf("%d questions", n)
	}
	for name, bodies := range map[string]func(*testing.T) [][]byte{
		"feed":   func(*testing.T) [][]byte { return feed(600) },
		"corpus": sharedCorpus,
	} {
		t.Run(name, func(t *testing.T) {
			lake := writeLake(t, bodies(t))
			counted := lake.count(t)
			golden := filepath.Join("testdata", "answers-"+name+".json")
			if *update {
				if counted == nil {
					t.Fatal("python-hl7 has to count")
				}
				writeAnswers(t, golden, counted)
			}
			want := readAnswers(t, golden)
			if counted != nil {
				if diff := cmp.Diff(want, counted); diff != "" {
					t.Errorf("counted from the messages, -golden +got:\n%s", diff)
				}
			}
			for i, q := range questions() {
				fromTables, _ := lake.ask(t, duckdb, lake.tables(), q.tables)
				if diff := cmp.Diff(want[i], fromTables); diff != "" {
					t.Errorf("%d, tables: %s -golden +got:\n%s", i+1, q.ask, diff)
				}
				fromJSON, _ := lake.ask(t, duckdb, lake.json(), q.json)
				if diff := cmp.Diff(want[i], fromJSON); diff != "" {
					t.Errorf("%d, JSON: %s -golden +got:\n%s", i+1, q.ask, diff)
				}
			}
		})
	}
}

// rows is an answer: a text for each row, in order.
type rows []string

// A cost is what an answer took: time, and processor time, which depends less on what
// else the machine does.
type cost struct{ time, processors time.Duration }

// ask asks DuckDB one question after a preamble.
func (l lakeFolder) ask(t testing.TB, duckdb, preamble, query string) (rows, cost) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "preamble.sql")
	if err := os.WriteFile(file, []byte(preamble), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), duckdb, "-no-init", "-bail", "-cmd", ".read '"+file+"'", "-jsonlines", "-c", query)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	begin := time.Now()
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%s\n%v: %s", query, err, stderr.Bytes())
	}
	took := cost{time.Since(begin), command.ProcessState.UserTime() + command.ProcessState.SystemTime()}
	answer := rows{}
	for line := range bytes.Lines(output) {
		if len(bytes.TrimSpace(line)) > 0 { // of no rows, there is an empty line
			answer = append(answer, row(t, line))
		}
	}
	slices.Sort(answer)
	return answer, took
}

// row returns the text of a row that DuckDB writes as an object. The columns keep their
// order.
func row(t testing.TB, object []byte) string {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(object))
	if _, err := decoder.Token(); err != nil { // {
		t.Fatal(err)
	}
	var cells []any
	for decoder.More() {
		if _, err := decoder.Token(); err != nil { // the column's name
			t.Fatal(err)
		}
		var cell any
		if err := decoder.Decode(&cell); err != nil {
			t.Fatal(err)
		}
		cells = append(cells, cell)
	}
	return text(cells)
}

// text returns a row as a text. Numbers have at most three decimals, because the sums of
// DuckDB and of Python may differ in the last digit.
func text(cells []any) string {
	texts := make([]string, len(cells))
	for i, cell := range cells {
		switch v := cell.(type) {
		case nil:
			texts[i] = "NULL"
		case float64:
			texts[i] = strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64)
		default:
			texts[i] = fmt.Sprint(v)
		}
	}
	return strings.Join(texts, " | ")
}

// count is the answers of count.py; nil if python-hl7 is not there and need not be.
func (l lakeFolder) count(t *testing.T) []rows {
	t.Helper()
	const python = "../../.ci/venv-mllp/bin/python"
	if _, err := os.Stat(python); err != nil {
		if judge.Required("python-hl7") {
			t.Fatal("python-hl7 must be there: ", err)
		}
		t.Log("python-hl7 is not there, so the golden answers were not counted again")
		return nil
	}
	raw := t.TempDir()
	for i, body := range l.readable {
		if err := os.WriteFile(filepath.Join(raw, fmt.Sprintf("%06d.er7", i)), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.CommandContext(t.Context(), python, "count.py", raw)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		t.Fatalf("count.py: %v: %s", err, stderr.Bytes())
	}
	var answers [][][]any
	if err := json.Unmarshal(output, &answers); err != nil {
		t.Fatal(err)
	}
	var all []rows
	for _, answer := range answers {
		texts := rows{}
		for _, cells := range answer {
			texts = append(texts, text(cells))
		}
		slices.Sort(texts)
		all = append(all, texts)
	}
	return all
}

func readAnswers(t *testing.T, path string) (answers []rows) {
	t.Helper()
	if err := readJSON(path, &answers); err != nil || len(answers) != len(questions()) {
		t.Fatal(len(answers), err)
	}
	return answers
}

func writeAnswers(t *testing.T, path string, answers []rows) {
	t.Helper()
	content, err := json.MarshalIndent(answers, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(content, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
}

// duckDBProgram returns the program that lake sql runs.
func duckDBProgram(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("duckdb")
	if err != nil {
		judge.Missing(t, "duckdb-cli", "no program duckdb: pip install duckdb-cli==1.5.6")
	}
	return path
}
