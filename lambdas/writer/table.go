package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"hl7lake/internal/catalog"
)

// updater is the part of Amazon DynamoDB that the writer needs; *dynamodb.Client has it.
type updater interface {
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
}

// table is the catalog table.
type table struct {
	name string
	db   updater
}

// record adds entry to the catalog and counts the attempt. What an earlier attempt
// recorded stays, except which object it is: if that was lost, and a replay wrote it
// again, its version is another. forgotten reports whether the message was forgotten
// meanwhile.
func (t table) record(ctx context.Context, entry catalog.Entry) (forgotten bool, err error) {
	values, err := attributevalue.MarshalMap(entry)
	if err != nil {
		return false, err
	}
	key := map[string]types.AttributeValue{"root": values["root"], "sk": values["sk"]}
	update := expression.Add(expression.Name("attempts"), expression.Value(1))
	for name, value := range values {
		_, isKey := key[name]
		switch {
		case isKey:
		case slices.Contains([]string{"version_id", "sha256", "size"}, name):
			update = update.Set(expression.Name(name), expression.Value(value))
		default:
			update = update.Set(expression.Name(name), expression.Name(name).IfNotExists(expression.Value(value)))
		}
	}
	built, err := expression.NewBuilder().WithUpdate(update).Build()
	if err != nil {
		return false, err
	}
	out, err := t.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 &t.name,
		Key:                       key,
		UpdateExpression:          built.Update(),
		ExpressionAttributeNames:  built.Names(),
		ExpressionAttributeValues: built.Values(),
		ReturnValues:              types.ReturnValueAllNew,
	})
	if err != nil {
		return false, fmt.Errorf("record the object: %w", err)
	}
	_, forgotten = out.Attributes["forgotten"]
	return forgotten, nil
}
