package e2e_test

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
	"hl7lake/internal/hub"
	"hl7lake/internal/testing/canary"
	"hl7lake/local/fault"
	"hl7lake/operate"
)

// outage is a time in which SNS cannot reach the writer, and trigger's process dies of
// every event, or one of the two.
type outage struct {
	of   []string // Writer, Trigger
	over atomic.Bool
}

func (o *outage) plan(p fault.Point) fault.Fault {
	hit := func(function string) bool {
		return slices.Contains(o.of, function) && strings.Contains(p.Function, function)
	}
	switch {
	case o.over.Load():
	case p.Call == fault.Notification && hit("Writer"):
		return fault.Fault{Kind: fault.Fail}
	case p.Call == fault.Event && hit("Trigger"):
		return fault.Fault{Kind: fault.KillBefore}
	}
	return fault.Fault{}
}

// broken starts a lake with an outage of the given functions, or of both.
func broken(t *testing.T, of ...string) (*lake, *outage) {
	t.Helper()
	o := outage{of: of}
	if of == nil {
		o.of = []string{"Writer", "Trigger"}
	}
	return startFaulty(t, o.plan), &o
}

// redrive redrives the queues with one of the words in their name, and returns what was
// reported, sorted by queue.
func (l *lake) redrive(t *testing.T, dry bool, words ...string) (letters []operate.DeadLetter) {
	t.Helper()
	return l.redriveBy(t, operate.RedriveOptions{DryRun: dry, Queues: words})
}

func (l *lake) redriveBy(t *testing.T, options operate.RedriveOptions) (letters []operate.DeadLetter) {
	t.Helper()
	err := l.operator(t).Redrive(t.Context(), options, func(letter operate.DeadLetter) { letters = append(letters, letter) })
	if err != nil {
		t.Fatal(err)
	}
	return letters
}

// outcomes returns what became of the letters, such as "WriterUndelivered redriven".
func outcomes(letters []operate.DeadLetter) (all []string) {
	for _, letter := range letters {
		for _, queue := range []string{"WriterUndelivered", "WriterFailed", "TriggerUndelivered", "TriggerFailed", "IndexUndelivered", "IndexFailed"} {
			if strings.Contains(letter.Queue, queue) {
				all = append(all, queue+" "+string(letter.Outcome))
			}
		}
	}
	slices.Sort(all)
	return all
}

// dead sends the canary's message and waits until both of its deliveries are dead
// letters.
func (l *lake) dead(t *testing.T, c *client.Client) (id string) {
	t.Helper()
	receipt, err := c.Send(t.Context(), client.Message{Body: canary.Message()})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"TriggerFailed would be", "WriterUndelivered would be"}
	eventually(t, "both deliveries are dead letters", func() bool { return slices.Equal(outcomes(l.redrive(t, true)), want) })
	return receipt.ID
}

func wantOutcomes(t *testing.T, letters []operate.DeadLetter, want ...string) {
	t.Helper()
	if got := outcomes(letters); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q: %+v", got, want, letters)
	}
}

func TestWhatDiedIsRedrivenToTheEndOfItsWay(t *testing.T) {
	l, outage := broken(t)
	c := l.client(t, l.admin(t))
	id := l.dead(t, c)
	outage.over.Store(true)
	letters := l.redrive(t, false)
	wantOutcomes(t, letters, "TriggerFailed redriven", "WriterUndelivered redriven")
	causes := map[string]bool{}
	for _, letter := range letters {
		if letter.ID != id || letter.Root != id || letter.Owner != scenario.Institution || letter.Type != "ADT^A01" || letter.Event != "ingested" {
			t.Errorf("reported as %+v", letter)
		}
		causes[letter.Cause] = true
	}
	if !causes["not delivered"] || !causes["Runtime.ExitError"] {
		t.Errorf("the causes are %v", causes)
	}
	canary.Check(t, "the report", letters)
	if h := ended(t, c, id); h.Status != client.Staged || len(h.Steps) != 2 {
		t.Errorf("ended as %+v", h)
	}
	wantOutcomes(t, l.redrive(t, false))
}

func TestADryRunChangesNothing(t *testing.T) {
	l, outage := broken(t)
	id := l.dead(t, l.client(t, l.admin(t)))
	outage.over.Store(true)
	for range 2 {
		wantOutcomes(t, l.redrive(t, true), "TriggerFailed would be", "WriterUndelivered would be")
	}
	if h, err := l.client(t, l.pool.SignIn(l.reader(t))).History(t.Context(), id); err != nil || h.Status != client.Accepted {
		t.Errorf("the message is %s, %v", h.Status, err)
	}
}

// reader creates a user who may read, and returns a way to sign in as that user.
func (l *lake) reader(t *testing.T) (email, password string) {
	t.Helper()
	password = client.NewPassword()
	if err := l.pool.Add(t.Context(), client.User{Email: "reader@example.org", Read: client.Institutions{scenario.Institution}}, password); err != nil {
		t.Fatal(err)
	}
	return "reader@example.org", password
}

func TestARedriveEndsAlthoughEverythingFailsAgain(t *testing.T) {
	l, _ := broken(t)
	l.dead(t, l.client(t, l.admin(t)))
	// What the writer cannot be told returns to its queue at once.
	wantOutcomes(t, l.redrive(t, false, "WriterUndelivered"), "WriterUndelivered came back", "WriterUndelivered redriven")
	wantOutcomes(t, l.redrive(t, true, "WriterUndelivered"), "WriterUndelivered would be")
}

func TestOnlyTheNamedQueuesAreRedriven(t *testing.T) {
	l, outage := broken(t)
	l.dead(t, l.client(t, l.admin(t)))
	outage.over.Store(true)
	wantOutcomes(t, l.redrive(t, false, "TriggerFailed", "WriterFailed"), "TriggerFailed redriven")
	wantOutcomes(t, l.redrive(t, true), "WriterUndelivered would be")
	if names, err := l.operator(t).Queues(t.Context(), "nothing"); names != nil || err != nil {
		t.Errorf("got %v, %v", names, err)
	}
}

func TestADeadLetterLeavesItsQueueOnlyAfterTheHubHasIt(t *testing.T) {
	l, outage := broken(t)
	l.dead(t, l.client(t, l.admin(t)))
	outage.over.Store(true)
	elsewhere := client.Outputs{}
	for stack, outputs := range l.connection.Outputs {
		elsewhere[stack] = map[string]string{}
		for name, value := range outputs {
			if name == client.OutputHub {
				value += "-that-is-not-there"
			}
			elsewhere[stack][name] = value
		}
	}
	connection := l.connection
	connection.Outputs = elsewhere
	o, err := operate.New(connection, aws.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var letters []operate.DeadLetter
	if err := o.Redrive(t.Context(), operate.RedriveOptions{}, func(letter operate.DeadLetter) { letters = append(letters, letter) }); err != nil {
		t.Fatal(err)
	}
	wantOutcomes(t, letters, "TriggerFailed not sent", "WriterUndelivered not sent")
	wantOutcomes(t, l.redrive(t, false), "TriggerFailed redriven", "WriterUndelivered redriven")
}

func TestWhatHasLostItsContentIsNotRedrivenForNothing(t *testing.T) {
	l, outage := broken(t, "Writer")
	c := l.client(t, l.admin(t))
	receipt, err := c.Send(t.Context(), client.Message{Body: document(1 << 20)})
	if err != nil {
		t.Fatal(err)
	}
	undelivered := func() []operate.DeadLetter { return l.redrive(t, true, "WriterUndelivered") }
	eventually(t, "it is a dead letter", func() bool { return slices.Contains(outcomes(undelivered()), "WriterUndelivered would be") })
	outage.over.Store(true)
	check := &s3.DeleteObjectInput{Bucket: aws.String(l.output(t, client.OutputClaimCheck)), Key: aws.String(receipt.ID + "/" + receipt.ID)}
	if _, err := l.s3().DeleteObject(t.Context(), check); err != nil {
		t.Fatal(err)
	}
	for _, dry := range []bool{true, false} {
		for _, letter := range l.redrive(t, dry, "WriterUndelivered") {
			if letter.Root == receipt.ID && letter.Event == "ingested" && (letter.Outcome != operate.Gone || letter.ID != receipt.ID) {
				t.Errorf("dry %t: %+v", dry, letter)
			}
		}
	}
	if got := undelivered(); !slices.ContainsFunc(got, func(letter operate.DeadLetter) bool { return letter.ID == receipt.ID && letter.Outcome == operate.Gone }) {
		t.Errorf("its letter left the queue: %+v", got)
	}
	if got := l.reconcile(t); !slices.Contains(got.MissingMessages, operate.MissingMessage{ID: receipt.ID, Owner: scenario.Institution}) {
		t.Errorf("reconcile reports %+v", got)
	}
}

func TestWhatIsNoEventStaysWhereItIs(t *testing.T) {
	l := start(t)
	l.publish(t, "not-an-id", "unknown", []byte("a line of text"))
	want := []string{"IndexFailed no event", "TriggerFailed no event", "WriterFailed no event"}
	eventually(t, "all functions have given it up", func() bool { return slices.Equal(outcomes(l.redrive(t, false)), want) })
	wantOutcomes(t, l.redrive(t, false), want...)
	for _, letter := range l.redrive(t, true) {
		if letter.Err == nil || strings.Contains(letter.Err.Error(), "line") || letter.ID != "" {
			t.Errorf("reported as %+v", letter)
		}
	}
}

// TestWhatCanNeverBeRedrivenIsSetAside has the queues empty afterwards, and what lay in
// them in the lake, whole.
func TestWhatCanNeverBeRedrivenIsSetAside(t *testing.T) {
	l := start(t)
	const line = "a line that nobody has announced"
	l.publish(t, "not-an-id", "unknown", []byte(line))
	want := []string{"IndexFailed no event", "TriggerFailed no event", "WriterFailed no event"}
	eventually(t, "all functions have given it up", func() bool { return slices.Equal(outcomes(l.redrive(t, true)), want) })
	wantOutcomes(t, l.redriveBy(t, operate.RedriveOptions{DryRun: true, SetAside: true}), want...)
	letters := l.redriveBy(t, operate.RedriveOptions{SetAside: true})
	wantOutcomes(t, letters, "IndexFailed set aside", "TriggerFailed set aside", "WriterFailed set aside")
	reader := l.client(t, l.user(t, client.User{Email: "night-shift@example.org", Read: client.Institutions{operate.SetAsideOwner}}))
	for _, letter := range letters {
		if letter.Owner != operate.SetAsideOwner || letter.Err == nil || strings.Contains(letter.Err.Error(), "line") {
			t.Errorf("reported as %+v", letter)
		}
		if h := ended(t, reader, letter.ID); h.Owner != operate.SetAsideOwner {
			t.Errorf("ended as %+v", h)
		}
		content, err := reader.Content(t.Context(), letter.ID)
		if err != nil || !strings.Contains(string(content), line) || !strings.Contains(string(content), "not-an-id") {
			t.Errorf("the lake has %q, %v", content, err)
		}
		if since := hub.Received(uuid.MustParse(letter.ID)); !since.Equal(letter.Since) {
			t.Errorf("the id tells %s, not %s", since, letter.Since)
		}
	}
	eventually(t, "the queues stay empty", func() bool { return len(l.redrive(t, false)) == 0 })
}
