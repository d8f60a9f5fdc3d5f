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

	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
)

// The index [contract.IndexUnsettled] holds claims by when they were made: partition key
// `unsettled`, sort key `id`, projected `owner`. A claim enters a fresh partition when it
// is made and stays there until time to live removes it, since taking it out would cost
// as much as putting it in. How far a fresh partition was looked through is kept beside
// the claims, see Seen. The few claims whose message is not at the end of its way by then
// go to a late partition and are looked at until it is.
//
// shards are the parts of the index, one for each last digit of an id, because a single
// partition would accept no more than 1,000 writes a second (Amazon DynamoDB, partition
// limits).
const shards = "0123456789abcdef"

func freshPartition(shard string) string { return shard }

func latePartition(shard string) string { return "late-" + shard }

// Shards are the parts of the index, each for one call of Late and of Fresh.
func Shards() []string {
	var all []string
	for _, shard := range shards {
		all = append(all, string(shard))
	}
	return all
}

// shardOf returns the shard of an id, which is its last digit.
func shardOf(id uuid.UUID) string {
	text := id.String()
	return text[len(text)-1:]
}

// Unsettled is a claim whose message is not known to have ended.
type Unsettled struct {
	ID    uuid.UUID // the message's id
	Owner string
	pk    string
}

// Late yields a shard's late claims, oldest first. It ends after the first error.
func (t Table) Late(ctx context.Context, shard string) iter.Seq2[Unsettled, error] {
	return t.unsettled(ctx, "unsettled = :partition", map[string]types.AttributeValue{":partition": text(latePartition(shard))})
}

// Fresh yields a shard's claims that were made at or after from and before before, oldest
// first, except late ones. It ends after the first error.
func (t Table) Fresh(ctx context.Context, shard string, from, before time.Time) iter.Seq2[Unsettled, error] {
	return t.unsettled(ctx, "unsettled = :partition AND id BETWEEN :from AND :before", map[string]types.AttributeValue{
		":partition": text(freshPartition(shard)), ":from": text(hub.IDAt(from)), ":before": text(hub.IDAt(before)),
	})
}

// Newest returns a shard's late claims, or its fresh ones, that were made at or after
// from and have an id before below, newest first, at most limit. More reports whether
// there may be earlier ones. The index follows the table within a second or so.
func (t Table) Newest(ctx context.Context, shard string, late bool, from time.Time, below uuid.UUID, limit int32) (claims []Unsettled, more bool, err error) {
	partition := freshPartition(shard)
	if late {
		partition = latePartition(shard)
	}
	out, err := t.DB.Query(ctx, &dynamodb.QueryInput{
		TableName:              &t.Name,
		IndexName:              new(contract.IndexUnsettled),
		KeyConditionExpression: new("unsettled = :partition AND id BETWEEN :from AND :below"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":partition": text(partition), ":from": text(hub.IDAt(from)), ":below": text(below.String()),
		},
		ScanIndexForward: new(false),
		Limit:            &limit,
	})
	if err != nil {
		return nil, false, fmt.Errorf("look for unsettled claims: %w", err)
	}
	for _, values := range out.Items {
		claim, err := unsettledOf(values)
		if err != nil {
			return nil, false, err
		}
		if claim.ID != below {
			claims = append(claims, claim)
		}
	}
	return claims, len(out.LastEvaluatedKey) > 0, nil
}

func (t Table) unsettled(ctx context.Context, condition string, values map[string]types.AttributeValue) iter.Seq2[Unsettled, error] {
	in := &dynamodb.QueryInput{
		TableName:                 &t.Name,
		IndexName:                 new(contract.IndexUnsettled),
		KeyConditionExpression:    &condition,
		ExpressionAttributeValues: values,
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

// seenKey returns the key of the item that says how far a shard was looked through.
func seenKey(shard string) string { return "seen#" + shard }

// Seen returns the time up to which all claims of a shard were looked at: each one made
// before has ended or is late. It is the epoch if none was looked at.
func (t Table) Seen(ctx context.Context, shard string) (time.Time, error) {
	out, err := t.DB.GetItem(ctx, &dynamodb.GetItemInput{TableName: &t.Name, Key: key(seenKey(shard)), ConsistentRead: new(true)})
	if err != nil {
		return time.Time{}, fmt.Errorf("read the position: %w", err)
	}
	var stored struct {
		Through int64 `dynamodbav:"through"` // epoch milliseconds
	}
	err = attributevalue.UnmarshalMap(out.Item, &stored)
	return time.UnixMilli(stored.Through), err
}

// See records that all claims of a shard that were made before through were looked at.
func (t Table) See(ctx context.Context, shard string, through time.Time) error {
	_, err := t.DB.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 &t.Name,
		Key:                       key(seenKey(shard)),
		UpdateExpression:          new("SET through = :through"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":through": number(through.UnixMilli())},
	})
	if err != nil {
		return fmt.Errorf("store the position: %w", err)
	}
	return nil
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
	Lease   time.Time // until then an attempt may be working on it, unless it is done
	Retried time.Time // when the message was last published again; zero for never
	Expiry  time.Time // when time to live may remove the claim
}

// Standing reads the claim itself, not the index, and its end.
func (t Table) Standing(ctx context.Context, u Unsettled) (Standing, error) {
	out, err := t.DB.GetItem(ctx, &dynamodb.GetItemInput{TableName: &t.Name, Key: key(u.pk), ConsistentRead: new(true)})
	if err != nil {
		return Standing{}, fmt.Errorf("look at the claim: %w", err)
	}
	var stored item
	if err := attributevalue.UnmarshalMap(out.Item, &stored); err != nil {
		return Standing{}, err
	}
	_, ended, err := t.end(ctx, u.ID)
	standing := Standing{Done: ended, Lease: time.UnixMilli(stored.Lease), Expiry: time.Unix(stored.Expiry, 0)}
	if stored.Retried > 0 {
		standing.Retried = time.UnixMilli(stored.Retried)
	}
	return standing, err
}

// Defer makes u late: it will be looked at again when the claims around it no longer are.
func (t Table) Defer(ctx context.Context, u Unsettled) error {
	err := t.change(ctx, u, "SET unsettled = :late", "attribute_exists(pk)",
		map[string]types.AttributeValue{":late": text(latePartition(shardOf(u.ID)))})
	if err != nil {
		return fmt.Errorf("defer the claim: %w", err)
	}
	return nil
}

// Settle takes u, which was late, out of the index, because its message has ended.
func (t Table) Settle(ctx context.Context, u Unsettled) error {
	if err := t.change(ctx, u, "REMOVE unsettled, retried", "attribute_exists(pk)", nil); err != nil {
		return fmt.Errorf("settle the claim: %w", err)
	}
	return nil
}

// Abandon takes u, which was late, out of the index, if it is still as standing says: its
// message was never published. The sender's next try, if any, takes the claim over and
// brings it back.
func (t Table) Abandon(ctx context.Context, u Unsettled, standing Standing) error {
	err := t.change(ctx, u, "REMOVE unsettled, retried", "lease = :lease",
		map[string]types.AttributeValue{":lease": number(standing.Lease.UnixMilli())})
	if err != nil {
		return fmt.Errorf("abandon the claim: %w", err)
	}
	return nil
}

// Keep makes u and the record of its end, if any, outlast the given time, because whoever
// looks for its message must find them.
func (t Table) Keep(ctx context.Context, u Unsettled, until time.Time) error {
	end := Unsettled{ID: u.ID, Owner: u.Owner, pk: endKey(u.ID)}
	for _, one := range []struct { // the end first: a claim without it would look as if it had never ended
		item   Unsettled
		expiry time.Time
	}{{end, until.Add(afterlife)}, {u, until}} {
		err := t.change(ctx, one.item, "SET expiry = :expiry", "attribute_exists(pk) AND expiry < :expiry",
			map[string]types.AttributeValue{":expiry": number(one.expiry.Unix())})
		if err != nil {
			return fmt.Errorf("keep the claim: %w", err)
		}
	}
	return nil
}

// Retry records that u's message was published again at the given time.
func (t Table) Retry(ctx context.Context, u Unsettled, at time.Time) error {
	err := t.change(ctx, u, "SET retried = :at", "attribute_exists(pk)",
		map[string]types.AttributeValue{":at": number(at.UnixMilli())})
	if err != nil {
		return fmt.Errorf("note the retry: %w", err)
	}
	return nil
}

// change updates u if condition holds. If it does not, somebody else was faster and
// nothing is left to do.
func (t Table) change(ctx context.Context, u Unsettled, update, condition string, values map[string]types.AttributeValue) error {
	_, err := t.DB.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 &t.Name,
		Key:                       key(u.pk),
		UpdateExpression:          &update,
		ConditionExpression:       &condition,
		ExpressionAttributeValues: values,
	})
	var refused *types.ConditionalCheckFailedException
	if errors.As(err, &refused) {
		return nil
	}
	return err
}
