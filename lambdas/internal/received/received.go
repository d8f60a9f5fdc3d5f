// Package received is the table of received content. It answers one question
// for ingest: is this content new, a duplicate of a message that is kept, or in
// the hands of another attempt right now? And one for the read side: whose is
// an id that was accepted a moment ago?
package received

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"

	"hl7lake/internal/hub"
)

// Window is how long content is remembered: the same content after that is a
// new message.
const Window = 90 * 24 * time.Hour

// DynamoDB is what the table needs of Amazon DynamoDB; *dynamodb.Client has it.
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
}

// The states of a claim.
const (
	pending = "pending" // an attempt is publishing the message, or died doing so
	done    = "done"    // the hub has the message
)

// item is a claim as it is stored. The attempt that holds it may work on it
// until the lease ends; after that any other attempt may take it over, with the
// same id.
type item struct {
	PK      string `dynamodbav:"pk"`
	State   string `dynamodbav:"state"`
	ID      string `dynamodbav:"id"`
	Owner   string `dynamodbav:"owner"`
	Lease   int64  `dynamodbav:"lease"`   // end of the lease, epoch milliseconds
	Expiry  int64  `dynamodbav:"expiry"`  // epoch seconds
	Attempt string `dynamodbav:"attempt"` // a random name, so that an attempt knows its own write when its answer was lost

	Unsettled string `dynamodbav:"unsettled,omitempty"` // a shard of the index of the same name; see Unsettled
	Retried   int64  `dynamodbav:"retried,omitempty"`   // when the message was last published again, epoch milliseconds
}

// Key is the key of body among owner's messages: one institution can neither
// block nor probe another.
func Key(owner string, body []byte) string {
	hash := sha256.New()
	hash.Write([]byte(owner))
	hash.Write([]byte{0})
	hash.Write(body)
	return hex.EncodeToString(hash.Sum(nil))
}

// Claim is the right to publish one message, until its lease ends.
type Claim struct {
	ID   uuid.UUID // the message's id
	item item
}

// DuplicateError says that the content was accepted before.
type DuplicateError struct {
	ID uuid.UUID // of the first message with this content
}

func (e *DuplicateError) Error() string { return "received: duplicate of " + e.ID.String() }

// ErrHeld says that another attempt held the content for as long as the caller
// was willing to wait.
var ErrHeld = errors.New("received: another attempt holds the claim")

// errClaim says that a stored claim cannot be used.
var errClaim = errors.New("received: the stored claim has no id")

// Acquire claims body for owner until lease. If another attempt holds the claim
// it waits until patience is over for that one to finish or to lapse. It
// returns a *DuplicateError when the content was accepted, and ErrHeld when it
// is still in another attempt's hands.
func (t Table) Acquire(ctx context.Context, owner string, body []byte, lease time.Time, patience time.Duration) (Claim, error) {
	id, err := hub.NewID()
	if err != nil {
		return Claim{}, err
	}
	mine := item{
		PK:      Key(owner, body),
		State:   pending,
		ID:      id.String(),
		Owner:   owner,
		Lease:   lease.UnixMilli(),
		Expiry:  time.Now().Add(Window).Unix(),
		Attempt: rand.Text(),

		Unsettled: shardOf(id),
	}
	return t.acquire(ctx, mine, time.Now().Add(patience))
}

func (t Table) acquire(ctx context.Context, mine item, patience time.Time) (Claim, error) {
	current, err := t.put(ctx, mine)
	for pause := firstPause; err == nil; pause = min(pause*2, longestPause) {
		switch {
		case current.Attempt == mine.Attempt:
			return claimOf(current)
		case current.State == done:
			return Claim{}, duplicateOf(current)
		case current.Lease < time.Now().UnixMilli():
			current, err = t.takeOver(ctx, current, mine)
			continue
		case time.Now().Add(pause).After(patience):
			return Claim{}, ErrHeld
		}
		if err = sleep(ctx, pause); err == nil {
			current, err = t.look(ctx, mine)
		}
	}
	return Claim{}, err
}

// How long Acquire waits between two looks at a claim that another holds.
const (
	firstPause   = 25 * time.Millisecond
	longestPause = 400 * time.Millisecond
)

// put claims new content. It returns the claim that is stored afterwards,
// which is mine unless there was one.
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

// takeOver continues a claim whose lease has lapsed: the id stays, since the
// attempt before may have published. It returns the claim that is stored
// afterwards, which is mine unless another attempt was faster.
func (t Table) takeOver(ctx context.Context, lapsed, mine item) (item, error) {
	_, err := t.DB.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                &t.Name,
		Key:                      key(mine.PK),
		UpdateExpression:         new("SET lease = :lease, attempt = :attempt, unsettled = :unsettled"),
		ConditionExpression:      new("lease = :lapsed AND #state = :pending"),
		ExpressionAttributeNames: map[string]string{"#state": "state"},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":lease":   number(mine.Lease),
			":attempt": text(mine.Attempt),
			":lapsed":  number(lapsed.Lease),
			":pending": text(pending),
			// Reconcile may have given it up.
			":unsettled": text(shardOfText(lapsed.ID)),
		},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	mine.ID, mine.Expiry = lapsed.ID, lapsed.Expiry
	return t.after(ctx, mine, err)
}

// after is the claim that is stored after a conditional write of mine: mine if
// the write took place, else what the refusal shows.
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

// look reads the claim on the content that mine is after. Should it have gone
// since, the content is new and mine is put.
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

func duplicateOf(stored item) error {
	claim, err := claimOf(stored)
	if err != nil {
		return err
	}
	return &DuplicateError{ID: claim.ID}
}

// Announce makes the id of c findable, before the hub and the catalog know it.
func (t Table) Announce(ctx context.Context, c Claim) error {
	_, err := t.DB.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &t.Name,
		Item: map[string]types.AttributeValue{
			"pk":     text(announced(c.ID)),
			"owner":  text(c.item.Owner),
			"expiry": number(c.item.Expiry),
		},
	})
	if err != nil {
		return fmt.Errorf("announce the id: %w", err)
	}
	return nil
}

// Finish records that the hub has c's message: from now on the content is a
// duplicate. It fails with ErrHeld when another attempt has taken c over.
func (t Table) Finish(ctx context.Context, c Claim) error {
	err := t.ifOurs(ctx, c, "SET #state = :done", map[string]string{"#state": "state"},
		map[string]types.AttributeValue{":done": text(done)})
	if err != nil {
		return fmt.Errorf("finish the claim: %w", err)
	}
	return nil
}

// Release ends the lease of c now, so that the sender's next try need not wait
// for it.
func (t Table) Release(ctx context.Context, c Claim) error {
	err := t.ifOurs(ctx, c, "SET lease = :now", nil,
		map[string]types.AttributeValue{":now": number(time.Now().UnixMilli() - 1)})
	if err != nil {
		return fmt.Errorf("release the claim: %w", err)
	}
	return nil
}

// ifOurs updates c unless another attempt has it now, which is ErrHeld.
func (t Table) ifOurs(ctx context.Context, c Claim, update string, names map[string]string, values map[string]types.AttributeValue) error {
	values[":ours"] = text(c.item.Attempt)
	_, err := t.DB.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 &t.Name,
		Key:                       key(c.item.PK),
		UpdateExpression:          &update,
		ConditionExpression:       new("attempt = :ours"),
		ExpressionAttributeNames:  names,
		ExpressionAttributeValues: values,
	})
	var refused *types.ConditionalCheckFailedException
	if errors.As(err, &refused) {
		return ErrHeld
	}
	return err
}

// Owner is the institution that the id was announced for, or "" if it was not.
func (t Table) Owner(ctx context.Context, id uuid.UUID) (string, error) {
	out, err := t.DB.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &t.Name,
		Key:            key(announced(id)),
		ConsistentRead: new(true),
	})
	if err != nil {
		return "", fmt.Errorf("look up the id: %w", err)
	}
	owner, _ := out.Item["owner"].(*types.AttributeValueMemberS)
	if owner == nil {
		return "", nil
	}
	return owner.Value, nil
}

// announced is the key under which an id is found; no content's key has a #.
func announced(id uuid.UUID) string { return "id#" + id.String() }

func key(pk string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"pk": text(pk)}
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
