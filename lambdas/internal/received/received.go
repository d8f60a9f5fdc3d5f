// Package received is the table of received content. It answers a question of ingest: is
// this content new, a duplicate of a message that is kept, or claimed by another attempt
// right now? And one of the readers: whose is an id that was accepted a moment ago?
package received

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"

	"hl7lake/internal/hub"
	"hl7lake/internal/pause"
)

// Window is how long content is remembered if a Table does not say: after that, the same
// content is a new message.
const Window = 90 * 24 * time.Hour

// afterlife is how much longer than its claim the record of a claim's end is kept. Time
// to live removes both at some time after their expiry, and clocks differ. A claim
// without its end would look as if it had never ended.
const afterlife = 24 * time.Hour

// DynamoDB is the part of Amazon DynamoDB that the table needs; *dynamodb.Client has it.
type DynamoDB interface {
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
}

// Table is the received table.
type Table struct {
	Name string
	DB   DynamoDB

	// Window is how long content is remembered; 0 means the constant Window. It must not
	// be longer than the lake keeps messages: otherwise a sender would be told that a
	// message is there which is not.
	Window time.Duration

	// Runner names the place in which the caller's attempts run one after the other, such
	// as Lambda's execution environments. An earlier attempt of the same place is over,
	// however it ended, so its lease need not be waited for. It is empty if several run
	// at once.
	Runner string
}

// item is a claim as it is stored. The attempt that holds it may work on it until the
// lease ends. After that, any other attempt may take it over, with the same id, unless
// the claim has ended.
type item struct {
	PK      string `dynamodbav:"pk"`
	Sent    string `dynamodbav:"sent,omitempty"` // hash of the bytes as they were sent, if they are not tidy; or several
	ID      string `dynamodbav:"id"`
	Owner   string `dynamodbav:"owner"`
	Lease   int64  `dynamodbav:"lease"`   // end of the lease, epoch milliseconds
	Expiry  int64  `dynamodbav:"expiry"`  // epoch seconds
	Attempt string `dynamodbav:"attempt"` // a random name, by which an attempt recognizes its own write if its answer was lost

	Runner    string `dynamodbav:"runner,omitempty"`    // see Table
	Unsettled string `dynamodbav:"unsettled,omitempty"` // a partition of the index of the same name; see Fresh and Late
	Retried   int64  `dynamodbav:"retried,omitempty"`   // when the message was last published again, epoch milliseconds
}

// end is the record of a claim's end, an item of its own under the id: the hub has the
// message. It makes the id findable, and the content a duplicate.
type end struct {
	PK      string `dynamodbav:"pk"`
	Owner   string `dynamodbav:"owner"`
	Expiry  int64  `dynamodbav:"expiry"`  // epoch seconds
	Attempt string `dynamodbav:"attempt"` // the attempt that ended it
}

// Claim is the right to publish one message, until its lease ends.
type Claim struct {
	ID   uuid.UUID // the message's id
	item item
}

// DuplicateError says that the content was accepted before.
type DuplicateError struct {
	ID uuid.UUID // of the first message with this content
	// Differs reports that the first message's bytes are, or may be, other than those
	// that were claimed now: its line ends, framing or byte order mark differ.
	Differs bool
}

func (e *DuplicateError) Error() string { return "received: duplicate of " + e.ID.String() }

// ErrHeld says that another attempt held the content for as long as the caller wanted to
// wait.
var ErrHeld = errors.New("received: another attempt holds the claim")

// errClaim says that a stored claim cannot be used.
var errClaim = errors.New("received: the stored claim has no id")

// Acquire claims body, which is of the kind, for owner until lease. If another attempt
// holds the claim it waits until patience is over for that one to finish or to lapse. It
// returns a *DuplicateError when the content was accepted, and ErrHeld when it is still
// in another attempt's hands. For what is the same content, see [claim.Key] in
// hl7lake/internal/claim.
func (t Table) Acquire(ctx context.Context, owner string, kind hub.Kind, body []byte, lease time.Time, patience time.Duration) (Claim, error) {
	id, err := hub.NewID()
	if err != nil {
		return Claim{}, err
	}
	mine, err := t.identify(ctx, item{
		ID:      id.String(),
		Owner:   owner,
		Lease:   lease.UnixMilli(),
		Expiry:  time.Now().Add(cmp.Or(t.Window, Window)).Unix(),
		Attempt: rand.Text(),
		Runner:  t.Runner,

		Unsettled: freshPartition(shardOf(id)),
	}, kind, body)
	if err != nil {
		return Claim{}, err
	}
	return t.acquire(ctx, mine, time.Now().Add(patience))
}

// acquire is what a request does about a claim, state by state
// (docs/decisions/0006-the-end-of-a-claim.md).
func (t Table) acquire(ctx context.Context, mine item, patience time.Time) (Claim, error) {
	stored, err := t.put(ctx, mine)
	for wait := firstPause; err == nil; wait = min(wait*2, longestPause) {
		claim, unusable := claimOf(stored)
		if unusable != nil || stored.Attempt == mine.Attempt {
			return claim, unusable // mine: the message is to be published under its id
		}
		_, ended, failed := t.end(ctx, claim.ID)
		switch {
		case failed != nil:
			return Claim{}, failed
		case ended:
			return Claim{}, &DuplicateError{ID: claim.ID, Differs: stored.Sent != mine.Sent}
		case stored.over(mine):
			stored, err = t.takeOver(ctx, claim, mine)
		case time.Now().Add(wait).After(patience):
			return Claim{}, ErrHeld
		default:
			if err = pause.For(ctx, wait); err == nil {
				stored, err = t.look(ctx, mine)
			}
		}
	}
	return Claim{}, err
}

// over reports whether the attempt that holds a claim has lost its right to it, or is
// known to have died: mine runs where it ran, and only one at a time does.
func (i item) over(mine item) bool {
	return i.Lease < time.Now().UnixMilli() || mine.Runner != "" && i.Runner == mine.Runner
}

// How long Acquire waits between two looks at a claim that another attempt holds.
const (
	firstPause   = 25 * time.Millisecond
	longestPause = 400 * time.Millisecond
)

// put claims new content. It returns the claim that is stored afterwards, which is mine
// unless there already was one.
func (t Table) put(ctx context.Context, mine item) (item, error) {
	values, err := attributevalue.MarshalMap(mine)
	if err != nil {
		return item{}, err
	}
	_, err = t.DB.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           &t.Name,
		Item:                                values,
		ConditionExpression:                 new("attribute_not_exists(pk) OR expiry < :now"),
		ExpressionAttributeValues:           map[string]types.AttributeValue{":now": number(time.Now().Unix())},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	return t.after(ctx, mine, err)
}

// takeOver continues a claim whose lease has ended, or whose attempt is known to be over.
// The id stays, because the attempt before may have published, and may even end
// meanwhile. The window begins again, because the content is accepted now: near the end
// of the old window, it would soon be accepted once more. The lake may already have the
// other attempt's bytes, which is recorded if mine are different. It returns the claim
// that is stored afterwards, which is mine unless another attempt was faster. Reconcile
// may have passed it by or given it up, and will look at it again.
func (t Table) takeOver(ctx context.Context, lapsed Claim, mine item) (item, error) {
	update := "SET lease = :lease, expiry = :expiry, attempt = :attempt, runner = :runner, unsettled = :late"
	values := map[string]types.AttributeValue{
		":lease":   number(mine.Lease),
		":expiry":  number(mine.Expiry),
		":attempt": text(mine.Attempt),
		":runner":  text(mine.Runner),
		":lapsed":  number(lapsed.item.Lease),
		":late":    text(latePartition(shardOf(lapsed.ID))),
	}
	if lapsed.item.Sent != mine.Sent {
		mine.Sent = several
		update, values[":several"] = update+", sent = :several", text(several)
	}
	_, err := t.DB.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                           &t.Name,
		Key:                                 key(mine.PK),
		UpdateExpression:                    &update,
		ConditionExpression:                 new("lease = :lapsed"),
		ExpressionAttributeValues:           values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	mine.ID = lapsed.item.ID
	return t.after(ctx, mine, err)
}

// after returns the claim that is stored after my conditional write: mine if the write
// succeeded, else the one that the refusal shows.
func (t Table) after(ctx context.Context, mine item, err error) (item, error) {
	var refused *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return mine, nil
	case !errors.As(err, &refused):
		return item{}, fmt.Errorf("claim: %w", err)
	case len(refused.Item) == 0:
		return t.look(ctx, mine)
	}
	var current item
	return current, attributevalue.UnmarshalMap(refused.Item, &current)
}

// look reads the claim on the content that mine is about. If it has gone meanwhile, the
// content is new and mine is put.
func (t Table) look(ctx context.Context, mine item) (item, error) {
	out, err := t.DB.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &t.Name,
		Key:            key(mine.PK),
		ConsistentRead: new(true),
	})
	switch {
	case err != nil:
		return item{}, fmt.Errorf("look at the claim: %w", err)
	case len(out.Item) == 0:
		return t.put(ctx, mine)
	}
	var current item
	return current, attributevalue.UnmarshalMap(out.Item, &current)
}

func claimOf(stored item) (Claim, error) {
	id, err := uuid.Parse(stored.ID)
	if err != nil {
		return Claim{}, errClaim
	}
	return Claim{ID: id, item: stored}, nil
}

// Finish records that the hub has c's message: from now on its id is found and its
// content is a duplicate. If another attempt at the same message ended first, or had
// other bytes and perhaps published them, Finish returns the *DuplicateError that the
// next request with this content gets. The message is kept, but not for certain with the
// bytes of this attempt.
func (t Table) Finish(ctx context.Context, c Claim) error {
	values, err := attributevalue.MarshalMap(end{
		PK:      endKey(c.ID),
		Owner:   c.item.Owner,
		Expiry:  c.item.Expiry + int64(afterlife.Seconds()),
		Attempt: c.item.Attempt,
	})
	if err != nil {
		return err
	}
	_, err = t.DB.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                 &t.Name,
		Item:                      values,
		ConditionExpression:       new("attribute_not_exists(pk) OR attempt = :ours"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":ours": text(c.item.Attempt)},
	})
	var refused *types.ConditionalCheckFailedException
	switch {
	case err != nil && !errors.As(err, &refused):
		return fmt.Errorf("finish the claim: %w", err)
	case err != nil || c.item.Sent == several:
		return &DuplicateError{ID: c.ID, Differs: c.item.Sent == several}
	}
	return nil
}

// Release ends the lease of c now, so that the sender's next try need not wait for it. It
// returns ErrHeld if another attempt has taken c over.
func (t Table) Release(ctx context.Context, c Claim) error {
	_, err := t.DB.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:           &t.Name,
		Key:                 key(c.item.PK),
		UpdateExpression:    new("SET lease = :now"),
		ConditionExpression: new("attempt = :ours"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":now":  number(time.Now().UnixMilli() - 1),
			":ours": text(c.item.Attempt),
		},
	})
	var refused *types.ConditionalCheckFailedException
	switch {
	case errors.As(err, &refused):
		return ErrHeld
	case err != nil:
		return fmt.Errorf("release the claim: %w", err)
	}
	return nil
}

// Owner returns the institution whose message has the id, or "" if no claim of that id
// has ended.
func (t Table) Owner(ctx context.Context, id uuid.UUID) (string, error) {
	end, _, err := t.end(ctx, id)
	return end.Owner, err
}

// end returns the record of the end of the claim with the id, if it has ended.
func (t Table) end(ctx context.Context, id uuid.UUID) (found end, ended bool, err error) {
	out, err := t.DB.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &t.Name,
		Key:            key(endKey(id)),
		ConsistentRead: new(true),
	})
	if err != nil {
		return found, false, fmt.Errorf("look up the id: %w", err)
	}
	err = attributevalue.UnmarshalMap(out.Item, &found)
	return found, len(out.Item) > 0, err
}

// endKey returns the key of that record. No content's key contains a #.
func endKey(id uuid.UUID) string { return "id#" + id.String() }

func key(pk string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"pk": text(pk)}
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}
