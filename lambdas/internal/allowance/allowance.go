// Package allowance limits what one institution may make the lake do in a period, so that
// none can fill the lake's functions and queues while others wait: what it may post
// (ingest), and how much of it is staged at once (trigger). Each institution has a bucket
// of units that fills at a steady rate. A message takes units according to its size,
// because staging takes time in proportion. The buckets are items of a table that the
// caller names, so all instances of a function share them. An instance takes several
// units at once and keeps them for later messages: a write for each message would cost as
// much as the catalog's entry.
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
	// unitSize is how many bytes a unit stands for. About so many take as long as the
	// work that every message needs, whatever its size.
	unitSize = 64 << 10
	// draft is how many units are taken at once, if there are so many.
	draft = 20
	// part is the largest part of the units in a bucket that is taken at once, unless one
	// message needs more: a twentieth. Otherwise the drafts of a few instances would
	// empty the bucket, and a message that comes to another instance would find nothing.
	part = 20
	// shelfLife is how long units can be used after they were taken. In any period, an
	// institution uses at most what its bucket gained in that period and in one shelfLife
	// before it, and no instance adds more than two drafts.
	shelfLife = time.Minute
	// memory is how long an item outlives its last change. A bucket is full long before
	// that, and then the item is not needed.
	memory = 24 * time.Hour
	// tries is how often taking units is tried if other instances are faster. After the
	// first try it is only for what the message needs, which others seldom prevent.
	tries      = 8
	fullDrafts = 2
)

// Limit is what an institution may take: units a second on average, and units at once.
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
	if err != nil || !(n >= 1 && n <= 1e6) { // NaN is not
		return 0, fmt.Errorf("allowance: %q is not a limit: want a number from 1 to 1000000", text)
	}
	return n, nil
}

// interval returns the time in which the bucket gains a unit.
func (l Limit) interval() time.Duration { return time.Duration(float64(time.Second) / l.PerSecond) }

// units returns what a message of that many bytes takes. The largest message takes no
// more than a full bucket has.
func (l Limit) units(size int) int {
	return min(max((size+unitSize-1)/unitSize, 1), int(l.Burst))
}

// span returns the time in which an empty bucket becomes full.
func (l Limit) span() time.Duration { return time.Duration(int64(l.Burst)) * l.interval() }

// room returns how many units a bucket has at now that will be full at full.
func (l Limit) room(full, now time.Time) int {
	return int((l.span() - max(full.Sub(now), 0)) / l.interval())
}

// ExceededError says that an institution has taken all that it may.
type ExceededError struct {
	RetryAfter time.Duration // how long until there is enough for the message, if nothing else is taken
}

func (e *ExceededError) Error() string { return "allowance: exceeded" }

// DynamoDB is the part of Amazon DynamoDB that the buckets need; *dynamodb.Client has it.
type DynamoDB interface {
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
}

// Buckets are the buckets of all institutions. It is safe for concurrent use.
type Buckets struct {
	table string
	db    DynamoDB
	limit Limit

	mu sync.Mutex
	of map[string]*bucket // by institution; there are no more than have tokens
}

// bucket is what an instance knows about one bucket, and has taken from it.
type bucket struct {
	mu     sync.Mutex
	full   time.Time // the earliest time at which it would be full again; zero if unknown
	drawn  int       // units taken and not used
	lapses time.Time // when these can no longer be used
}

// New returns the buckets that are kept in a table whose key is pk, with time to live in
// expiry.
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

// Take takes the units for a message of that many bytes from owner's bucket. If there are
// too few, it returns an *ExceededError, usually without asking the table, so that
// refusing a flood costs little.
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

// draw moves units from the table to own. If it is refused, it learns how full the bucket
// is. A draft, which is more than is needed now, is limited by part.
//
// The item holds the time at which the bucket will be full. Taking units moves that time
// on, from now if it has passed (the generic cell rate algorithm, ITU-T I.371). Because
// it is one number, changed on a condition, it need not be read before.
func (b *Buckets) draw(ctx context.Context, owner string, own *bucket, units int, draft bool, now time.Time) error {
	cost := time.Duration(units) * b.limit.interval()
	room := cost // how many there must be
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

// key returns the key of a bucket. No key of content and no institution's name contains a
// #.
func key(owner string) string { return "owner#" + owner }

func micros(t time.Time) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(t.UnixMicro(), 10)}
}
