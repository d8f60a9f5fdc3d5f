// Package fake stands in for AWS in the handlers' tests, behind the interfaces
// that the handlers ask for. DynamoDB's expressions are evaluated by minidyn;
// S3 and SNS are what the functions need of them, with AWS's rules.
package fake

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/truora/minidyn/aws-v2/client"
)

// Faults decides what goes wrong with a call, by the name of its operation. A
// nil function lets everything succeed.
type Faults struct {
	Before func(ctx context.Context, operation string) error // fails the call without effect
	After  func(ctx context.Context, operation string) error // fails it after it took effect
	Repeat func(operation string) bool                       // the answer is lost and the SDK calls again
}

func call[T any](ctx context.Context, f *Faults, operation string, do func() (T, error)) (T, error) {
	var none T
	if f.Before != nil {
		if err := f.Before(ctx, operation); err != nil {
			return none, err
		}
	}
	out, err := do()
	if f.Repeat != nil && f.Repeat(operation) {
		out, err = do()
	}
	if err == nil && f.After != nil {
		if err := f.After(ctx, operation); err != nil {
			return none, err
		}
	}
	return out, err
}

// Tables is DynamoDB with the lake's two tables, Received and Catalog.
type Tables struct {
	Faults
	client *client.Client
}

// The names of the tables.
const (
	Received = "received"
	Catalog  = "catalog"
)

// NewTables makes both tables, empty.
func NewTables(t testing.TB) *Tables {
	t.Helper()
	tables := &Tables{client: client.NewClient()}
	tables.create(t, Received, "pk", "")
	tables.create(t, Catalog, "root", "sk")
	return tables
}

func (d *Tables) create(t testing.TB, name, partition, sort string) {
	t.Helper()
	in := &dynamodb.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest}
	add := func(attribute string, kind types.KeyType) {
		in.KeySchema = append(in.KeySchema, types.KeySchemaElement{AttributeName: &attribute, KeyType: kind})
		in.AttributeDefinitions = append(in.AttributeDefinitions,
			types.AttributeDefinition{AttributeName: &attribute, AttributeType: types.ScalarAttributeTypeS})
	}
	add(partition, types.KeyTypeHash)
	if sort != "" {
		add(sort, types.KeyTypeRange)
	}
	if _, err := d.client.CreateTable(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// PutItem is DynamoDB's.
func (d *Tables) PutItem(ctx context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return call(ctx, &d.Faults, "PutItem", func() (*dynamodb.PutItemOutput, error) { return d.client.PutItem(ctx, in) })
}

// UpdateItem is DynamoDB's.
func (d *Tables) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	return call(ctx, &d.Faults, "UpdateItem", func() (*dynamodb.UpdateItemOutput, error) {
		out, err := d.client.UpdateItem(ctx, in)
		if names, ok := strings.CutPrefix(*in.UpdateExpression, "REMOVE "); ok && err == nil {
			err = d.remove(ctx, in, strings.Split(names, ", "))
		}
		return out, err
	})
}

// remove takes attributes out of an item, which minidyn leaves in.
func (d *Tables) remove(ctx context.Context, in *dynamodb.UpdateItemInput, names []string) error {
	out, err := d.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: in.TableName, Key: in.Key})
	if err != nil {
		return err
	}
	for _, name := range names {
		delete(out.Item, name)
	}
	_, err = d.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: in.TableName, Item: out.Item})
	return err
}

// GetItem is DynamoDB's.
func (d *Tables) GetItem(ctx context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return call(ctx, &d.Faults, "GetItem", func() (*dynamodb.GetItemOutput, error) { return d.client.GetItem(ctx, in) })
}

// Query is DynamoDB's. An index is a look through the whole table, which sees
// what a sparse index has: minidyn's own keeps items that have left it.
func (d *Tables) Query(ctx context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	return call(ctx, &d.Faults, "Query", func() (*dynamodb.QueryOutput, error) {
		if in.IndexName == nil {
			return d.client.Query(ctx, in)
		}
		out, err := d.client.Scan(ctx, &dynamodb.ScanInput{
			TableName:                 in.TableName,
			FilterExpression:          in.KeyConditionExpression,
			ExpressionAttributeNames:  in.ExpressionAttributeNames,
			ExpressionAttributeValues: in.ExpressionAttributeValues,
		})
		if err != nil {
			return nil, err
		}
		return &dynamodb.QueryOutput{Items: out.Items, Count: out.Count}, nil
	})
}

// Items is all that a table holds.
func (d *Tables) Items(t testing.TB, table string) []map[string]types.AttributeValue {
	t.Helper()
	out, err := d.client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
	if err != nil {
		t.Fatal(err)
	}
	return out.Items
}

// Delete removes one item, as time to live does.
func (d *Tables) Delete(t testing.TB, table, key, value string) {
	t.Helper()
	_, err := d.client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: &table,
		Key:       map[string]types.AttributeValue{key: &types.AttributeValueMemberS{Value: value}},
	})
	if err != nil {
		t.Fatal(err)
	}
}
