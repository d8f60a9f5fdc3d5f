package sqs_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hl7lake/local/sqs"
)

// send sends a message of a group; "" is none.
func send(t *testing.T, s *sqs.Service, group, body string) {
	t.Helper()
	input := map[string]any{"QueueUrl": *url(dead), "MessageBody": body}
	if group != "" {
		input["MessageGroupId"] = group
	}
	if output := call(t, s, "SendMessage", input); output["error"] != nil {
		t.Fatal(output)
	}
}

func TestAGroupWithAFewMessagesDoesNotWaitForOneWithMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, kept := open(t, filepath.Join(t.TempDir(), "db"))
		defer closeStore(t, kept)
		for n := range 20 {
			send(t, s, "noisy", fmt.Sprint("noisy ", n))
		}
		send(t, s, "quiet", "quiet 0")
		send(t, s, "", "of no group")
		send(t, s, "quiet", "quiet 1")
		bodies, _ := receive(t, s, dead, "MaxNumberOfMessages", 6)
		want := []string{"noisy 0", "of no group", "quiet 0", "noisy 1", "quiet 1", "noisy 2"}
		slices.Sort(bodies)
		slices.Sort(want)
		if diff := cmp.Diff(want, bodies); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAGroupsTurnComesWhenItsMessagesAreDoneWithOrShownAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "db")
		s, kept := open(t, path)
		for n := range 3 {
			send(t, s, "a", fmt.Sprint("a", n))
			send(t, s, "b", fmt.Sprint("b", n))
			time.Sleep(time.Millisecond)
		}
		next := func(want string) (handle string) {
			t.Helper()
			bodies, handles := receive(t, s, dead, "MaxNumberOfMessages", 1)
			if diff := cmp.Diff([]string{want}, bodies); diff != "" {
				t.Fatal(diff)
			}
			return handles[0]
		}
		first := next("a0")
		next("b0")
		next("a1") // as many in flight: the older
		call(t, s, "DeleteMessage", map[string]any{"QueueUrl": *url(dead), "ReceiptHandle": first})
		closeStore(t, kept)
		s, kept = open(t, path) // what is in flight is known after a restart
		next("b1")
		next("a2")
		time.Sleep(31 * time.Second) // the others are shown again
		next("b2")                   // which was never hidden, and so was visible first
		next("a1")
		closeStore(t, kept)
	})
}

func TestAMessageTellsItsGroup(t *testing.T) {
	s, kept := open(t, filepath.Join(t.TempDir(), "db"))
	defer closeStore(t, kept)
	send(t, s, "a", "x")
	messages := call(t, s, "ReceiveMessage", map[string]any{"QueueUrl": *url(dead), "MessageSystemAttributeNames": []string{"All"}})["Messages"].([]any)
	if got := messages[0].(map[string]any)["Attributes"].(map[string]any)["MessageGroupId"]; got != "a" {
		t.Errorf("got %v", got)
	}
	for _, group := range []string{"with space", "\u00fc"} {
		if output := call(t, s, "SendMessage", map[string]any{"QueueUrl": *url(dead), "MessageBody": "x", "MessageGroupId": group}); output["error"] == nil {
			t.Errorf("%q is taken for a group", group)
		}
	}
}
