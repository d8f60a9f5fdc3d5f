package e2e_test

// This file is about people who operate for an institution through the API.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
	"hl7lake/internal/hub"
	"hl7lake/internal/testing/canary"
)

// nightShift creates a user who operates for the institution, and neither reads nor
// writes.
func (l *lake) nightShift(t *testing.T, institution string) *client.Client {
	t.Helper()
	return l.client(t, l.user(t, client.User{Email: "night-shift@" + institution + ".example", Operate: institution}))
}

// refused reports whether an error is the lake's answer with the status and code.
func refused(err error, status int, code string) bool {
	problem, ok := errors.AsType[*client.Problem](err)
	return ok && problem.Status == status && problem.Code == code
}

func TestAnOperatorHasAMessageReadInAnotherCharacterSetWithoutReadingIt(t *testing.T) {
	l := start(t)
	c := l.client(t, l.admin(t))
	operator := l.nightShift(t, scenario.Institution)
	latin := []byte("MSH|^~\\&|APP|HERE|LAKE|THERE|20260102||ADT^A01|1|T|2.5.1||||||UNICODE UTF-8\rPID|1||7^^^HERE||M\xfcller^Zo\xeb\r")
	id := l.accepted(t, c, latin)[0]
	if before, err := operator.History(t.Context(), id); err != nil || len(before.Steps) != 2 || before.Steps[0].SHA256 != "" {
		t.Fatalf("before: %+v, %v", before, err)
	}
	if err := operator.Replay(t.Context(), id, "ISO-8859-1"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is read anew", func() bool {
		after, err := operator.History(t.Context(), id)
		return err == nil && slices.ContainsFunc(after.Steps, func(s client.Step) bool { return s.ReadIn == "iso-8859-1" })
	})
	for name, read := range map[string]func() ([]byte, error){
		"er7": func() ([]byte, error) { return operator.ER7(t.Context(), id) }, "json": func() ([]byte, error) { return operator.JSON(t.Context(), id) },
		"content": func() ([]byte, error) { return operator.Content(t.Context(), id) },
	} {
		if text, err := read(); !refused(err, http.StatusNotFound, "not-found") {
			t.Errorf("who operates reads %s: %q, %v", name, text, err)
		}
	}
}

func TestNobodyReplaysTheMessagesOfAnotherInstitution(t *testing.T) {
	l := start(t)
	tokens := l.admin(t)
	c := l.client(t, tokens)
	ids := l.accepted(t, c, canary.Message(), []byte("a line of text"))
	before := l.histories(t, c, ids)
	stranger := l.nightShift(t, "lakeside")
	unknown := stranger.Replay(t.Context(), "019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77", "")
	for _, id := range ids {
		if err := stranger.Replay(t.Context(), id, ""); !refused(err, http.StatusNotFound, "not-found") || err.Error() != unknown.Error() {
			t.Errorf("a stranger: %v, of an unknown id %v", err, unknown)
		}
		if err := c.Replay(t.Context(), id, ""); !refused(err, http.StatusForbidden, "no-operate-privilege") {
			t.Errorf("who reads and writes: %v", err)
		}
		if _, err := stranger.History(t.Context(), id); !refused(err, http.StatusNotFound, "not-found") {
			t.Errorf("a stranger sees %s: %v", id, err)
		}
	}
	for name, which := range map[string]client.ReplayOf{"ids": {IDs: ids}, "errors": {Errors: true}} {
		got, err := stranger.ReplaySome(t.Context(), which)
		if err != nil || got.Replayed != 0 || slices.ContainsFunc(got.Results, func(r client.Replayed) bool { return r.Done || r.Error != "not-found" }) {
			t.Errorf("a stranger, by %s: %+v, %v", name, got, err)
		}
		if _, err := c.ReplaySome(t.Context(), which); !refused(err, http.StatusForbidden, "no-operate-privilege") {
			t.Errorf("who reads and writes, by %s: %v", name, err)
		}
	}
	if diff := cmp.Diff(before, l.histories(t, c, ids)); diff != "" {
		t.Error(diff)
	}
}

// TestErrorsAreReplayedInPartsUntilNoneIsLeft has more errors than one request replays.
func TestErrorsAreReplayedInPartsUntilNoneIsLeft(t *testing.T) {
	l := start(t)
	c := l.client(t, l.admin(t))
	var bodies [][]byte
	for n := range 103 {
		bodies = append(bodies, []byte(fmt.Sprintf("a line of text, number %d", n)))
	}
	ids := l.accepted(t, c, bodies...)
	l.accepted(t, c, admission(1))
	operator := l.nightShift(t, scenario.Institution)
	var replayed []string
	which, parts := client.ReplayOf{Errors: true, Code: "no-header"}, 0
	for more := true; more; parts++ {
		got, err := operator.ReplaySome(t.Context(), which)
		if err != nil || got.Replayed != len(got.Results) || len(got.Results) > 100 || got.More != (got.Next != "") {
			t.Fatalf("%+v, %v", got, err)
		}
		for _, result := range got.Results {
			replayed = append(replayed, result.ID)
		}
		which.After, more = got.Next, got.More
	}
	if diff := cmp.Diff(ids, replayed); diff != "" || parts != 2 {
		t.Errorf("in %d parts: %s", parts, diff)
	}
	if got, err := operator.ReplaySome(t.Context(), client.ReplayOf{Errors: true, Code: "bad-delimiters"}); err != nil || len(got.Results) > 0 || got.More {
		t.Errorf("of another code: %+v, %v", got, err)
	}
}

// stages returns the outcomes of letters, without the parts of queues' names that the
// template does not give.
func stages(letters []client.DeadLetter) (all []string) {
	for _, letter := range letters {
		for _, queue := range []string{"WriterUndelivered", "WriterFailed", "TriggerUndelivered", "TriggerFailed"} {
			if strings.Contains(letter.Queue, queue) {
				all = append(all, queue+" "+letter.Outcome)
			}
		}
	}
	slices.Sort(all)
	return all
}

func TestAnOperatorRedrivesTheLettersOfOneInstitutionAndNoOthers(t *testing.T) {
	l, outage := broken(t)
	id := l.dead(t, l.client(t, l.admin(t)))
	theirs := l.client(t, l.user(t, client.User{Email: "theirs@example.org", Read: client.Institutions{"lakeside"}, Write: "lakeside"}))
	receipt, err := theirs.Send(t.Context(), client.Message{Body: document(1 << 20)})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other institution's deliveries are dead letters, too", func() bool { return len(l.redrive(t, true)) == 4 })
	outage.over.Store(true)

	ours, stranger := l.nightShift(t, scenario.Institution), l.nightShift(t, "elsewhere")
	wouldBe := []string{"TriggerFailed would be", "WriterUndelivered would be"}
	for range 2 { // to look changes nothing
		found, err := ours.DeadLetters(t.Context())
		if got := stages(found.Letters); err != nil || !slices.Equal(got, wouldBe) || found.More {
			t.Errorf("ours: %+v, %v", found, err)
		}
		for _, letter := range found.Letters {
			if letter.ID != id || letter.Root != id || letter.Owner != scenario.Institution || letter.Type != "ADT^A01" || letter.Event != "ingested" || letter.Cause == "" {
				t.Errorf("shown as %+v", letter)
			}
		}
		canary.Check(t, "the answer", found)
	}
	if found, err := stranger.DeadLetters(t.Context()); err != nil || len(found.Letters) != 0 {
		t.Errorf("a stranger sees %+v, %v", found, err)
	}
	if done, err := stranger.RedriveLetters(t.Context()); err != nil || len(done.Letters) != 0 {
		t.Errorf("a stranger redrives %+v, %v", done, err)
	}
	for name, do := range map[string]func(context.Context) (client.DeadLetters, error){"looks": theirs.DeadLetters, "redrives": theirs.RedriveLetters} {
		if _, err := do(t.Context()); !refused(err, http.StatusForbidden, "no-operate-privilege") {
			t.Errorf("who does not operate %s: %v", name, err)
		}
	}

	done, err := ours.RedriveLetters(t.Context())
	if got := stages(done.Letters); err != nil || !slices.Equal(got, []string{"TriggerFailed redriven", "WriterUndelivered redriven"}) {
		t.Errorf("redriven: %+v, %v", done, err)
	}
	if h := ended(t, ours, id); h.Status != client.Staged || len(h.Steps) != 2 {
		t.Errorf("ended as %+v", h)
	}
	left := l.redrive(t, true)
	wantOutcomes(t, left, wouldBe...)
	for _, letter := range left {
		if letter.Root != receipt.ID {
			t.Errorf("left: %+v", letter)
		}
	}
	if done, err := ours.RedriveLetters(t.Context()); err != nil || len(done.Letters) != 0 {
		t.Errorf("redriven twice: %+v, %v", done, err)
	}
	if done, err := l.nightShift(t, "lakeside").RedriveLetters(t.Context()); err != nil || len(done.Letters) != 2 {
		t.Errorf("theirs: %+v, %v", done, err)
	}
	ended(t, theirs, receipt.ID)
}

func TestAnOperatorForgetsAMessageForGood(t *testing.T) {
	l := start(t)
	tokens := l.admin(t)
	c := l.client(t, tokens)
	operator, stranger := l.nightShift(t, scenario.Institution), l.nightShift(t, "lakeside")
	for name, body := range map[string][]byte{"staged": canary.Message(), "an error": []byte("a line of text"), "with claim checks": document(1 << 20)} {
		id := l.accepted(t, c, body)[0]
		before := l.histories(t, c, []string{id})[0]
		held := l.held(t, id, before)
		for who, them := range map[string]struct {
			*client.Client
			status int
			code   string
		}{
			"a stranger":           {stranger, http.StatusNotFound, "not-found"},
			"who reads and writes": {c, http.StatusForbidden, "no-operate-privilege"},
		} {
			if done, err := them.Forget(t.Context(), id, "wrong-patient"); !refused(err, them.status, them.code) || done.Forgotten {
				t.Errorf("%s: %s: %+v, %v", name, who, done, err)
			}
		}
		if _, err := operator.Forget(t.Context(), id, "Doe, Jane"); !refused(err, http.StatusBadRequest, "bad-reason") {
			t.Errorf("%s: a reason in words: %v", name, err)
		}
		if left := l.held(t, id, before); left != held {
			t.Errorf("%s: %d of %d objects are left, though nobody might forget it", name, left, held)
		}

		done, err := operator.Forget(t.Context(), id, "wrong-patient")
		if want := (client.Forgotten{ID: id, Forgotten: true, Reason: "wrong-patient", Objects: held, Released: true}); done != want || err != nil {
			t.Errorf("%s: %+v, %v", name, done, err)
		}
		if left := l.held(t, id, before); left != 0 {
			t.Errorf("%s: %d objects are left", name, left)
		}
		l.wantForgotten(t, c, id, before)
		l.settle(t)
		for _, item := range l.hashes(t) {
			if text := fmt.Sprintf("%#v", item["sk"]); strings.Contains(text, id) {
				t.Errorf("%s: Finder's table has an entry: %v", name, item)
			}
		}
		if err := operator.Replay(t.Context(), id, ""); !refused(err, http.StatusGone, "gone") {
			t.Errorf("%s: replayed: %v", name, err)
		}
		if twice, err := operator.Forget(t.Context(), id, "mistake"); err != nil || !twice.Forgotten || twice.Objects != 0 || twice.Released {
			t.Errorf("%s: forgotten twice: %+v, %v", name, twice, err)
		}
		if again := l.mustDo(t, er7(token(t, tokens), body)); again.status != http.StatusCreated || again.answer(t).ID == id {
			t.Errorf("%s: sent again, answered %d %s", name, again.status, again.body)
		}
	}
}

// operateEveryWay makes every call that people who operate can cause.
func (l *lake) operateEveryWay(t *testing.T, c *client.Client) {
	t.Helper()
	operator := l.nightShift(t, scenario.Institution)
	ids := l.accepted(t, c, admission(7), document(1<<20+1), []byte("yet another line of text"))
	l.forget(t, l.histories(t, c, ids[2:])[0], client.Ingestion) // so that only its error has the content
	if got, err := operator.ReplaySome(t.Context(), client.ReplayOf{IDs: ids}); err != nil || got.Replayed != len(ids) {
		t.Errorf("ids: %+v, %v", got, err)
	}
	if got, err := operator.ReplaySome(t.Context(), client.ReplayOf{Errors: true}); err != nil || got.Replayed == 0 {
		t.Errorf("errors: %+v, %v", got, err)
	}
	gone := l.accepted(t, c, admission(8))[0]
	l.deleteContent(t, c, gone)
	if err := operator.Replay(t.Context(), gone, ""); !refused(err, http.StatusGone, "gone") {
		t.Errorf("gone: %v", err)
	}
	want := map[string]string{}
	for _, queue := range []string{"WriterUndelivered", "WriterFailed"} {
		whole, cut := l.deadLetter(t, queue), l.deadLetter(t, queue)
		if _, err := l.s3().DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(l.output(t, client.OutputClaimCheck)), Key: aws.String(cut + "/" + cut)}); err != nil {
			t.Fatal(err)
		}
		want[whole], want[cut] = "redriven", "no content"
	}
	done, err := operator.RedriveLetters(t.Context())
	outcomes := map[string]string{}
	for _, letter := range done.Letters {
		outcomes[letter.Root] = letter.Outcome
	}
	if err != nil || !maps.Equal(outcomes, want) {
		t.Errorf("redriven: %+v, %v", done, err)
	}
	for _, id := range append(ids, gone) {
		ended(t, c, id)
		if done, err := operator.Forget(t.Context(), id, "test-data"); err != nil || !done.Forgotten {
			t.Errorf("forgotten: %+v, %v", done, err)
		}
	}
}

// deadLetter puts an event with a claim check into a dead-letter queue, and returns the
// message's id.
func (l *lake) deadLetter(t *testing.T, queue string) string {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	check := hub.ClaimCheck{Bucket: l.output(t, client.OutputClaimCheck), Objects: l.s3()}
	wire, err := check.Pack(t.Context(), hub.Event{
		Name: hub.Ingested, Kind: hub.ER7, ID: id, Root: id, Owner: scenario.Institution, Type: "ADT^A01", Body: document(1 << 20),
	}, id.String())
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(wire.Notification())
	if err != nil {
		t.Fatal(err)
	}
	queues, err := l.sqs().ListQueues(t.Context(), &sqs.ListQueuesInput{})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(queues.QueueUrls, func(url string) bool { return strings.Contains(url, queue) })
	if _, err := l.sqs().SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &queues.QueueUrls[i], MessageBody: aws.String(string(body))}); err != nil {
		t.Fatal(err)
	}
	return id.String()
}
