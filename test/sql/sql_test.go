// Package sql tries the SQL of docs/lake.md in DuckDB, on the folder of a lake with a
// thousand messages of every shape. What a reader pastes must give an answer, and leave
// nothing out. It also asks twenty questions of tables and of JSON, whose answers are
// known, and measures them.
package sql_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hl7lake/client"
	"hl7lake/cmd/lake/samples"
	"hl7lake/cmd/lake/scenario"
	"hl7lake/internal/testing/judge"
	"hl7lake/local"
	"hl7lake/local/store"
)

// messages is how many the lake gets: more than the number of files that DuckDB looks at
// before it decides what a file may hold.
const messages = 1000

// components is how many components the field of the largest message has.
const components = 2_150_000

// TestTheSQLOfTheDocumentsAnswersForEveryMessage runs the document's statements one after
// the other, then asks what they defined for things that few messages have.
func TestTheSQLOfTheDocumentsAnswersForEveryMessage(t *testing.T) {
	node := duckDB(t)
	shown := document(t)
	folder, sent := filled(t)

	answers := ask(t, node, folder, shown)
	if len(answers) < 3 {
		t.Fatalf("docs/lake.md has %d statements, want a view and at least two queries of it", len(answers))
	}
	var counted int
	for _, row := range answers[1] {
		counted += number(t, row["messages"])
		if _, err := time.Parse(time.DateOnly, fmt.Sprint(row["date"])); err != nil || row["source"] != scenario.Institution || row["type"] == nil {
			t.Errorf("a count by source, day and type: %v", row)
		}
	}
	if counted != sent.staged {
		t.Errorf("the document's first query counts %d messages, want %d", counted, sent.staged)
	}
	if !slices.ContainsFunc(answers[2], func(row map[string]any) bool { return row["family_name"] == "Sample0077" }) {
		t.Errorf("the document's second query has no PID-5[1].1 of Sample0077 in %d rows", len(answers[2]))
	}

	questions := []struct{ ask, want string }{
		// What one message of a thousand has.
		{"SELECT segment.fields['19'][1]['1'] AS n FROM (SELECT unnest(segments) AS segment FROM messages) WHERE segment.id = 'PV1' AND n IS NOT NULL",
			`[{"n":"VISIT-400"}]`},
		{"SELECT segment.fields['3'][2]['4.2'] AS n FROM (SELECT unnest(segments) AS segment FROM messages) WHERE segment.id = 'ZZ9'",
			`[{"n":"deep"}]`},
		// Times as precise as they were sent.
		{"SELECT message.sent_at AS n FROM messages WHERE message.control_id IN ('20', '21') ORDER BY n",
			`[{"n":"2026"},{"n":"2026-01-02T03:04:05.678-05:00"}]`},
		// What is deleted, and what is absent.
		{"SELECT segment.fields['8'][1]['1'] AS deleted, segment.fields['9'] AS absent FROM (SELECT message, unnest(segments) AS segment FROM messages)" +
			" WHERE segment.id = 'PID' AND message.control_id = '22'",
			`[{"absent":null,"deleted":"\"\""}]`},
		// The largest that the lake makes.
		{fmt.Sprintf("SELECT segments[2].fields['5'][1]['%d'] AS n FROM messages WHERE message.control_id = '300'", components),
			`[{"n":"a"}]`},
		// What all have.
		{"SELECT count(DISTINCT root) = count(*) AND count(received::TIMESTAMPTZ) = count(*) AND count(raw.key) = count(*)" +
			" AND count(message.charset.used) = count(*) AS n FROM messages",
			`[{"n":true}]`},
	}
	sql := view(t, shown)
	for _, question := range questions {
		sql += ";\n" + question.ask
	}
	answers = ask(t, node, folder, sql)[1:] // without the view's own
	for i, question := range questions {
		got, err := json.Marshal(answers[i])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(question.want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", question.ask, diff)
		}
	}
}

// corpus is what the lake got.
type corpus struct{ staged int }

// filled returns a folder with the .lake of a lake that has processed the messages.
func filled(t *testing.T) (folder string, sent corpus) {
	t.Helper()
	folder = t.TempDir()
	running, err := local.Start(t.Context(), local.Options{
		Dir: filepath.Join(folder, ".lake"), Addr: "127.0.0.1:0", Durability: store.Fleeting, EventsPerInstance: 16,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := running.Close(); err != nil {
			t.Error(err)
		}
	}()
	connection, err := client.ConnectionTo(running)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := connection.Pool(nil)
	if err != nil {
		t.Fatal(err)
	}
	user, password := client.User{Email: "engine@example.org", Write: scenario.Institution, Read: client.Institutions{scenario.Institution}}, client.NewPassword()
	if err := pool.Add(t.Context(), user, password); err != nil {
		t.Fatal(err)
	}
	api, err := connection.Client(pool.SignIn(user.Email, password))
	if err != nil {
		t.Fatal(err)
	}

	var work sync.WaitGroup
	queue := make(chan client.Message)
	var lock sync.Mutex
	for range 16 {
		work.Go(func() {
			for message := range queue {
				receipt, err := api.Send(t.Context(), message)
				if err != nil {
					t.Errorf("send: %v", err)
					continue
				}
				history, err := api.Wait(t.Context(), receipt.ID)
				if err != nil {
					t.Errorf("wait: %v", err)
					continue
				}
				if _, isJSON := history.Find(client.Staging); isJSON {
					lock.Lock()
					sent.staged++
					lock.Unlock()
				}
			}
		})
	}
	for n := range messages {
		queue <- mixed(n)
	}
	close(queue)
	work.Wait()
	if sent.staged < messages-10 || t.Failed() {
		t.Fatalf("%d of %d messages have JSON", sent.staged, messages)
	}
	return folder, sent
}

// mixed returns the message of a number: first unusual ones, with things that only few
// files have.
func mixed(n int) client.Message {
	header := func(sentAt, version string) string {
		return fmt.Sprintf("MSH|^~\\&|APP|HERE|LAKE||%s||ADT^A01|%d|T|%s\r", sentAt, n, version)
	}
	others := samples.Others()
	switch {
	case n < len(others):
		return client.Message{Body: append(slices.Clone(others[n].Body), fmt.Sprintf("\rZZZ|%d\r", n)...), Charset: others[n].Charset}
	case n == 20:
		return client.Message{Body: []byte(header("2026", "2.4") + "PID|1||20\r")}
	case n == 21:
		return client.Message{Body: []byte(header("20260102030405.678-0500", "2.4") + "PID|1||21\r")}
	case n == 22:
		return client.Message{Body: []byte(header("20260102", "2.4") + "PID|1||22|||||\"\"\r")}
	case n == 300: // its JSON, with a key for every two bytes, is near the most that the lake makes of a message
		return client.Message{Body: []byte(header("20260102", "2.5.1") + "OBX|1|ST|A||" + strings.Repeat("a^", components) + "\r")}
	case n == 400:
		return client.Message{Body: []byte(header("20260102", "2.3") + "PV1|1|I|||||||||||||||||VISIT-400\r")}
	case n == 500:
		return client.Message{Body: []byte(header("20260102", "2.8") + "ZZ9|1||a~b^^^c&deep\r")}
	}
	return client.Message{Body: []byte(header("202601020304", "2.4") + fmt.Sprintf("PID|1||%d^^^HERE||Sample%04d^Sue\r", n, n))}
}

// view is the first statement of the document's SQL.
func view(t *testing.T, sql string) string {
	t.Helper()
	text, _, found := strings.Cut(sql, ";")
	if !found {
		t.Fatalf("no statement in %s", sql)
	}
	return text
}

// document is the SQL of docs/lake.md.
func document(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/lake.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)\n```sql\n(.*?)```").FindAllSubmatch(text, -1)
	if len(blocks) != 1 {
		t.Fatalf("docs/lake.md has %d blocks of SQL, want one", len(blocks))
	}
	return string(blocks[0][1])
}

// duckDB is the Node.js that has DuckDB beside this test.
func duckDB(t *testing.T) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err == nil {
		var installed, pinned struct {
			Version      string
			Dependencies map[string]string
		}
		if err = readJSON("package.json", &pinned); err != nil {
			t.Fatal(err)
		}
		err = readJSON("node_modules/@duckdb/node-api/package.json", &installed)
		if want := pinned.Dependencies["@duckdb/node-api"]; err == nil && installed.Version != want {
			err = fmt.Errorf("it is %s, want %s", installed.Version, want)
		}
	}
	if err != nil {
		judge.Missing(t, "duckdb", fmt.Sprintf("DuckDB is not installed, so no SQL was tried (npm ci --prefix test/sql): %v", err))
	}
	return node
}

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// ask runs statements in the folder and returns the rows of each.
func ask(t *testing.T, node, folder, sql string) (answers [][]map[string]any) {
	t.Helper()
	script, err := filepath.Abs("ask.mjs")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), node, script)
	command.Dir, command.Stdin = folder, strings.NewReader(sql)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%s\n%v: %s", sql, err, stderr.Bytes())
	}
	for line := range bytes.Lines(output) {
		var rows []map[string]any
		if err := json.Unmarshal(line, &rows); err != nil {
			t.Fatal(err)
		}
		answers = append(answers, rows)
	}
	return answers
}

// number is a count. DuckDB writes it as text in JSON, because it has more digits than
// JavaScript's numbers.
func number(t *testing.T, value any) int {
	t.Helper()
	var n int
	if _, err := fmt.Sscan(fmt.Sprint(value), &n); err != nil {
		t.Fatalf("%v is no number", value)
	}
	return n
}
