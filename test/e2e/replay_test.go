package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
	"hl7lake/internal/testing/testbed"
	"hl7lake/local"
	"hl7lake/local/store"
	"hl7lake/operate"
)

// operator returns the lake for an operator.
func (l *lake) operator(t *testing.T) *operate.Operator {
	t.Helper()
	o, err := operate.New(l.connection, aws.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// replay replays what is selected and returns the results by id.
func (l *lake) replay(t *testing.T, selection operate.Selection, dry bool) map[string]operate.Replayed {
	t.Helper()
	all := map[string]operate.Replayed{}
	err := l.operator(t).Replay(t.Context(), selection, dry, func(r operate.Replayed) {
		if _, twice := all[r.ID]; twice {
			t.Errorf("%s is replayed twice", r.ID)
		}
		all[r.ID] = r
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// accepted sends messages and returns their ids once all have ended.
func (l *lake) accepted(t *testing.T, c *client.Client, bodies ...[]byte) (ids []string) {
	t.Helper()
	for _, body := range bodies {
		receipt, err := c.Send(t.Context(), client.Message{Body: body})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, receipt.ID)
	}
	for _, id := range ids {
		ended(t, c, id)
	}
	return ids
}

// raised is an overlay for the functions' sources in which StagingER7 has the
// version.
func raised(t *testing.T, version int) string {
	t.Helper()
	path, err := filepath.Abs("../../lambdas/internal/staginger7/staginger7.go")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := regexp.MustCompile(`const Version = \d+`).ReplaceAllString(string(source), "const Version = "+strconv.Itoa(version))
	if changed == string(source) {
		t.Fatal("the connector's version is not where it was")
	}
	dir := t.TempDir()
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: filepath.Join(dir, "staginger7.go")}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"staginger7.go": changed, "overlay.json": string(overlay)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "overlay.json")
}

func TestAReplayPutsTheResultsOfANewParserBesideTheOld(t *testing.T) {
	options := local.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", Durability: store.Fleeting}
	l := startWith(t, options)
	tokens := l.admin(t)
	ids := l.accepted(t, l.client(t, tokens), admission(1), document(1<<20), []byte("a line of text"))
	before := l.histories(t, l.client(t, tokens), ids)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}

	const newer = 99
	l = startWith(t, options, testbed.Options{Overlay: raised(t, newer)})
	password := client.NewPassword()
	if err := l.pool.SetPassword(t.Context(), "admin@example.org", password); err != nil {
		t.Fatal(err)
	}
	c := l.client(t, l.pool.SignIn("admin@example.org", password))
	if replayed := l.replay(t, operate.Selection{IDs: ids}, false); len(replayed) != len(ids) {
		t.Fatalf("replayed %v", replayed)
	}
	eventually(t, "each message has a result of both parsers", func() bool {
		for _, h := range l.histories(t, c, ids) {
			if len(h.Steps) != 3 {
				return false
			}
		}
		return true
	})
	after := l.histories(t, c, ids)
	for i, h := range after {
		if h.Status != before[i].Status {
			t.Errorf("%s was %s and is %s", ids[i], before[i].Status, h.Status)
		}
		versions := map[string]bool{}
		for _, step := range h.Steps {
			versions[fmt.Sprint(step.Zone, " ", step.Connector, step.Version)] = true
		}
		for _, step := range before[i].Steps {
			is := h.Steps[slices.IndexFunc(h.Steps, func(s client.Step) bool { return s.ID == step.ID })]
			if is.Key != step.Key || is.SHA256 != step.SHA256 || is.VersionID != step.VersionID {
				t.Errorf("the replay changed %+v to %+v", step, is)
			}
		}
		zone := string(h.Steps[2].Zone) // the second parser's result; the others come in no order
		if diff := cmp.Diff(map[string]bool{"ingestion 0": true, fmt.Sprint(zone, " staging-er7", madeBy(before[i])): true, fmt.Sprint(zone, " staging-er7", newer): true}, versions); diff != "" {
			t.Error(diff)
		}
	}
	var document struct{ Parser string }
	if text, err := c.JSON(t.Context(), ids[0]); err != nil || json.Unmarshal(text, &document) != nil || document.Parser != strconv.Itoa(newer) {
		t.Errorf("the JSON is of parser %q, %v", document.Parser, err)
	}
}

// madeBy is the version of the connector that made something of a message.
func madeBy(h client.History) (version int) {
	for _, step := range h.Steps {
		version = max(version, step.Version)
	}
	return version
}

// histories returns the history of each message.
func (l *lake) histories(t *testing.T, c *client.Client, ids []string) (all []client.History) {
	t.Helper()
	for _, id := range ids {
		h, err := c.History(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, h)
	}
	return all
}

func TestAReplayByTheSameParserChangesNothingButTheCount(t *testing.T) {
	l := start(t)
	c := l.client(t, l.admin(t))
	ids := l.accepted(t, c, admission(1), []byte("a line of text"))
	before := l.histories(t, c, ids)
	for id, r := range l.replay(t, operate.Selection{IDs: ids}, false) {
		if !r.Done || r.Err != nil || len(r.Results) != 1 || r.Results[0].Connector != "staging-er7" || r.Results[0].Failed != (id != ids[0]) || r.Owner != scenario.Institution {
			t.Errorf("%+v", r)
		}
	}
	eventually(t, "each object was written twice", func() bool {
		for _, h := range l.histories(t, c, ids) {
			for _, step := range h.Steps {
				if step.Attempts < 2 {
					return false
				}
			}
		}
		return true
	})
	for i, h := range l.histories(t, c, ids) {
		for j := range h.Steps {
			h.Steps[j].Attempts = before[i].Steps[j].Attempts
		}
		if diff := cmp.Diff(before[i], h); diff != "" {
			t.Error(diff)
		}
	}
}

func TestASelectionMeansWhatItSays(t *testing.T) {
	l := start(t)
	c := l.client(t, l.admin(t))
	other := l.client(t, l.user(t, client.User{Email: "other@example.org", Read: client.Institutions{"elsewhere"}, Write: "elsewhere"}))
	a := l.accepted(t, c, admission(1), []byte("MSH|^~\\&|APP|HERE|LAKE|THERE|20260102||ORU^R01|2|T|2.5.1\r"), []byte("a line of text"))
	between := time.Now()
	time.Sleep(10 * time.Millisecond)
	b := l.accepted(t, c, admission(3))
	o := l.accepted(t, other, admission(1), []byte("another line of text"))

	for _, test := range []struct {
		name      string
		selection operate.Selection
		want      []string
	}{
		{"an institution", operate.Selection{Owner: scenario.Institution}, []string{a[0], a[1], a[2], b[0]}},
		{"a type", operate.Selection{Owner: scenario.Institution, Type: "ADT^A01"}, []string{a[0], b[0]}},
		{"from", operate.Selection{Owner: scenario.Institution, From: between}, b},
		{"to", operate.Selection{Owner: scenario.Institution, To: between}, a},
		{"errors of one", operate.Selection{Owner: scenario.Institution, Errors: true}, a[2:]},
		{"errors of all", operate.Selection{Errors: true}, []string{a[2], o[1]}},
		{"errors of a type", operate.Selection{Errors: true, Type: "ADT^A01"}, nil},
		{"nobody", operate.Selection{Owner: "nobody"}, nil},
	} {
		var got []string
		for id, r := range l.replay(t, test.selection, true) {
			if r.Done || r.Err != nil {
				t.Errorf("%s: %+v", test.name, r)
			}
			got = append(got, id)
		}
		slices.Sort(got) // by time
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
	for id, r := range l.replay(t, operate.Selection{IDs: []string{"019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77", "no id"}}, false) {
		if r.Done || r.Err != operate.ErrNoMessage {
			t.Errorf("%s: %+v", id, r)
		}
	}
}

// TestAnInterruptedReplaySaysSo ends with the context's error.
func TestAnInterruptedReplaySaysSo(t *testing.T) {
	l := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.operator(t).Replay(ctx, operate.Selection{Owner: scenario.Institution}, false, func(operate.Replayed) {}); err == nil {
		t.Error("no error")
	}
}
