// Package claim is what ingest and an operator both know of the received table:
// under which key it holds the claim on a content, and how that is given up.
package claim

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"
)

// Deleter is what giving a claim up needs of Amazon DynamoDB; *dynamodb.Client
// has it.
type Deleter interface {
	DeleteItem(context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
}

// GiveUp removes the claim that the message id has on the content with the key,
// so that the same content is a new message. had reports whether there was one: it
// may have expired, or another message may have the content by now.
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
