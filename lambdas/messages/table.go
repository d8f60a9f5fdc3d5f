package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"

	"hl7lake/internal/catalog"
)

// querier is what the read side needs of Amazon DynamoDB; *dynamodb.Client has
// it.
type querier interface {
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
}

// table is the catalog table.
type table struct {
	name string
	db   querier
}

// history is all that the catalog holds of the message root. One page of a
// query, 1 MB, holds more objects than a message will ever have.
func (t table) history(ctx context.Context, root uuid.UUID) ([]catalog.Entry, error) {
	out, err := t.db.Query(ctx, &dynamodb.QueryInput{
		TableName:                 &t.name,
		ConsistentRead:            new(true),
		KeyConditionExpression:    new("#root = :root"),
		ExpressionAttributeNames:  map[string]string{"#root": "root"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":root": &types.AttributeValueMemberS{Value: root.String()}},
	})
	if err != nil {
		return nil, fmt.Errorf("query the catalog: %w", err)
	}
	var entries []catalog.Entry
	return entries, attributevalue.UnmarshalListOfMaps(out.Items, &entries)
}
