package dynamodb_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"hl7lake/internal/testing/answer"
	"hl7lake/local/dynamodb"
	"hl7lake/local/store"
	"hl7lake/local/wire"
)

// The tables of the lake, as the templates have them.
const (
	catalog = `{"TableName":"catalog",
		"KeySchema":[{"AttributeName":"root","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
		"AttributeDefinitions":[{"AttributeName":"root","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"},
			{"AttributeName":"owner","AttributeType":"S"},{"AttributeName":"received","AttributeType":"S"}],
		"GlobalSecondaryIndexes":[{"IndexName":"by-owner","Projection":{"ProjectionType":"ALL"},
			"KeySchema":[{"AttributeName":"owner","KeyType":"HASH"},{"AttributeName":"received","KeyType":"RANGE"}]}],
		"BillingMode":"PAY_PER_REQUEST"}`
	received = `{"TableName":"received",
		"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],
		"TimeToLiveSpecification":{"AttributeName":"expiry","Enabled":true}}`
)

// allow grants everything.
func allow(context.Context, string, string, map[string]string) error { return nil }

// lake is a service behind the ordinary client.
type lake struct {
	*sdk.Client
	service *dynamodb.Service
}

// start serves the lake's tables from a new store.
func start(t testing.TB, authorize wire.Authorize, options ...dynamodb.Option) lake {
	t.Helper()
	return serve(t, open(t, t.TempDir(), store.Fleeting), authorize, options...)
}

func open(t testing.TB, folder string, durability store.Durability) *store.Store {
	t.Helper()
	s, err := store.Open(filepath.Join(folder, "db"), durability)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func serve(t testing.TB, s *store.Store, authorize wire.Authorize, options ...dynamodb.Option) lake {
	t.Helper()
	service := dynamodb.New(s, authorize, options...)
	for _, definition := range []string{catalog, received} {
		create(t, service, definition)
	}
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	return lake{client(server.URL), service}
}

func create(t testing.TB, service *dynamodb.Service, definition string) {
	t.Helper()
	var table dynamodb.Table
	if err := json.Unmarshal([]byte(definition), &table); err != nil {
		t.Fatal(err)
	}
	if err := service.CreateTable(table); err != nil {
		t.Fatal(err)
	}
}

func client(url string) *sdk.Client {
	return sdk.New(sdk.Options{
		BaseEndpoint: &url, Region: wire.Region, RetryMaxAttempts: 1, HTTPClient: answer.Whole{},
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
}

type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue   { return &types.AttributeValueMemberS{Value: s} }
func number(n string) types.AttributeValue { return &types.AttributeValueMemberN{Value: n} }

// code returns the name of AWS's error in err, or "".
func code(err error) string {
	var refusal smithy.APIError
	if errors.As(err, &refusal) {
		return refusal.ErrorCode()
	}
	return ""
}

func must[Output any](t testing.TB) func(Output, error) Output {
	return func(output Output, err error) Output {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return output
	}
}

func TestAClaimIsTakenOnceAndTakenOverWhenItsLeaseIsOver(t *testing.T) {
	l := start(t, allow)
	claim := func(id string, now, lease string) (*sdk.PutItemOutput, error) {
		return l.PutItem(t.Context(), &sdk.PutItemInput{
			TableName:                           aws.String("received"),
			Item:                                item{"pk": text("hash"), "id": text(id), "state": text("pending"), "lease": number(lease), "expiry": number("99999999999")},
			ConditionExpression:                 aws.String("attribute_not_exists(pk) OR expiry < :seconds OR (#state = :pending AND lease < :now)"),
			ExpressionAttributeNames:            map[string]string{"#state": "state"},
			ExpressionAttributeValues:           item{":now": number(now), ":seconds": number(now[:10]), ":pending": text("pending")},
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		})
	}
	if _, err := claim("first", "1763840000000", "1763840030000"); err != nil {
		t.Fatal(err)
	}
	_, err := claim("second", "1763840010000", "1763840040000")
	var refused *types.ConditionalCheckFailedException
	if !errors.As(err, &refused) {
		t.Fatalf("the second claim gives %v", err)
	}
	if id, _ := refused.Item["id"].(*types.AttributeValueMemberS); id == nil || id.Value != "first" {
		t.Errorf("the refusal shows %v, want the first claim", refused.Item)
	}
	if _, err := claim("third", "1763840030001", "1763840060000"); err != nil {
		t.Errorf("the claim after the lease gives %v", err)
	}
}

func TestAQueryOfAnIndexIsOrderedAndPaged(t *testing.T) {
	l := start(t, allow)
	for _, day := range []string{"03", "01", "02", "05", "04"} {
		must[*sdk.PutItemOutput](t)(l.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String("catalog"), Item: item{
			"root": text("root-" + day), "sk": text("ingestion#1"), "owner": text("st-elsewhere"), "received": text("2026-11-" + day + "T00:00:00.000Z"),
		}}))
	}
	pages := sdk.NewQueryPaginator(l.Client, &sdk.QueryInput{
		TableName: aws.String("catalog"), IndexName: aws.String("by-owner"), Limit: aws.Int32(2), ScanIndexForward: aws.Bool(false),
		KeyConditionExpression:    aws.String("#owner = :owner AND received BETWEEN :from AND :to"),
		ExpressionAttributeNames:  map[string]string{"#owner": "owner"},
		ExpressionAttributeValues: item{":owner": text("st-elsewhere"), ":from": text("2026-11-02"), ":to": text("2026-11-05")},
	})
	var got string
	for pages.HasMorePages() {
		page := must[*sdk.QueryOutput](t)(pages.NextPage(t.Context()))
		for _, i := range page.Items {
			got += i["root"].(*types.AttributeValueMemberS).Value + " "
		}
		got += "| "
	}
	if want := "root-04 root-03 | root-02 | "; got != want {
		t.Errorf("pages are %q, want %q", got, want)
	}
}

// copied returns a copy of a folder's files, as they are at this time.
func copied(t testing.TB, folder string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	return to
}
