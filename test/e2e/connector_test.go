package e2e_test

import (
	"errors"
	"strings"
	"testing"

	"hl7lake/client"
	"hl7lake/internal/testing/altered"
	"hl7lake/local"
	"hl7lake/local/store"
	"hl7lake/operate"
)

// TestAConnectorComesToALakeWithDataAndGoes adds the connector of docs/connector.md to a
// lake that has messages, replays these into it, and removes it again. What was there
// before stays as it is, and what the connector made remains.
func TestAConnectorComesToALakeWithDataAndGoes(t *testing.T) {
	t.Parallel()
	options := local.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", Durability: store.Fleeting}
	l := startWith(t, options)
	l.admin(t)
	old := l.accepted(t, l.client(t, l.again(t)), admission(1), []byte("a line of text"))
	before := l.histories(t, l.client(t, l.again(t)), old)
	l.stop(t)

	with := options
	with.Assembly = altered.Together(t, "../snapshots/dev", "../testdata/dev-and-patients")
	l = startWith(t, with)
	c := l.client(t, l.again(t))
	fresh := l.accepted(t, c, admission(2))[0]
	eventually(t, "a message that comes now is a patient", func() bool { return l.isPatient(t, c, fresh) })
	if l.isPatient(t, c, old[0]) {
		t.Fatal("an old one is a patient before anybody replays it")
	}
	l.replay(t, operate.Selection{IDs: old}, false)
	eventually(t, "the old one is a patient too", func() bool { return l.isPatient(t, c, old[0]) })
	again := l.replay(t, operate.Selection{IDs: old[:1]}, true)[old[0]]
	if len(again.Results) != 2 || again.Results[0].String() != "patients/1" || again.Results[0].Failed {
		t.Errorf("its results are %v", again.Results)
	}
	l.stop(t)

	l = startWith(t, options)
	c = l.client(t, l.again(t))
	if !l.isPatient(t, c, old[0]) {
		t.Error("what the connector made went with it")
	}
	last := l.accepted(t, c, admission(3))[0]
	if l.isPatient(t, c, last) {
		t.Error("it is gone, and made a patient")
	}
	for i, h := range l.histories(t, c, old) {
		if h.Status != before[i].Status {
			t.Errorf("%s was %s and is %s", h.ID, before[i].Status, h.Status)
		}
		steps := map[string]client.Step{}
		for _, step := range h.Steps {
			steps[step.ID] = step
		}
		for _, step := range before[i].Steps {
			if is := steps[step.ID]; is.Key != step.Key || is.SHA256 != step.SHA256 || is.VersionID != step.VersionID {
				t.Errorf("%+v became %+v", step, is)
			}
		}
	}
}

// stop ends a lake before its test does.
func (l *lake) stop(t *testing.T) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// again signs in the user that admin made, also after a restart, with a new password.
func (l *lake) again(t *testing.T) client.TokenSource {
	t.Helper()
	password := client.NewPassword()
	if err := l.pool.SetPassword(t.Context(), "admin@example.org", password); err != nil {
		t.Fatal(err)
	}
	return l.pool.SignIn("admin@example.org", password)
}

// isPatient reports whether the connector patients made one of the message.
func (l *lake) isPatient(t *testing.T, c *client.Client, id string) bool {
	t.Helper()
	content, err := c.Result(t.Context(), id, "patients")
	if problem, is := errors.AsType[*client.Problem](err); is && problem.Code == "no-result" {
		return false
	}
	if err != nil || !strings.Contains(string(content), `"resourceType":"Patient"`) {
		t.Fatalf("%s, %v", content, err)
	}
	return true
}
