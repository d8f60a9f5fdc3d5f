// Package allowance bounds what one institution may have the lake do in a time, so that
// none can fill the lake's functions and queues while others wait: what it may post
// (ingest), and what of it is staged at once (trigger). Each has a bucket of units
// that fills at a steady rate; a message takes units by its size, since that is
// what staging it takes. The buckets are items of a table of whoever asks, so that all
// instances of a function draw from the same. An instance draws several units at
// once and has them at hand: a write for each message would cost as much as the
// catalog's entry.
package allowance

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	// unitSize is how many bytes a unit stands for: about as many as take the time
	// of what every message takes, whatever its size.
	unitSize = 64 << 10
	// draft is how many units are drawn at once, if there are so many.
	draft = 20
	// part is the part of what there is in a bucket that is drawn at the most, if one
	// message does not need more: a twentieth. Else the drafts of a few instances
	// would empty it, and a message that came to another would find nothing.
	part = 20
	// shelfLife is how long units can be used that were drawn. In any time, an
	// institution uses at most what its bucket gave in that time and in this one
	// before it, and no instance adds more than two drafts.
	shelfLife = time.Minute
	// memory is how long an item outlives its last change. A bucket is full again
	// long before; the item is then as good as none.
	memory = 24 * time.Hour
	// tries is how often a draw is tried that other instances were ahead of. After the
	// first of them it is for what the message needs, which others seldom prevent.
	tries      = 8
	fullDrafts = 2
)

// Limit is what an institution may take: so many units a second on average, and so
// many at once.
type Limit struct{ PerSecond, Burst float64 }

// ParseLimit reads a limit as a template writes it: two numbers, at least 1.
func ParseLimit(perSecond, burst string) (Limit, error) {
	rate, err := number(perSecond)
	if err != nil {
		return Limit{}, err
	}
	most, err := number(burst)
	return Limit{PerSecond: rate, Burst: most}, err
}

func number(text string) (float64, error) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n >= 1 && n <= 1e6) { // which NaN is not
		return 0, fmt.Errorf("allowance: %q is no limit: it must be a number from 1 to 1000000", text)
	}
	return n, nil
}

// interval is the time in which the bucket gains a unit.
func (l Limit) interval() time.Duration { return time.Duration(float64(time.Second) / l.PerSecond) }

// units is what a message of so many bytes takes. The largest of all takes no more
// than a full bucket has.
func (l Limit) units(size int) int {
	return min(max((size+unitSize-1)/unitSize, 1), int(l.Burst))
}

// span is the time in which an empty bucket becomes full.
func (l Limit) span() time.Duration { return time.Duration(int64(l.Burst)) * l.interval() }

// room is how many units there are at now in a bucket that will be full at full.
func (l Limit) room(full, now time.Time) int {
	return int((l.span() - max(full.Sub(now), 0)) / l.interval())
}

// ExceededError says that an institution has taken all that it may.
type ExceededError struct {
	RetryAfter time.Duration // when there will be enough for the message, if it takes nothing else
}

func (e *ExceededError) Error() string { return "allowance: exceeded" }

// DynamoDB is what the buckets need of Amazon DynamoDB; *dynamodb.Client has it.
type DynamoDB interface {
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
}

// Buckets are those of all institutions. It is safe for concurrent use.
type Buckets struct {
	table string
	db    DynamoDB
	limit Limit

	mu sync.Mutex
	of map[string]*bucket // by institution; there are no more than have tokens
}

// bucket is what an instance knows of one, and has drawn from it.
type bucket struct {
	mu     sync.Mutex
	full   time.Time // when it would be full again, at the least; zero for unknown
	drawn  int       // units at hand
	lapses time.Time // when these can no longer be used
}

// New returns the buckets that are kept in a table whose key is pk, with time to
// live by expiry.
func New(table string, db DynamoDB, limit Limit) *Buckets {
	return &Buckets{table: table, db: db, limit: limit, of: map[string]*bucket{}}
}

func (b *Buckets) bucket(owner string) *bucket {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.of[owner] == nil {
		b.of[owner] = &bucket{}
	}
	return b.of[owner]
}

// Take takes what a message of so many bytes costs from owner's bucket. It fails
// with an *ExceededError where that has too little, mostly without asking the
// table, so that who floods is refused at little cost.
func (b *Buckets) Take(ctx context.Context, owner string, size int) error {
	own, need := b.bucket(owner), b.limit.units(size)
	own.mu.Lock()
	defer own.mu.Unlock()
	for try := range tries {
		now := time.Now()
		if own.lapses.Before(now) {
			own.drawn = 0
		}
		if own.drawn >= need {
			own.drawn -= need
			return nil
		}
		lack := need - own.drawn
		if b.limit.room(own.full, now) < lack {
			return &ExceededError{RetryAfter: own.full.Sub(now) + time.Duration(lack)*b.limit.interval() - b.limit.span()}
		}
		units := lack
		if try < fullDrafts {
			units = max(lack, min(draft, b.limit.room(own.full, now)/part))
		}
		if err := b.draw(ctx, owner, own, units, units > lack, now); err != nil {
			return fmt.Errorf("draw from the allowance: %w", err)
		}
	}
	return &ExceededError{RetryAfter: time.Second}
}

// draw moves units from the table to own, or learns from the refusal how full the
// bucket is. A draft, more than is needed now, is drawn only of as many as part says.
//
// The item holds the time at which the bucket will be full: what is drawn moves it
// on, from now where it has passed (the generic cell rate algorithm, ITU-T I.371).
// One number, changed on condition, needs no reading before.
func (b *Buckets) draw(ctx context.Context, owner string, own *bucket, units int, draft bool, now time.Time) error {
	cost := time.Duration(units) * b.limit.interval()
	room := cost // that there must be
	if draft {
		room *= part
	}
	values := map[string]types.AttributeValue{
		":now": micros(now), ":expiry": &types.AttributeValueMemberN{Value: strconv.FormatInt(now.Add(memory).Unix(), 10)},
	}
	in := &dynamodb.UpdateItemInput{
		TableName:                           &b.table,
		Key:                                 map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: key(owner)}},
		ExpressionAttributeNames:            map[string]string{"#full": "full"},
		ExpressionAttributeValues:           values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	after := now.Add(cost)
	if own.full.Before(now) {
		in.UpdateExpression = aws.String("SET #full = :after, expiry = :expiry")
		in.ConditionExpression = aws.String("attribute_not_exists(pk) OR #full <= :now")
		values[":after"] = micros(after)
	} else {
		after = own.full.Add(cost)
		in.UpdateExpression = aws.String("SET #full = #full + :cost, expiry = :expiry")
		in.ConditionExpression = aws.String("#full BETWEEN :now AND :most")
		values[":cost"] = &types.AttributeValueMemberN{Value: strconv.FormatInt(cost.Microseconds(), 10)}
		values[":most"] = micros(now.Add(b.limit.span() - room))
	}
	_, err := b.db.UpdateItem(ctx, in)
	var refused *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		own.full, own.drawn, own.lapses = after, own.drawn+units, now.Add(shelfLife)
		return nil
	case !errors.As(err, &refused):
		return err
	}
	var item struct {
		Full int64 `dynamodbav:"full"` // microseconds
	}
	if err := attributevalue.UnmarshalMap(refused.Item, &item); err != nil {
		return err
	}
	own.full = time.UnixMicro(item.Full)
	return nil
}

// key is the key of a bucket; no key of content has a #, and no institution's name.
func key(owner string) string { return "owner#" + owner }

func micros(t time.Time) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(t.UnixMicro(), 10)}
}
