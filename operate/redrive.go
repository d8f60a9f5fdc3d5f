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
	"time"

	"github.com/aws/aws-lambda-go/events"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
)

// Outcome is what became of a dead letter.
type Outcome string

// The outcomes of a dead letter. All but Redriven and Erased leave it in its queue.
const (
	Redriven  Outcome = "redriven"   // it is on the hub again, and no longer in the queue
	WouldBe   Outcome = "would be"   // it would be redriven, but for the dry run
	Returned  Outcome = "came back"  // it came into the queue since this redrive began
	Malformed Outcome = "no event"   // it is no event of a lake, so that it would only come back
	Gone      Outcome = "no content" // its claim check is gone or was changed, so that it would only come back
	NotSent   Outcome = "not sent"   // the hub did not take it
	Doubled   Outcome = "not erased" // it is on the hub again, and could not be taken out of the queue
	Erased    Outcome = "forgotten"  // its message was forgotten: it was taken out of the queue, and is not on the hub
)

// DeadLetter is one message of a dead-letter queue, without its content.
type DeadLetter struct {
	Queue   string    `json:"queue"`
	ID      string    `json:"id,omitempty"` // of the event
	Root    string    `json:"root,omitempty"`
	Event   string    `json:"event,omitempty"`
	Owner   string    `json:"owner,omitempty"`
	Type    string    `json:"type,omitempty"`  // of the message, as ADT^A01
	Since   time.Time `json:"since"`           // when it came into the queue
	Cause   string    `json:"cause,omitempty"` // the name of the error that it died of
	Outcome Outcome   `json:"outcome"`
	Err     error     `json:"-"` // why it is NotSent, Malformed, Gone or Doubled
}

// fresh is how old a claim check may be that is not put anew before its event is
// redriven. It would else be taken away before what comes back from that is redriven
// in turn: claim checks live for 30 days, dead letters for 14.
const fresh = 24 * time.Hour

// hold is how long a dead letter that was taken from its queue is kept from
// others, and from coming again: longer than a redrive takes, and what a redrive
// leaves is given back at its end.
const hold = 30 * time.Minute

// Queues are the names of the lake's dead-letter queues: of those that the
// lake's stacks have made, the ones with one of the given words in their name;
// without words all.
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
	pages := sqs.NewListQueuesPaginator(o.queues, &sqs.ListQueuesInput{QueueNamePrefix: &o.prefix, MaxResults: new(int32(1000))})
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

// nameOf is a queue's name, the end of its URL.
func nameOf(url string) string { return url[strings.LastIndexByte(url, '/')+1:] }

// isDeadLetterQueue tells by the names that the stacks give: what SNS could not
// deliver, and what a function failed on.
func isDeadLetterQueue(name string) bool { return hasOneOf(name, []string{"Undelivered", "Failed"}) }

func hasOneOf(name string, words []string) bool {
	return len(words) == 0 || slices.ContainsFunc(words, func(word string) bool { return strings.Contains(name, word) })
}

// Redrive publishes what lies in the dead-letter queues again, and takes each
// out of its queue once the hub has it; a dry run only looks. report is called
// with each, one after the other. What comes back during the redrive, because it
// failed again, is left for the next one. The error is that of a queue that
// cannot be worked on.
func (o *Operator) Redrive(ctx context.Context, dry bool, words []string, report func(DeadLetter)) error {
	urls, err := o.queueURLs(ctx, words)
	if err != nil {
		return err
	}
	begin := time.Now()
	for _, url := range urls {
		r := redrive{Operator: o, url: url, begin: begin, dry: dry, report: report}
		if err := errors.Join(r.drain(ctx), r.giveBack(context.WithoutCancel(ctx))); err != nil {
			return fmt.Errorf("redrive %s: %w", nameOf(url), err)
		}
	}
	return nil
}

// redrive is the redrive of one queue.
type redrive struct {
	*Operator
	url    string
	begin  time.Time
	dry    bool
	report func(DeadLetter)

	left []string // receipt handles of what stays in the queue
}

// drain takes everything from the queue that is in it.
func (r *redrive) drain(ctx context.Context) error {
	for {
		out, err := r.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl:                    &r.url,
			MaxNumberOfMessages:         10,
			VisibilityTimeout:           int32(hold.Seconds()),
			WaitTimeSeconds:             1, // asks all of SQS's servers (Amazon SQS, Short and long polling)
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameSentTimestamp},
		})
		if err != nil {
			return err
		}
		if len(out.Messages) == 0 {
			return nil
		}
		for _, message := range out.Messages {
			letter := r.one(ctx, message)
			if letter.Outcome != Redriven && letter.Outcome != Erased {
				r.left = append(r.left, *message.ReceiptHandle)
			}
			r.report(letter)
		}
	}
}

// one redrives one message.
func (r *redrive) one(ctx context.Context, message types.Message) DeadLetter {
	letter := DeadLetter{Queue: nameOf(r.url), Since: sentAt(message)}
	wires, cause, err := open(*message.Body)
	if err != nil {
		letter.Outcome, letter.Err = Malformed, err
		return letter
	}
	letter.Cause = cause
	var kept []hub.Wire
	for _, wire := range wires {
		event, err := r.lake.Hub.ClaimCheck.Open(ctx, wire)
		outcome := hopeless(err)
		if outcome == Malformed {
			letter.Outcome, letter.Err = outcome, err
			return letter
		}
		letter.ID, letter.Root = event.ID.String(), event.Root.String()
		letter.Event, letter.Owner, letter.Type = string(event.Name), event.Owner, event.Type
		forgotten, lookErr := r.forgotten(ctx, event.Root)
		switch {
		case lookErr != nil:
			letter.Outcome, letter.Err = NotSent, lookErr
			return letter
		case forgotten:
			continue
		case outcome == Gone:
			letter.Outcome, letter.Err = outcome, err
			return letter
		}
		kept = append(kept, wire)
	}
	letter.Outcome, letter.Err = r.publish(ctx, message, letter.Since, kept)
	return letter
}

// forgotten reports whether a message was forgotten: to publish it would file it
// once more.
func (r *redrive) forgotten(ctx context.Context, root uuid.UUID) (bool, error) {
	entries, err := r.catalog.History(ctx, root)
	return catalog.IsForgotten(entries), err
}

// hopeless is the outcome of an event that cannot be opened with the error, and
// "" where that does not make it hopeless: who redrives need not be allowed to
// read what it carries.
func hopeless(err error) Outcome {
	_, noObject := errors.AsType[*s3types.NoSuchKey](err)
	_, isCall := errors.AsType[*smithy.OperationError](err)
	switch {
	case noObject, errors.Is(err, hub.ErrContent):
		return Gone
	case err == nil, isCall:
		return ""
	}
	return Malformed
}

// publish puts the events of a letter onto the hub, and takes it out of its queue.
// There are none where all were of messages that were forgotten.
func (r *redrive) publish(ctx context.Context, message types.Message, since time.Time, wires []hub.Wire) (Outcome, error) {
	switch {
	case cameBack(since, r.begin):
		return Returned, nil
	case r.dry:
		return WouldBe, nil
	}
	for _, wire := range wires {
		if err := r.lake.Hub.ClaimCheck.Renew(ctx, wire, r.begin.Add(-fresh)); err != nil && !mayNotRead(err) {
			return NotSent, err
		}
		if err := r.hub.publish(ctx, wire); err != nil {
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

// mayNotRead reports whether content could not be had since the caller may not
// read it, which who redrives need not.
func mayNotRead(err error) bool {
	operation, isCall := errors.AsType[*smithy.OperationError](err)
	problem, answered := errors.AsType[smithy.APIError](err)
	return isCall && operation.Operation() == "GetObject" && answered && problem.ErrorCode() == "AccessDenied"
}

// cameBack tells whether a letter came into its queue since a redrive began. SQS
// tells the time in whole milliseconds: what comes back within the redrive's first
// must not look older than that, or it is redriven once more.
func cameBack(since, begin time.Time) bool { return !since.Before(begin.Truncate(time.Millisecond)) }

// giveBack makes what stays in the queue visible again.
func (r *redrive) giveBack(ctx context.Context) error {
	var failures []error
	for _, handle := range r.left {
		_, err := r.queues.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &r.url, ReceiptHandle: &handle, VisibilityTimeout: 0})
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// sentAt is when a message came into its queue.
func sentAt(message types.Message) time.Time {
	ms, err := strconv.ParseInt(message.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// errNoEnvelope says that a message is in neither of the forms that dead
// letters have.
var errNoEnvelope = errors.New("neither a message of SNS nor a failed invocation of one")

// open takes the events out of a dead letter. It is SNS's own message where SNS
// could not deliver it (Amazon SNS, Dead-letter queues), and Lambda's record of
// the invocation where the function failed on it (AWS Lambda, Retaining records
// of asynchronous invocations). cause is why, where it is known.
func open(body string) (wires []hub.Wire, cause string, err error) {
	var letter struct {
		events.SNSEntity
		RequestPayload  events.SNSEvent `json:"requestPayload"`
		ResponsePayload struct {
			ErrorType string `json:"errorType"`
		} `json:"responsePayload"`
	}
	if err := json.Unmarshal([]byte(body), &letter); err != nil {
		return nil, "", errNoEnvelope // the decoder's own words may quote it
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

// errorType is the form of the names of errors: a function may answer anything.
var errorType = regexp.MustCompile(`^[A-Za-z][A-Za-z.]{0,63}$`)
