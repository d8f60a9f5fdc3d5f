package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"hl7lake/client"
	"hl7lake/cmd/lake/internal/term"
	"hl7lake/operate"
)

func TestAnOperatorsWrongWordsAreToldBeforeALakeIsAsked(t *testing.T) {
	for _, test := range []struct {
		arguments string
		want      string
	}{
		{"replay", "say which messages: ids, --owner or --errors"},
		{"replay --type ADT^A01", "say which messages"},
		{"replay --errors 019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77", "ids cannot be combined with a choice of messages"},
		{"replay --owner a --from yesterday", `"yesterday" is not a time`},
		{"replay --owner a --from 2026-11-22 --to 2026-11-22", "--from is not before --to"},
		{"replay --owner a --charset klingon", `"klingon" is not a known character set`},
		{"redrive WriterFailed", "want no arguments"},
		{"reconcile 019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77", "want no arguments"},
		{"reconcile --overdue -1m", "--overdue is negative"},
		{"forget", "missing one message id"},
		{"forget 019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77", `--reason "" is not one of: court-order, mistake`},
		{"forget 019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77 --reason Jane", `--reason "Jane" is not one of`},
		{"reconcile --overdue soon", "--overdue soon: want a time"},
	} {
		got := call(t, nil, "", strings.Fields(test.arguments)...)
		if got.Status != statusUnusable || !strings.Contains(got.Err, test.want) || !strings.Contains(got.Err, "--help") {
			t.Errorf("%s: status %d, %s", test.arguments, got.Status, got.Err)
		}
	}
}

func TestAnOperatorWithoutALakeIsToldWhatToDo(t *testing.T) {
	for _, command := range []string{"redrive", "replay --errors", "reconcile", "forget 019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77 --reason mistake"} {
		got := call(t, nil, "", append(strings.Fields(command), "--dir", t.TempDir())...)
		if got.Status != statusUnusable || !strings.Contains(got.Err, "lake up") {
			t.Errorf("%s: status %d, %s", command, got.Status, got.Err)
		}
	}
}

// TestAnOperatorsCommandsAgainstALakeThatIsUp uses a real lake in which nothing has gone
// wrong. The rest is tested in test/e2e.
func TestAnOperatorsCommandsAgainstALakeThatIsUp(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a lake")
	}
	dir := filepath.Join(t.TempDir(), "lake")
	defer startUp(t, dir)()
	use := func(status int, arguments ...string) result {
		t.Helper()
		got := call(t, nil, "", append(arguments, "--dir", dir)...)
		if got.Status != status {
			t.Fatalf("%v: status %d, want %d: %s%s", arguments, got.Status, status, got.Out, got.Err)
		}
		return got
	}
	id := strings.Fields(use(statusDone, "send", filepath.Join(sampleFolder, "adt-a01.hl7")).Out)[2]
	text := strings.Fields(use(statusDone, "send", "--whole", "samples/not-hl7.txt").Out)[2]
	use(statusDone, "trace", id, "--wait")
	use(statusRefused, "trace", text, "--wait")

	t.Run("a dry run publishes nothing", func(t *testing.T) {
		got := use(statusDone, "replay", "--errors", "--dry-run")
		if !strings.HasPrefix(got.Out, "would be   "+text) || strings.Contains(got.Out, id) || !strings.Contains(got.Err, "would be published again: 1") {
			t.Error(got.Out, got.Err)
		}
	})
	t.Run("the same connector is said to change nothing", func(t *testing.T) {
		got := use(statusDone, "replay", id)
		if !strings.HasPrefix(got.Out, "published  "+id) || !strings.Contains(got.Out, "  had staging-er7/") || !strings.Contains(got.Err, "nothing changes but the count of attempts") {
			t.Error(got.Out, got.Err)
		}
	})
	t.Run("who read what is told", func(t *testing.T) {
		use(statusDone, "get", id)
		got := use(statusDone, "disclosures", id)
		if !strings.Contains(got.Out, "  api  "+id+"  ") || !strings.HasSuffix(got.Out, "  json\n") {
			t.Error(got.Out)
		}
		if got := use(statusDone, "disclosures", id, "--user", "nobody"); got.Out != "" {
			t.Errorf("to nobody: %s", got.Out)
		}
		if got := use(statusDone, "disclosures", "--to", "2020-01-01"); got.Out != "" {
			t.Errorf("before there was a lake: %s", got.Out)
		}
	})
	t.Run("what belongs together is there", func(t *testing.T) {
		if got := use(statusDone, "verify"); !strings.Contains(got.Err, "looked at: 2 accepted, 4 entries of the catalog, 2 messages in the lake") {
			t.Error(got.Out, got.Err)
		}
	})
	t.Run("what is forgotten is gone, and what is unknown stays so", func(t *testing.T) {
		got := use(statusDone, "forget", text, "--reason", "mistake", "--dry-run")
		if !strings.HasPrefix(got.Out, "would be   "+text) || !strings.Contains(got.Out, "objects: 2") {
			t.Error(got.Out, got.Err)
		}
		use(statusDone, "get", text, "--er7")
		var forgotten operate.Forgotten
		got = use(statusDone, "forget", text, "--reason", "mistake", "--json")
		if err := json.Unmarshal([]byte(got.Out), &forgotten); err != nil || !forgotten.Done || !forgotten.Released || forgotten.ID != text {
			t.Error(got.Out, err)
		}
		got = use(statusRefused, "get", text, "--er7")
		if !strings.Contains(got.Err, "no longer exists") || !strings.Contains(got.Err, "trace ID") {
			t.Error(got.Err)
		}
		if got = use(statusRefused, "trace", text); !strings.Contains(got.Out, "forgotten: mistake") {
			t.Error(got.Out)
		}
		if got = use(statusDone, "forget", text, "--reason", "mistake"); !strings.Contains(got.Err, "no claim on its content was left") {
			t.Error(got.Out, got.Err)
		}
		got = use(statusRefused, "forget", "019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77", "--reason", "mistake")
		if !strings.HasPrefix(got.Out, "kept  ") || !strings.Contains(got.Out, "no such message") {
			t.Error(got.Out, got.Err)
		}
	})
	t.Run("the id of a result, in capitals too, is taken for its message's", func(t *testing.T) {
		var history client.History
		if err := json.Unmarshal([]byte(use(statusDone, "trace", id, "--json").Out), &history); err != nil {
			t.Fatal(err)
		}
		step, _ := history.Find(client.Staging)
		for _, result := range []string{step.ID, strings.ToUpper(step.ID)} {
			for _, arguments := range [][]string{
				{"trace", result}, {"get", result}, {"get", result, "--er7"}, {"replay", result, "--dry-run"}, {"disclosures", result},
				{"forget", result, "--reason", "mistake", "--dry-run"},
			} {
				got := use(statusDone, arguments...)
				if said := step.ID + " was made of the message\n" + id; !strings.Contains(got.Err, said) || got.Out == "" {
					t.Errorf("%q: %q is not said: %s%s", arguments, said, got.Out, got.Err)
				}
			}
			if got := use(statusDone, "get", strings.ToUpper(id)); got.Err != "" || !strings.Contains(got.Out, id) {
				t.Error(got.Out, got.Err)
			}
		}
	})
	t.Run("what can never be redriven is set aside", func(t *testing.T) {
		buryJunk(t, dir)
		got := use(statusRefused, "redrive")
		if !strings.Contains(got.Out, "no event") || !strings.Contains(got.Err, "can never be redriven: 1. `lake redrive --set-aside`") {
			t.Error(got.Out, got.Err)
		}
		got = use(statusDone, "redrive", "--set-aside")
		if !strings.Contains(got.Out, "set aside") || !strings.Contains(got.Err, "set aside: 1. ") || strings.Contains(got.Out+got.Err, "junk") {
			t.Error(got.Out, got.Err)
		}
		if got := use(statusDone, "redrive"); got.Out != "" {
			t.Error(got.Out)
		}
	})
	t.Run("a check passes, and says what it left", func(t *testing.T) {
		got := use(statusDone, "check")
		for _, want := range []string{"passed  ", "access: the reader posts: 403", "skipped ", "not run by the local lake",
			"left in the lake, of the institution ", ": 8 messages, 16 objects\n", "\npassed: 27, failed: 0, skipped: 1\n"} {
			if !strings.Contains(got.Out, want) {
				t.Errorf("%q is not in:\n%s", want, got.Out)
			}
		}
	})
	t.Run("a check that has no time fails, in JSON too", func(t *testing.T) {
		got := use(statusRefused, "check", "--json", "--timeout", "1ns")
		var report struct {
			Steps []struct{ Outcome, Reason string }
		}
		if err := json.Unmarshal([]byte(got.Out), &report); err != nil || len(report.Steps) == 0 {
			t.Fatalf("%v: %s", err, got.Out)
		}
		if got := report.Steps[0]; got.Outcome != "failed" || !strings.Contains(got.Reason, "did not finish within 1ns") {
			t.Errorf("%+v", got)
		}
	})
	t.Run("another character set makes another result, and the lake shows that", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "undeclared.hl7")
		message := "MSH|^~\\&|A|B|||20260102||ADT^A01|CHARSET-1|P|2.5\rPID|||1||\x8aula\r"
		if err := os.WriteFile(file, []byte(message), 0o600); err != nil {
			t.Fatal(err)
		}
		id := strings.Fields(use(statusDone, "send", file).Out)[2]
		use(statusDone, "trace", id, "--wait")
		use(statusDone, "replay", "--charset", "8859/2", id)
		deadline := time.Now().Add(20 * time.Second)
		for {
			if got := use(statusDone, "get", id); strings.Contains(got.Out, `"charset":{"used":"iso-8859-2"}`) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the lake does not show it")
			}
			time.Sleep(100 * time.Millisecond)
		}
		if got := use(statusDone, "trace", id, "--json"); !strings.Contains(got.Out, `"read_in":"iso-8859-2"`) {
			t.Error("the history does not tell: ", got.Out)
		}
	})
	t.Run("an unknown id is told", func(t *testing.T) {
		got := use(statusRefused, "replay", "--json", "019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77")
		var answer struct {
			Done  bool
			Error string
		}
		if err := json.Unmarshal([]byte(got.Out), &answer); err != nil || answer.Done || answer.Error != "the lake holds no such message" {
			t.Error(got.Out, err)
		}
	})
	t.Run("no dead letter is no trouble", func(t *testing.T) {
		if got := use(statusDone, "redrive"); got.Out != "" || !strings.Contains(got.Err, "queues: 6, redriven: 0") {
			t.Error(got.Out, got.Err)
		}
	})
	t.Run("a queue that is not there is told", func(t *testing.T) {
		use(statusUnusable, "redrive", "--queue", "ReaderFailed")
	})
	t.Run("what is at the end of its way is no trouble to a reconciliation", func(t *testing.T) {
		if got := use(statusDone, "reconcile"); !strings.HasPrefix(got.Out, "settled           0  ") || got.Err != "" {
			t.Error("messages of the last minutes are looked at", got.Out, got.Err)
		}
		var found operate.Reconciled
		if got := use(statusDone, "reconcile", "--overdue", "0s", "--json"); json.Unmarshal([]byte(got.Out), &found) != nil || !found.Complete {
			t.Error(got.Out, got.Err)
		}
	})
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	var out, notes bytes.Buffer
	l := &program{out: term.Screen{Writer: &out}, err: term.Screen{Writer: &notes}}
	err := l.reportReconciled(operate.Reconciled{
		Settled: 12, Republished: 1, Missing: 3, OldestUnstagedSeconds: 3725,
		MissingMessages: []operate.MissingMessage{
			{ID: "019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77", Owner: "st-elsewhere", AgeSeconds: 3725}, {ID: "019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a78", Owner: "county", AgeSeconds: 40},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "reconciled.txt", append(out.Bytes(), notes.Bytes()...))
}

func TestWhatKeepsAReconciliationComesWithTheNextStep(t *testing.T) {
	l := &program{name: "lake"}
	for _, err := range []error{operate.ErrReconciling, &operate.FunctionError{Function: "Reconcile", Type: "Fault"}} {
		if hinted, ok := errors.AsType[*hintError](l.notReconciled(err)); !ok || !strings.Contains(hinted.hint, "log") {
			t.Errorf("%v: %v", err, l.notReconciled(err))
		}
	}
}

// buryJunk puts a text that is not a dead letter into a dead-letter queue of the lake in
// dir.
func buryJunk(t *testing.T, dir string) {
	t.Helper()
	connection, err := client.ReadConnection(filepath.Join(dir, connectionFile))
	if err != nil {
		t.Fatal(err)
	}
	key := connection.Credentials
	queues := sqs.New(sqs.Options{
		Region: "us-east-1", BaseEndpoint: &connection.Endpoint, Credentials: client.StaticCredentials(key.AccessKeyID, key.SecretAccessKey),
	})
	all, err := queues.ListQueues(t.Context(), &sqs.ListQueuesInput{})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all.QueueUrls, func(url string) bool { return strings.Contains(url, "WriterFailed") })
	if i < 0 {
		t.Fatalf("no dead-letter queue of the writer among %q", all.QueueUrls)
	}
	if _, err := queues.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &all.QueueUrls[i], MessageBody: new("junk")}); err != nil {
		t.Fatal(err)
	}
}
