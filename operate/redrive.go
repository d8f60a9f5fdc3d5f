package operate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
	"hl7lake/internal/object"
)

// Outcome is what became of a dead letter.
type Outcome string

// The outcomes of a dead letter. All but Redriven, Erased and SetAside leave it in its
// queue.
const (
	Redriven  Outcome = "redriven"   // it is on the hub again, and no longer in its queue
	WouldBe   Outcome = "would be"   // it would be redriven, if this were not a dry run
	Returned  Outcome = "came back"  // it came into the queue after this redrive began
	Malformed Outcome = "no event"   // it is not an event of a lake, so it would only fail again
	Gone      Outcome = "no content" // its claim check is gone or was changed, so it would only fail again
	NotSent   Outcome = "not sent"   // the hub did not take it
	Doubled   Outcome = "not erased" // it is on the hub again, but could not be taken out of its queue
	SetAside  Outcome = "set aside"  // it can never be redriven: it was stored in the lake and taken out of its queue
	Erased    Outcome = "forgotten"  // its message was forgotten: it was taken out of its queue, and is not on the hub
)

// DeadLetter is one message of a dead-letter queue, without its content.
type DeadLetter struct {
	Queue   string    `json:"queue"`
	ID      string    `json:"id,omitempty"` // the event's id
	Root    string    `json:"root,omitempty"`
	Event   string    `json:"event,omitempty"`
	Owner   string    `json:"owner,omitempty"`
	Type    string    `json:"type,omitempty"`  // the message's type, such as ADT^A01
	Since   time.Time `json:"since"`           // when it came into the queue
	Cause   string    `json:"cause,omitempty"` // the name of the error that put it there
	Outcome Outcome   `json:"outcome"`
	Err     error     `json:"-"` // why it is NotSent, Malformed, Gone, SetAside or Doubled
}

// fresh is the age from which a claim check is written again before its event is
// redriven. Claim checks live for 30 days and dead letters for 14. Without this, a claim
// check could expire before an event that fails again is redriven once more.
const fresh = 24 * time.Hour

// A dead letter that was received stays invisible to others for so long. That is longer
// than a redrive takes; what a redrive leaves in the queue is made visible again at its
// end.
const (
	hold      = 30 * time.Minute
	holdBrief = time.Minute // of a redrive within bounds
)

// Queues returns the names of the dead-letter queues of the lake's stacks whose names
// contain one of the given words, or of all if no word is given.
func (o *Operator) Queues(ctx context.Context, words ...string) ([]string, error) {
	urls, err := o.queueURLs(ctx, words)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, url := range urls {
		names = append(names, nameOf(url))
	}
	return names, nil
}

func (o *Operator) queueURLs(ctx context.Context, words []string) ([]string, error) {
	var urls []string
	pages := sqs.NewListQueuesPaginator(o.queues, &sqs.ListQueuesInput{QueueNamePrefix: &o.names.Queues, MaxResults: new(int32(1000))})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the queues: %w", err)
		}
		for _, url := range page.QueueUrls {
			if isDeadLetterQueue(nameOf(url)) && hasOneOf(nameOf(url), words) {
				urls = append(urls, url)
			}
		}
	}
	slices.Sort(urls)
	return urls, nil
}

// nameOf returns a queue's name, the last part of its URL.
func nameOf(url string) string { return url[strings.LastIndexByte(url, '/')+1:] }

// isDeadLetterQueue reports whether the stacks name dead-letter queues like this: for
// what SNS could not deliver, and for what a function failed on.
func isDeadLetterQueue(name string) bool { return hasOneOf(name, []string{"Undelivered", "Failed"}) }

func hasOneOf(name string, words []string) bool {
	return len(words) == 0 || slices.ContainsFunc(words, func(word string) bool { return strings.Contains(name, word) })
}

// RedriveOptions say what a redrive is to do.
type RedriveOptions struct {
	Queues   []string // only queues with one of these words in their name; nil means all
	Owner    string   // only letters about this institution's messages: others are neither opened nor reported; "" means all
	DryRun   bool     // only look
	SetAside bool     // store what can never be redriven in the lake, see SetAsideOwner
}

// Redrive publishes again what lies in the dead-letter queues, and takes each letter out
// of its queue once the hub has it. A dry run only looks. Redrive calls report with each
// letter, one after the other. A letter that fails again and comes back during the
// redrive is left for the next one. The error says which queue cannot be read.
func (o *Operator) Redrive(ctx context.Context, options RedriveOptions, report func(DeadLetter)) error {
	urls, err := o.queueURLs(ctx, options.Queues)
	if err != nil {
		return err
	}
	begin := time.Now()
	for _, url := range urls {
		r := redrive{Operator: o, RedriveOptions: options, url: url, begin: begin, report: report, hold: hold}
		if _, err := r.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// RedriveSome is Redrive within bounds. It works on all queues at once, so that one with
// many letters, or one that is empty, delays no other. more reports that the bounds may
// have left letters out. SQS gives letters in no order, so a later call meets others.
func (o *Operator) RedriveSome(ctx context.Context, options RedriveOptions, bounds Bounds, report func(DeadLetter)) (more bool, err error) {
	urls, err := o.queueURLs(ctx, options.Queues)
	if err != nil {
		return false, err
	}
	begin := time.Now()
	var group errgroup.Group
	var one sync.Mutex
	tell := func(letter DeadLetter) {
		one.Lock()
		defer one.Unlock()
		report(letter)
	}
	for _, url := range urls {
		group.Go(func() error {
			r := redrive{Operator: o, RedriveOptions: options, url: url, begin: begin, report: tell, hold: holdBrief, bounds: &bounds}
			rest, err := r.run(ctx)
			one.Lock()
			defer one.Unlock()
			more = more || rest
			return err
		})
	}
	err = group.Wait()
	return more, err
}

// redrive is the redrive of one queue.
type redrive struct {
	*Operator
	RedriveOptions
	url    string
	begin  time.Time
	report func(DeadLetter)
	hold   time.Duration
	bounds *Bounds // nil for none

	seen int      // how many letters were received
	left []string // receipt handles of the letters that stay in the queue
}

// run redrives the letters, and makes those that stay in the queue visible again. more
// reports that the bounds may have left letters out.
func (r *redrive) run(ctx context.Context) (more bool, err error) {
	more, err = r.drain(ctx)
	if err = errors.Join(err, r.giveBack(context.WithoutCancel(ctx))); err != nil {
		return more, fmt.Errorf("redrive %s: %w", nameOf(r.url), err)
	}
	return more, nil
}

// atOnce is how many letters a request receives, the most that SQS gives.
const atOnce = 10

// drain receives every letter in the queue, unless the bounds end it before.
func (r *redrive) drain(ctx context.Context) (more bool, err error) {
	for {
		ask := atOnce
		if r.bounds != nil {
			ask = min(ask, r.bounds.Most-r.seen)
			if ask <= 0 || time.Now().After(r.bounds.Until) {
				return true, nil
			}
		}
		out, err := r.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl:                    &r.url,
			MaxNumberOfMessages:         int32(ask),
			VisibilityTimeout:           int32(r.hold.Seconds()),
			WaitTimeSeconds:             1, // asks all of SQS's servers (Amazon SQS, Short and long polling)
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameSentTimestamp},
		})
		if err != nil {
			return false, err
		}
		if len(out.Messages) == 0 {
			return false, nil
		}
		r.seen += len(out.Messages)
		for _, message := range out.Messages {
			letter, meant := r.one(ctx, message)
			if !meant {
				r.left = append(r.left, *message.ReceiptHandle)
				continue
			}
			if hopeless := letter.Outcome == Malformed || letter.Outcome == Gone; hopeless && r.SetAside && !r.DryRun {
				letter = r.setAside(ctx, message, letter)
			}
			if letter.Outcome != Redriven && letter.Outcome != Erased && letter.Outcome != SetAside {
				r.left = append(r.left, *message.ReceiptHandle)
			}
			r.report(letter)
		}
	}
}

// one redrives one letter. meant is false for a letter that is not about a message of the
// institution to which the redrive is limited.
func (r *redrive) one(ctx context.Context, message types.Message) (letter DeadLetter, meant bool) {
	letter = DeadLetter{Queue: nameOf(r.url), Since: sentAt(message)}
	wires, cause, err := open(*message.Body)
	if r.Owner != "" && (err != nil || slices.ContainsFunc(wires, func(w hub.Wire) bool { return w.Attributes["owner"] != r.Owner })) {
		return letter, false
	}
	if err != nil {
		letter.Outcome, letter.Err = Malformed, err
		return letter, true
	}
	letter.Cause = cause
	var kept []hub.Wire
	for _, wire := range wires {
		event, err := r.route.Hub.ClaimCheck.Open(ctx, wire)
		outcome := hopeless(err)
		if outcome == Malformed {
			letter.Outcome, letter.Err = outcome, err
			return letter, true
		}
		letter.ID, letter.Root = event.ID.String(), event.Root.String()
		letter.Event, letter.Owner, letter.Type = string(event.Name), event.Owner, event.Type
		entries, lookErr := r.catalog.History(ctx, event.Root)
		switch {
		case lookErr != nil:
			letter.Outcome, letter.Err = NotSent, lookErr
			return letter, true
		case r.Owner != "" && len(entries) > 0 && entries[0].Owner != r.Owner: // the letter says it is theirs
			return letter, false
		// Publishing it would store it again; but connectors must still hear that it was
		// forgotten.
		case catalog.IsForgotten(entries) && event.Name != hub.Forgotten:
			continue
		case outcome == Gone:
			letter.Outcome, letter.Err = outcome, err
			return letter, true
		}
		kept = append(kept, wire)
	}
	letter.Outcome, letter.Err = r.publish(ctx, message, letter.Since, kept)
	return letter, true
}

// hopeless returns the outcome of a letter whose event cannot be opened because of the
// error. It returns "" if the letter can still be redriven: a person who redrives need
// not be allowed to read its content.
func hopeless(err error) Outcome {
	_, isCall := errors.AsType[*smithy.OperationError](err)
	switch {
	case object.IsGone(err), errors.Is(err, hub.ErrContent):
		return Gone
	case err == nil, isCall:
		return ""
	}
	return Malformed
}

// publish publishes the events of a letter on the hub, and takes the letter out of its
// queue. There are no events if all of their messages were forgotten.
func (r *redrive) publish(ctx context.Context, message types.Message, since time.Time, wires []hub.Wire) (Outcome, error) {
	switch {
	case cameBack(since, r.begin):
		return Returned, nil
	case r.DryRun:
		return WouldBe, nil
	}
	for _, wire := range wires {
		if err := r.route.Hub.ClaimCheck.Renew(ctx, wire, r.begin.Add(-fresh)); err != nil && !mayNotRead(err) {
			return NotSent, err
		}
		if _, err := r.route.Hub.Publisher.Publish(ctx, wire.Input(r.route.Hub.ARN)); err != nil {
			return NotSent, err
		}
	}
	_, err := r.queues.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &r.url, ReceiptHandle: message.ReceiptHandle})
	switch {
	case err != nil && len(wires) == 0:
		return NotSent, err
	case err != nil:
		return Doubled, err
	case len(wires) == 0:
		return Erased, nil
	}
	return Redriven, nil
}

// mayNotRead reports whether the caller is not allowed to read the content. A redrive
// does not need that permission.
func mayNotRead(err error) bool {
	operation, isCall := errors.AsType[*smithy.OperationError](err)
	problem, answered := errors.AsType[smithy.APIError](err)
	return isCall && operation.Operation() == "GetObject" && answered && problem.ErrorCode() == "AccessDenied"
}

// cameBack reports whether a letter came into its queue after the redrive began. SQS
// gives times in whole milliseconds. A letter that comes back within the redrive's first
// millisecond must count as new too, or it would be redriven again.
func cameBack(since, begin time.Time) bool { return !since.Before(begin.Truncate(time.Millisecond)) }

// giveBack makes the letters that stay in the queue visible again.
func (r *redrive) giveBack(ctx context.Context) error {
	var failures []error
	for _, handle := range r.left {
		_, err := r.queues.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &r.url, ReceiptHandle: &handle, VisibilityTimeout: 0})
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// sentAt returns the time at which a letter came into its queue.
func sentAt(message types.Message) time.Time {
	ms, err := strconv.ParseInt(message.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// errNoEnvelope says that a message has neither of the forms of a dead letter.
var errNoEnvelope = errors.New("neither a message of SNS nor a failed invocation of one")

// open takes the events out of a dead letter. It is SNS's own message if SNS could not
// deliver it (Amazon SNS, Dead-letter queues), and Lambda's record of the invocation if
// the function failed on it (AWS Lambda, Retaining records of asynchronous invocations).
// cause is the error, if it is known.
func open(body string) (wires []hub.Wire, cause string, err error) {
	var letter struct {
		events.SNSEntity
		RequestPayload  events.SNSEvent `json:"requestPayload"`
		ResponsePayload struct {
			ErrorType string `json:"errorType"`
		} `json:"responsePayload"`
	}
	if err := json.Unmarshal([]byte(body), &letter); err != nil {
		return nil, "", errNoEnvelope // the decoder's error may quote the letter
	}
	if letter.Type == "Notification" {
		return []hub.Wire{hub.FromSNS(letter.SNSEntity)}, "not delivered", nil
	}
	for _, record := range letter.RequestPayload.Records {
		wires = append(wires, hub.FromSNS(record.SNS))
	}
	if wires == nil {
		return nil, "", errNoEnvelope
	}
	if name := letter.ResponsePayload.ErrorType; errorType.MatchString(name) {
		cause = name
	}
	return wires, cause, nil
}

// errorType is the form of an error's name. A function may return anything else.
var errorType = regexp.MustCompile(`^[A-Za-z][A-Za-z.]{0,63}$`)
