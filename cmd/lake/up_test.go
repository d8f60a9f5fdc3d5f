package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"hl7lake/client"
	"hl7lake/cmd/lake/internal/term"
	"hl7lake/local"
	"hl7lake/local/bill"
	"hl7lake/local/iam"
)

// TestTheCommandsAgainstALakeThatIsUp runs a real lake and uses it as a person would, one
// command after the other.
func TestTheCommandsAgainstALakeThatIsUp(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a lake")
	}
	dir := filepath.Join(t.TempDir(), "lake")
	stop := startUp(t, dir)
	defer stop()
	use := func(status int, arguments ...string) result {
		t.Helper()
		got := call(t, nil, "", append(arguments, "--dir", dir)...)
		if got.Status != status {
			t.Fatalf("%v: status %d, want %d: %s%s", arguments, got.Status, status, got.Out, got.Err)
		}
		return got
	}
	messages := map[string]string{}
	for line := range strings.Lines(use(statusDone, "send", "--whole", sampleFolder, "samples/not-hl7.txt", "--user", "writer").Out) {
		fields := strings.Fields(line)
		if fields[0] != "201" {
			t.Error(line)
		}
		messages[filepath.Base(fields[1])] = fields[2]
	}
	admission, text := messages["adt-a01.hl7"], messages["not-hl7.txt"]

	t.Run("what was accepted is refused as a duplicate", func(t *testing.T) {
		again := use(statusDone, "send", filepath.Join(sampleFolder, "adt-a01.hl7"))
		if !strings.Contains(again.Out, "409") || !strings.Contains(again.Out, admission) {
			t.Error(again.Out)
		}
	})
	t.Run("who may only read is refused", func(t *testing.T) {
		refused := use(statusRefused, "send", filepath.Join(sampleFolder, "ack-a01.hl7"), "-u", "reader")
		if !strings.HasPrefix(refused.Out, "403") {
			t.Error(refused.Out)
		}
	})
	t.Run("a message is followed to its JSON", func(t *testing.T) {
		traced := use(statusDone, "trace", admission, "--wait", "-u", "reader")
		if !strings.Contains(traced.Out, "ADT^A01 of st-elsewhere, received") {
			t.Error(traced.Out)
		}
		content := use(statusDone, "get", admission)
		if !json.Valid([]byte(content.Out)) || strings.Count(content.Out, "\n") != 1 {
			t.Error("not one line of JSON:", content.Out)
		}
	})
	t.Run("a text that is not HL7 is followed to its error", func(t *testing.T) {
		traced := use(statusRefused, "trace", text, "--wait")
		if !strings.Contains(traced.Out, "no-header at segment 1, byte 0") {
			t.Error(traced.Out)
		}
		if got := use(statusRefused, "get", text); !strings.Contains(got.Err, "lake trace ID") {
			t.Error(got.Err)
		}
		if got := use(statusDone, "get", text, "--er7"); got.Out != "The fax machine on ward 3 is out of paper again.\n" {
			t.Errorf("%q", got.Out)
		}
	})
	t.Run("who may only write finds nothing", func(t *testing.T) {
		use(statusRefused, "get", admission, "-u", "writer")
	})
	t.Run("a user is added, signs in and is removed", func(t *testing.T) {
		password := strings.TrimSpace(use(statusDone, "users", "add", "new@example.org", "--read", "elsewhere").Out)
		environment := map[string]string{"LAKE_PASSWORD": password}
		if got := call(t, environment, "", "token", "-u", "new@example.org", "--dir", dir); got.Status != statusDone || strings.Count(got.Out, ".") != 2 {
			t.Errorf("%+v", got)
		}
		use(statusRefused, "users", "add", "new@example.org", "--read", "elsewhere")
		if listed := use(statusDone, "users", "list"); !strings.Contains(listed.Out, "new@example.org") {
			t.Error(listed.Out)
		}
		use(statusDone, "users", "remove", "new@example.org")
		use(statusRefused, "users", "remove", "new@example.org")
		use(statusUnusable, "token", "-u", "new@example.org")
	})
	var environment map[string]string
	t.Run("the AWS CLI is told where to look", func(t *testing.T) {
		told := use(statusDone, "env")
		for _, want := range []string{"export AWS_ENDPOINT_URL='http://127.0.0.1:", "export AWS_ENDPOINT_URL_SQS='http://127.0.0.1:"} {
			if !strings.Contains(told.Out, want) {
				t.Errorf("no %s in %s", want, told.Out)
			}
		}
		if err := json.Unmarshal([]byte(use(statusDone, "env", "--json").Out), &environment); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("what has a deployed lake's outputs goes where the environment says", func(t *testing.T) {
		connection, err := client.ReadConnection(filepath.Join(dir, connectionFile))
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(connection.Outputs)
		if err != nil {
			t.Fatal(err)
		}
		outputs := filepath.Join(t.TempDir(), "outputs.json")
		if err := os.WriteFile(outputs, text, 0o600); err != nil {
			t.Fatal(err)
		}
		for name, value := range environment {
			t.Setenv(name, value)
		}
		added := call(t, nil, "", "users", "add", "deployed@example.org", "--write", "elsewhere", "--outputs", outputs)
		if added.Status != statusDone {
			t.Fatalf("%+v", added)
		}
		as := map[string]string{"LAKE_PASSWORD": strings.TrimSpace(added.Out)}
		for _, arguments := range [][]string{{"token", "-u", "deployed@example.org"}, {"users", "list"}, {"users", "remove", "deployed@example.org"},
			{"redrive", "--dry-run"}, {"replay", "--errors", "--dry-run"}} {
			if got := call(t, as, "", append(arguments, "--outputs", outputs)...); got.Status != statusDone {
				t.Errorf("%v: %+v", arguments, got)
			}
		}
	})
	t.Run("the tables have what was sent without being asked for", func(t *testing.T) {
		files := filepath.Join(dir, "s3", "*", "messages", "source=*", "date=*", "hour=*", "all.parquet")
		rows := 0
		for end := time.Now().Add(time.Minute); rows < len(messages) && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			rows = 0
			found, err := filepath.Glob(files)
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range found {
				rows += strings.Count(call(t, nil, "", "tables", "show", "--json", "-n", "100", file).Out, "\n")
			}
		}
		if rows != len(messages) {
			t.Errorf("%d rows, want %d", rows, len(messages))
		}
	})
	t.Run("what a terminal shows fits 80 columns", func(t *testing.T) {
		faulty := folder(t, map[string]string{"batch.hl7": one + two, "faulty.hl7": "MSH|^~\\&|A\r", "LICENSE": "text\n"})
		for _, arguments := range [][]string{
			{"send", "--wait", sampleFolder}, {"send", "--wait", "--split", faulty}, {"send", "--wait", "--whole", faulty}, {"send", faulty, "-u", "reader"},
			{"trace", admission}, {"trace", text}, {"trace", "x"}, {"get", admission}, {"get", text}, {"get", "x"}, {"get", admission, "-u", "writer"},
			{"logs"}, {"logs", admission}, {"logs", "x"}, {"token", "-u", "nobody"}, {"replay", "--errors", "--dry-run"}, {"replay", admission}, {"replay", "x"},
			{"verify"}, {"reconcile"}, {"disclosures"}, {"disclosures", admission}, {"forget", "x", "--reason", "test"},
			{"users", "list"}, {"users", "add", "seen@example.org", "--read", "elsewhere"}, {"users", "grant", "seen@example.org", "--read", "lakeside"},
			{"users", "grant", "seen@example.org", "--read", "a,b,c"}, {"users", "disable", "seen@example.org"}, {"users", "remove", "seen@example.org"},
			{"users", "remove", "seen@example.org"}, {"doctor"}, {"env"},
		} {
			got := callOnScreen(t, nil, append(arguments, "--dir", dir)...)
			fits(t, strings.Join(arguments, " "), got.Out+got.Err)
		}
	})
	t.Run("the next start keeps messages, passwords and the key", func(t *testing.T) {
		stop()
		defer startUp(t, dir)()
		var now map[string]string
		if err := json.Unmarshal([]byte(use(statusDone, "env", "--json").Out), &now); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
			if now[name] != environment[name] || now[name] == "" {
				t.Errorf("%s was %q and is %q", name, environment[name], now[name])
			}
		}
		if content := use(statusDone, "get", admission); !json.Valid([]byte(content.Out)) {
			t.Error(content.Out)
		}
	})
}

// startUp runs `lake up` until the returned function is called, which waits for the end
// and may be called again.
func startUp(t *testing.T, dir string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	var errors bytes.Buffer
	l := &program{out: term.Screen{Writer: in}, err: term.Screen{Writer: &errors}, getenv: func(string) string { return "" }, name: "lake"}
	ended := make(chan int, 1)
	go func() {
		ended <- l.run(ctx, []string{"up", "--port", "0", "--dir", dir, "--json"})
		in.Close()
	}()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		cancel()
		t.Fatalf("%s%v: status %d, %s", line, err, <-ended, errors.String())
	}
	stopped := false
	return func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if status := <-ended; status != statusDone {
			t.Errorf("status %d: %s", status, errors.String())
		}
	}
}

func TestTheWelcomeAndTheGrantsFit80Columns(t *testing.T) {
	var out bytes.Buffer
	l := &program{out: term.Screen{Writer: &out}, name: "lake"}
	connection := client.Connection{Outputs: client.Outputs{"core": {
		client.OutputAPI: "http://127.0.0.1:40000/", client.OutputLake: "hl7lake-dev-core-lake5f1b88ea-3w5tmze3"}}}
	ignored := []local.LeftOut{{Type: "Custom::S3AutoDeleteObjects", Reason: "it empties a bucket before its stack is deleted; here the data folder is deleted"}}
	if err := l.welcome(connection, ".lake/connection.json", ".lake", ignored); err != nil {
		t.Fatal(err)
	}
	l.writeGrants([]iam.Grant{{Role: "hl7lake-dev-front-door-ReconcileRole286C6F45-RQPWFQHB", Action: "dynamodb:Query",
		Resource: "arn:aws:dynamodb:us-east-1:123456789012:table/hl7lake-dev-front-door-ReceivedE45C8E6C-TAFSAMOU/index/unsettled"}})
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > columns {
			t.Errorf("%d: %s", n, line)
		}
	}
}

func TestAPortInUseLeavesNoFolder(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	dir := filepath.Join(t.TempDir(), "new")
	got := call(t, nil, "", "up", "--port", port, "--dir", dir)
	if got.Status != statusUnusable || !strings.Contains(got.Err, "is in use") {
		t.Errorf("%d: %s", got.Status, got.Err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder is there: %v", err)
	}
}

func TestTheBillIsATableThatFits(t *testing.T) {
	var out bytes.Buffer
	costs := bill.Bill{Lines: []bill.Line{{Service: "S3", Unit: "requests that put, copy, post or list", Detail: "the writer of the lake, which files every event", Quantity: 1234567, USD: 6.1728}}}
	if err := billTable(costs).Write(term.Screen{Writer: &out}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if utf8.RuneCountInString(line) > columns+1 || strings.Contains(line, "|") {
			t.Error(line)
		}
	}
	if note := billNote(costs); !strings.Contains(note, "X-Ray records 13 % of the traces; here all are counted.") {
		t.Error(note)
	}
	if !strings.Contains(out.String(), "6.1728") || !strings.Contains(out.String(), "total") {
		t.Error(out.String())
	}
}

func TestWhatIsNotRunIsListedByTypeWithTheReason(t *testing.T) {
	var out bytes.Buffer
	trail := local.LeftOut{Resource: "core/Trail", Type: "AWS::CloudTrail::Trail", Reason: "nothing is recorded"}
	alarm := local.LeftOut{Resource: "core/Alarm", Type: "AWS::CloudWatch::Alarm", Reason: "nothing is measured"}
	tagged := local.LeftOut{Resource: "core/Lake", Type: "AWS::S3::Bucket", Property: "Tags", Reason: "they are for bills"}
	again := tagged
	again.Resource = "core/Logs"
	if err := writeNotRun(term.Screen{Writer: &out}, []local.LeftOut{alarm, trail, tagged, alarm, again}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`AWS::CloudTrail::Trail +1 +nothing is recorded\n`, `AWS::CloudWatch::Alarm +2 +nothing is measured\n`, `are ignored: 1;`,
	} {
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	out.Reset()
	if err := writeNotRun(term.Screen{Writer: &out}, nil); err != nil || out.Len() > 0 {
		t.Errorf("of nothing: %q, %v", out.String(), err)
	}
}
