package received

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"
)

// unsettledIndex holds the claims of which nobody has seen yet that their
// message came to the end of its way: partition key `unsettled`, sort key `id`,
// projected `owner`. A claim enters it when it is made and leaves it by Settle, so
// looking through it costs what is under way, not what was ever received.
const unsettledIndex = "unsettled"

// shards are the partitions of the index: one for each last digit of an id,
// because a single one would take no more than 1,000 writes a second (Amazon
// DynamoDB, partition limits).
const shards = "0123456789abcdef"

// Shards are the parts of the index, each for one call of Unsettled.
func Shards() []string {
	var all []string
	for _, shard := range shards {
		all = append(all, string(shard))
	}
	return all
}

func shardOf(id uuid.UUID) string { return shardOfText(id.String()) }

// shardOfText is the last digit of an id, and "0" for what is none.
func shardOfText(id string) string {
	if id == "" {
		return shards[:1]
	}
	return id[len(id)-1:]
}

// Unsettled is a claim of which it is not known that its message came to the end
// of its way.
type Unsettled struct {
	ID    uuid.UUID // the message's id
	Owner string
	pk    string
}

// Unsettled gives a shard's claims that were made before the given time, oldest
// first. It ends after the first error.
func (t Table) Unsettled(ctx context.Context, shard string, before time.Time) iter.Seq2[Unsettled, error] {
	in := &dynamodb.QueryInput{
		TableName:                 &t.Name,
		IndexName:                 new(unsettledIndex),
		KeyConditionExpression:    new("unsettled = :shard AND id < :before"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":shard": text(shard), ":before": text(idAt(before))},
	}
	return func(yield func(Unsettled, error) bool) {
		for pages := dynamodb.NewQueryPaginator(t.DB, in); pages.HasMorePages(); {
			out, err := pages.NextPage(ctx)
			if err != nil {
				yield(Unsettled{}, fmt.Errorf("look for unsettled claims: %w", err))
				return
			}
			for _, values := range out.Items {
				if claim, err := unsettledOf(values); !yield(claim, err) || err != nil {
					return
				}
			}
		}
	}
}

// idAt sorts before every id that is made at the given time or later, and after
// every earlier one: a UUIDv7 begins with its milliseconds (RFC 9562, 5.7).
func idAt(at time.Time) string {
	ms := at.UnixMilli()
	return fmt.Sprintf("%08x-%04x", ms>>16, ms&0xffff)
}

func unsettledOf(values map[string]types.AttributeValue) (Unsettled, error) {
	var stored item
	if err := attributevalue.UnmarshalMap(values, &stored); err != nil {
		return Unsettled{}, err
	}
	claim, err := claimOf(stored)
	return Unsettled{ID: claim.ID, Owner: stored.Owner, pk: stored.PK}, err
}

// Standing is how far ingest came with a claim.
type Standing struct {
	Done    bool      // the hub has the message, and the sender may have been told so
	Lease   time.Time // until then an attempt may be at work on it, unless it is done
	Retried time.Time // when the message was last published again; zero for never
}

// Standing looks at the claim itself, behind the index. It is the zero value
// for one that has expired.
func (t Table) Standing(ctx context.Context, u Unsettled) (Standing, error) {
	out, err := t.DB.GetItem(ctx, &dynamodb.GetItemInput{TableName: &t.Name, Key: key(u.pk), ConsistentRead: new(true)})
	if err != nil {
		return Standing{}, fmt.Errorf("look at the claim: %w", err)
	}
	var stored item
	if err := attributevalue.UnmarshalMap(out.Item, &stored); err != nil {
		return Standing{}, err
	}
	standing := Standing{Done: stored.State == done, Lease: time.UnixMilli(stored.Lease)}
	if stored.Retried > 0 {
		standing.Retried = time.UnixMilli(stored.Retried)
	}
	return standing, nil
}

// Settle takes u out of the index: its message is at the end of its way.
func (t Table) Settle(ctx context.Context, u Unsettled) error {
	err := t.change(ctx, u, "REMOVE unsettled, retried", "attribute_exists(pk)", nil, nil)
	if err != nil {
		return fmt.Errorf("settle the claim: %w", err)
	}
	return nil
}

// Abandon takes u out of the index, if it is still what standing says: its
// message was never published. The sender's next try, should there be one, takes
// the claim over and brings it back.
func (t Table) Abandon(ctx context.Context, u Unsettled, standing Standing) error {
	err := t.change(ctx, u, "REMOVE unsettled, retried", "#state = :pending AND lease = :lease",
		map[string]string{"#state": "state"},
		map[string]types.AttributeValue{":pending": text(pending), ":lease": number(standing.Lease.UnixMilli())})
	if err != nil {
		return fmt.Errorf("abandon the claim: %w", err)
	}
	return nil
}

// Retry records that u's message was published again at the given time.
func (t Table) Retry(ctx context.Context, u Unsettled, at time.Time) error {
	err := t.change(ctx, u, "SET retried = :at", "attribute_exists(pk)", nil,
		map[string]types.AttributeValue{":at": number(at.UnixMilli())})
	if err != nil {
		return fmt.Errorf("note the retry: %w", err)
	}
	return nil
}

// change updates u where condition holds; where it does not, another one was
// there first and nothing is left to do.
func (t Table) change(ctx context.Context, u Unsettled, update, condition string, names map[string]string, values map[string]types.AttributeValue) error {
	_, err := t.DB.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 &t.Name,
		Key:                       key(u.pk),
		UpdateExpression:          &update,
		ConditionExpression:       &condition,
		ExpressionAttributeNames:  names,
		ExpressionAttributeValues: values,
	})
	var refused *types.ConditionalCheckFailedException
	if errors.As(err, &refused) {
		return nil
	}
	return err
}
