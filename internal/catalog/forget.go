package catalog

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"hl7lake/internal/hub"
)

// Updater is the part of Amazon DynamoDB that Forget needs; *dynamodb.Client has it.
type Updater interface {
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
}

// Forget records in the entries, which are in the named table, that their objects were
// deleted on purpose, and why. An earlier record of that stays. The hash of the control
// id is removed, because a person who knows the id could find the message by it.
func Forget(ctx context.Context, db Updater, table string, entries []Entry, reason string, now time.Time) error {
	for _, entry := range entries {
		_, err := db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &table,
			Key:       map[string]types.AttributeValue{"root": text(entry.Root), "sk": text(entry.Sort)},
			UpdateExpression: new("SET forgotten = if_not_exists(forgotten, :now), " +
				"forgotten_reason = if_not_exists(forgotten_reason, :reason) REMOVE control_id_sha256"),
			ConditionExpression: new("attribute_exists(sk)"),
			ExpressionAttributeValues: map[string]types.AttributeValue{
				":now": text(now.UTC().Format(hub.TimeLayout)), ":reason": text(reason),
			},
		})
		if err != nil {
			return fmt.Errorf("record that it is forgotten: %w", err)
		}
	}
	return nil
}

// IsForgotten reports whether a message was forgotten, given all of its entries.
func IsForgotten(entries []Entry) bool {
	return slices.ContainsFunc(entries, func(e Entry) bool { return e.Forgotten != "" })
}
