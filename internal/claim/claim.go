// Package claim is what ingest and an operator both need to know about the table of
// received messages: which key holds the claim on a content, and how a claim is given up.
package claim

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"
)

// Deleter is the part of Amazon DynamoDB that GiveUp needs; *dynamodb.Client has it.
type Deleter interface {
	DeleteItem(context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
}

// GiveUp removes the claim of the message id on the content with the given key, so that
// the same content counts as a new message. had reports whether there was such a claim:
// it may have expired, or another message may hold it by now.
func GiveUp(ctx context.Context, db Deleter, table, key string, id uuid.UUID) (had bool, err error) {
	_, err = db.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName:                 &table,
		Key:                       map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: key}},
		ConditionExpression:       new("id = :id"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":id": &types.AttributeValueMemberS{Value: id.String()}},
	})
	if _, refused := errors.AsType[*types.ConditionalCheckFailedException](err); refused {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("give the claim up: %w", err)
	}
	return true, nil
}
