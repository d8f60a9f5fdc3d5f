package finder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"

	"hl7lake/internal/hub"
	"hl7lake/internal/pause"
)

// DB is the part of Amazon DynamoDB that the table needs; *dynamodb.Client has it.
type DB interface {
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	BatchWriteItem(context.Context, *dynamodb.BatchWriteItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error)
}

// Table is the table of hashes, for writing. It has two kinds of items:
//
//	pk            sk         entries  authorities  expiry  forgotten
//	hash          root                hashes       time                of an identifier
//	root          "message"  hashes                time    time        of a message
//
// The item of a message lists the hashes of its entries, so that these can be removed when
// the content from which they were made no longer exists. It is written before the entries
// and lists every one that may exist. The item of a message that was forgotten stays, and
// keeps the message from being entered again.
type Table struct {
	Name string
	DB   DB
	// Days is how long an entry is kept after the message was accepted; 0 means for ever.
	Days int
}

// ofMessage is the sort key of the item of a message. No root is equal to it.
const ofMessage = "message"

// messageItem is the item of a message.
type messageItem struct {
	Entries   []string `dynamodbav:"entries,stringset"`
	Forgotten string   `dynamodbav:"forgotten"`
}

// Enter writes the entries of a message. It adds to those that the table has of the
// message. To enter a message twice is harmless. entered is false if the message was
// forgotten; the table then has no entry of it.
func (t Table) Enter(ctx context.Context, root uuid.UUID, entries []Entry) (entered bool, err error) {
	entered, _, err = t.enter(ctx, root, entries)
	return entered, err
}

// Replace is like Enter, and removes the entries that the table has of the message beside
// these: those that were made with another key, or of the message in another character
// set. Nothing else may enter the message meanwhile with another key.
func (t Table) Replace(ctx context.Context, root uuid.UUID, entries []Entry) (entered bool, err error) {
	entered, was, err := t.enter(ctx, root, entries)
	if err != nil || !entered {
		return entered, err
	}
	stale := slices.DeleteFunc(was, func(hash string) bool { return slices.Contains(hashesOf(entries), hash) })
	if len(stale) == 0 {
		return true, nil
	}
	if err := t.remove(ctx, root, stale); err != nil {
		return true, err
	}
	return true, t.unlist(ctx, root, stale)
}

// enter writes entries and returns which ones the table listed before.
func (t Table) enter(ctx context.Context, root uuid.UUID, entries []Entry) (entered bool, was []string, err error) {
	hashes := hashesOf(entries)
	if len(hashes) == 0 {
		item, err := t.look(ctx, root)
		return item.Forgotten == "", item.Entries, err
	}
	item, err := t.list(ctx, root, hashes)
	if err != nil {
		return false, nil, err
	}
	if item.Forgotten == "" {
		if err := t.write(ctx, root, entries); err != nil {
			return false, nil, err
		}
		// The message may have been forgotten since it was listed. If it is forgotten
		// after this look, whoever does it sees the entries.
		now, err := t.look(ctx, root)
		if err != nil || now.Forgotten == "" {
			return true, item.Entries, err
		}
	}
	return false, nil, t.remove(ctx, root, hashes)
}

// hashesOf returns the entries' hashes.
func hashesOf(entries []Entry) []string {
	hashes := make([]string, len(entries))
	for i, each := range entries {
		hashes[i] = each.Hash
	}
	return hashes
}

// list makes the item of a message list hashes, and returns what it was before. The item
// of a message that was forgotten does not change.
func (t Table) list(ctx context.Context, root uuid.UUID, hashes []string) (was messageItem, err error) {
	item := t.expiring(root, map[string]types.AttributeValue{"entries": &types.AttributeValueMemberSS{Value: hashes}})
	for name, value := range messageKey(root) {
		item[name] = value
	}
	_, err = t.DB.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &t.Name, Item: item, ConditionExpression: new("attribute_not_exists(pk)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	refused, there := errors.AsType[*types.ConditionalCheckFailedException](err)
	if err != nil && !there {
		return was, fmt.Errorf("list the entries: %w", err)
	}
	if !there {
		return was, nil
	}
	if err := attributevalue.UnmarshalMap(refused.Item, &was); err != nil {
		return was, err
	}
	missing := slices.DeleteFunc(slices.Clone(hashes), func(hash string) bool { return slices.Contains(was.Entries, hash) })
	if was.Forgotten != "" || len(missing) == 0 {
		return was, nil
	}
	_, err = t.DB.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &t.Name, Key: messageKey(root), UpdateExpression: new("ADD entries :missing"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":missing": &types.AttributeValueMemberSS{Value: missing}},
	})
	if err != nil {
		return was, fmt.Errorf("list the entries: %w", err)
	}
	return was, nil
}

// unlist takes hashes out of the item of a message.
func (t Table) unlist(ctx context.Context, root uuid.UUID, hashes []string) error {
	_, err := t.DB.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &t.Name, Key: messageKey(root), UpdateExpression: new("DELETE entries :stale"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":stale": &types.AttributeValueMemberSS{Value: hashes}},
	})
	if err != nil {
		return fmt.Errorf("list the entries: %w", err)
	}
	return nil
}

// look reads the item of a message; it is zero if there is none.
func (t Table) look(ctx context.Context, root uuid.UUID) (item messageItem, err error) {
	out, err := t.DB.GetItem(ctx, &dynamodb.GetItemInput{TableName: &t.Name, Key: messageKey(root), ConsistentRead: new(true)})
	if err != nil {
		return item, fmt.Errorf("look at the entries: %w", err)
	}
	return item, attributevalue.UnmarshalMap(out.Item, &item)
}

// Forget removes the entries of a message and keeps it from being entered again. It can be
// called again after an interruption.
func (t Table) Forget(ctx context.Context, root uuid.UUID, now time.Time) error {
	out, err := t.DB.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &t.Name, Key: messageKey(root), UpdateExpression: new("SET forgotten = if_not_exists(forgotten, :now)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":now": text(now.UTC().Format(hub.TimeLayout))},
		ReturnValues:              types.ReturnValueAllNew,
	})
	if err != nil {
		return fmt.Errorf("record that it is forgotten: %w", err)
	}
	var item messageItem
	if err := attributevalue.UnmarshalMap(out.Attributes, &item); err != nil || len(item.Entries) == 0 {
		return err
	}
	if err := t.remove(ctx, root, item.Entries); err != nil {
		return err
	}
	return t.unlist(ctx, root, item.Entries)
}

// write writes entries.
func (t Table) write(ctx context.Context, root uuid.UUID, entries []Entry) error {
	requests := make([]types.WriteRequest, len(entries))
	for i, each := range entries {
		item := t.expiring(root, entryKey(each.Hash, root))
		if len(each.Authorities) > 0 {
			item["authorities"] = &types.AttributeValueMemberSS{Value: each.Authorities}
		}
		requests[i].PutRequest = &types.PutRequest{Item: item}
	}
	return t.batch(ctx, requests)
}

// remove removes entries, whether they exist or not.
func (t Table) remove(ctx context.Context, root uuid.UUID, hashes []string) error {
	requests := make([]types.WriteRequest, len(hashes))
	for i, hash := range hashes {
		requests[i].DeleteRequest = &types.DeleteRequest{Key: entryKey(hash, root)}
	}
	return t.batch(ctx, requests)
}

const (
	// batchSize is the most requests in one BatchWriteItem (Amazon DynamoDB API
	// Reference).
	batchSize = 25
	// attempts is how often DynamoDB is asked for what it left unprocessed, which it does
	// when it is busy.
	attempts = 6
)

// ErrBusy says that DynamoDB left writes undone because there were too many at once.
var ErrBusy = errors.New("the table of hashes is busy")

// batch writes requests to different items.
func (t Table) batch(ctx context.Context, requests []types.WriteRequest) error {
	for part := range slices.Chunk(requests, batchSize) {
		left := part
		for attempt := 0; len(left) > 0; attempt++ {
			if attempt == attempts {
				return ErrBusy
			}
			if attempt > 0 {
				if err := pause.For(ctx, 50*time.Millisecond<<attempt); err != nil {
					return err
				}
			}
			out, err := t.DB.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{t.Name: left}})
			if err != nil {
				return fmt.Errorf("write the entries: %w", err)
			}
			left = out.UnprocessedItems[t.Name]
		}
	}
	return nil
}

// expiring adds to an item when it expires, if it does. An object in the lake lives until
// the end of its last day, in UTC, so its entries live a day longer.
func (t Table) expiring(root uuid.UUID, item map[string]types.AttributeValue) map[string]types.AttributeValue {
	if t.Days > 0 {
		at := hub.Received(root).AddDate(0, 0, t.Days+1)
		item["expiry"] = &types.AttributeValueMemberN{Value: strconv.FormatInt(at.Unix(), 10)}
	}
	return item
}

func messageKey(root uuid.UUID) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"pk": text(root.String()), "sk": text(ofMessage)}
}

func entryKey(hash string, root uuid.UUID) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"pk": text(hash), "sk": text(root.String())}
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
