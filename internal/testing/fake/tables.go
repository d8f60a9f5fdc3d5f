package fake

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"hl7lake/local/dynamodb"
	"hl7lake/local/store"
	"hl7lake/local/wire"
)

// The names of the tables.
const (
	Received = "received"
	Catalog  = "catalog"
	Shares   = "shares"
	Finder   = "finder"
)

// definitions are the tables' properties, by their names, as far as they are run. A test
// compares them with the templates.
func definitions() map[string]string {
	return map[string]string{
		Received: `{
			"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
			"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "unsettled", "AttributeType": "S"},
				{"AttributeName": "id", "AttributeType": "S"}],
			"GlobalSecondaryIndexes": [{"IndexName": "unsettled",
				"KeySchema": [{"AttributeName": "unsettled", "KeyType": "HASH"}, {"AttributeName": "id", "KeyType": "RANGE"}],
				"Projection": {"NonKeyAttributes": ["owner"], "ProjectionType": "INCLUDE"}}],
			"TimeToLiveSpecification": {"AttributeName": "expiry", "Enabled": true}}`,
		Catalog: `{
			"KeySchema": [{"AttributeName": "root", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
			"AttributeDefinitions": [{"AttributeName": "root", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"},
				{"AttributeName": "owner", "AttributeType": "S"}, {"AttributeName": "received", "AttributeType": "S"}],
			"GlobalSecondaryIndexes": [{"IndexName": "by-owner",
				"KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "received", "KeyType": "RANGE"}],
				"Projection": {"ProjectionType": "ALL"}}]}`,
		Shares: `{
			"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
			"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
			"TimeToLiveSpecification": {"AttributeName": "expiry", "Enabled": true}}`,
		Finder: `{
			"TableName": "hl7lake-dev-finder-hashes",
			"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
			"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"}],
			"TimeToLiveSpecification": {"AttributeName": "expiry", "Enabled": true}}`,
	}
}

// Tables is the local lake's DynamoDB with the lake's tables. Requests reach it through
// the SDK's client without a network, so that it also runs in a bubble of
// testing/synctest.
type Tables struct {
	Faults
	client *sdk.Client
}

// NewTables makes all tables, empty, with keys, indexes and time to live as the templates
// have them. They end with the test.
func NewTables(t testing.TB) *Tables {
	t.Helper()
	kept, err := store.Open(filepath.Join(t.TempDir(), "tables"), store.Fleeting)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kept.Close() })
	service := dynamodb.New(kept, func(context.Context, string, string, map[string]string) error { return nil })
	for name, properties := range definitions() {
		table := dynamodb.Table{}
		if err := json.Unmarshal([]byte(properties), &table); err != nil {
			t.Fatal(err)
		}
		table.TableName = name
		if err := service.CreateTable(table); err != nil {
			t.Fatal(err)
		}
	}
	return &Tables{client: sdk.New(sdk.Options{
		BaseEndpoint: aws.String("http://dynamodb.invalid"), Region: wire.Region, HTTPClient: direct{service}, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})}
}

// direct hands requests to a handler.
type direct struct{ http.Handler }

// Do implements the SDK's HTTPClient.
func (d direct) Do(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	answer := httptest.NewRecorder()
	d.ServeHTTP(answer, r)
	return answer.Result(), nil
}

// PutItem is DynamoDB's.
func (d *Tables) PutItem(ctx context.Context, in *sdk.PutItemInput, _ ...func(*sdk.Options)) (*sdk.PutItemOutput, error) {
	return call(ctx, &d.Faults, "PutItem", func() (*sdk.PutItemOutput, error) { return d.client.PutItem(ctx, in) })
}

// UpdateItem is DynamoDB's.
func (d *Tables) UpdateItem(ctx context.Context, in *sdk.UpdateItemInput, _ ...func(*sdk.Options)) (*sdk.UpdateItemOutput, error) {
	return call(ctx, &d.Faults, "UpdateItem", func() (*sdk.UpdateItemOutput, error) { return d.client.UpdateItem(ctx, in) })
}

// GetItem is DynamoDB's.
func (d *Tables) GetItem(ctx context.Context, in *sdk.GetItemInput, _ ...func(*sdk.Options)) (*sdk.GetItemOutput, error) {
	return call(ctx, &d.Faults, "GetItem", func() (*sdk.GetItemOutput, error) { return d.client.GetItem(ctx, in) })
}

// BatchWriteItem is DynamoDB's.
func (d *Tables) BatchWriteItem(ctx context.Context, in *sdk.BatchWriteItemInput, _ ...func(*sdk.Options)) (*sdk.BatchWriteItemOutput, error) {
	return call(ctx, &d.Faults, "BatchWriteItem", func() (*sdk.BatchWriteItemOutput, error) { return d.client.BatchWriteItem(ctx, in) })
}

// Query is DynamoDB's.
func (d *Tables) Query(ctx context.Context, in *sdk.QueryInput, _ ...func(*sdk.Options)) (*sdk.QueryOutput, error) {
	return call(ctx, &d.Faults, "Query", func() (*sdk.QueryOutput, error) { return d.client.Query(ctx, in) })
}

// Items is all that a table holds.
func (d *Tables) Items(t testing.TB, table string) (items []map[string]types.AttributeValue) {
	t.Helper()
	pages := sdk.NewScanPaginator(d.client, &sdk.ScanInput{TableName: &table})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.WithoutCancel(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, page.Items...)
	}
	return items
}

// Delete removes one item, as time to live does.
func (d *Tables) Delete(t testing.TB, table, key, value string) {
	t.Helper()
	_, err := d.client.DeleteItem(t.Context(), &sdk.DeleteItemInput{
		TableName: &table,
		Key:       map[string]types.AttributeValue{key: &types.AttributeValueMemberS{Value: value}},
	})
	if err != nil {
		t.Fatal(err)
	}
}
