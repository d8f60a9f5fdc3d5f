package dynamodb_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"hl7lake/local/dynamodb"
	"hl7lake/local/wire"
)

// same compares the client's values.
var same = cmpopts.IgnoreUnexported(types.AttributeValueMemberS{}, types.AttributeValueMemberN{}, types.AttributeValueMemberSS{})

func (l lake) put(t testing.TB, table string, i item) {
	t.Helper()
	if _, err := l.PutItem(t.Context(), &sdk.PutItemInput{TableName: &table, Item: i}); err != nil {
		t.Fatal(err)
	}
}

func (l lake) get(t testing.TB, table string, key item) item {
	t.Helper()
	return must[*sdk.GetItemOutput](t)(l.GetItem(t.Context(), &sdk.GetItemInput{TableName: &table, Key: key})).Item
}

func TestWhatAWriteReturns(t *testing.T) {
	l := start(t, allow)
	key := item{"pk": text("a")}
	before, after := item{"pk": text("a"), "n": number("1"), "s": text("x")}, item{"pk": text("a"), "n": number("2"), "s": text("x")}
	for returned, want := range map[types.ReturnValue]item{
		types.ReturnValueNone: nil, types.ReturnValueAllOld: before, types.ReturnValueAllNew: after,
		types.ReturnValueUpdatedOld: {"n": number("1")}, types.ReturnValueUpdatedNew: {"n": number("2")},
	} {
		l.put(t, "received", before)
		out := must[*sdk.UpdateItemOutput](t)(l.UpdateItem(t.Context(), &sdk.UpdateItemInput{
			TableName: aws.String("received"), Key: key, ReturnValues: returned,
			UpdateExpression: aws.String("SET n = n + :one"), ExpressionAttributeValues: item{":one": number("1")},
		}))
		if diff := cmp.Diff(want, out.Attributes, same); diff != "" {
			t.Errorf("%s (-want +got):\n%s", returned, diff)
		}
	}
	deleted := must[*sdk.DeleteItemOutput](t)(l.DeleteItem(t.Context(), &sdk.DeleteItemInput{
		TableName: aws.String("received"), Key: key, ReturnValues: types.ReturnValueAllOld,
	}))
	if diff := cmp.Diff(after, deleted.Attributes, same); diff != "" {
		t.Errorf("the deletion returns (-want +got):\n%s", diff)
	}
	if got := l.get(t, "received", key); got != nil {
		t.Errorf("the deleted item is still %v", got)
	}
}

func TestAnUpdateMakesTheItemThatIsNotThere(t *testing.T) {
	l := start(t, allow)
	key := item{"root": text("r"), "sk": text("s")}
	must[*sdk.UpdateItemOutput](t)(l.UpdateItem(t.Context(), &sdk.UpdateItemInput{
		TableName: aws.String("catalog"), Key: key, UpdateExpression: aws.String("ADD attempts :one SET #zone = if_not_exists(#zone, :z)"),
		ExpressionAttributeNames:  map[string]string{"#zone": "zone"},
		ExpressionAttributeValues: item{":one": number("1"), ":z": text("error")},
	}))
	want := item{"root": text("r"), "sk": text("s"), "attempts": number("1"), "zone": text("error")}
	if diff := cmp.Diff(want, l.get(t, "catalog", key), same); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestItemsThatDynamoDBWouldRefuseAreRefused(t *testing.T) {
	l := start(t, allow)
	for _, test := range []struct {
		item item
		want string
	}{
		{item{"sk": text("s")}, "Missing the key root in the item"},
		{item{"root": text("r"), "sk": number("1")}, "Type mismatch for key sk expected: S actual: N"},
		{item{"root": text(""), "sk": text("s")}, "cannot contain an empty string value. Key: root"},
		{item{"root": text(strings.Repeat("x", 2049)), "sk": text("s")}, "Size of hashkey has exceeded"},
		{item{"root": text("r"), "sk": text(strings.Repeat("x", 1025))}, "Size of rangekey has exceeded"},
		{item{"root": text("r"), "sk": text("s"), "owner": number("1")}, "Type mismatch for Index Key owner Expected: S Actual: N IndexName: by-owner"},
		{item{"root": text("r"), "sk": text("s"), "owner": text("")}, "IndexName: by-owner, IndexKey: owner"},
		{item{"root": text("r"), "sk": text("s"), "big": text(strings.Repeat("x", 400<<10))}, "Item size has exceeded the maximum allowed size"},
		{item{"root": text("r"), "sk": text("s"), "n": number("1e400")}, "Number overflow"},
		{item{"root": text("r"), "sk": text("s"), "set": &types.AttributeValueMemberSS{Value: []string{"a", "a"}}}, "duplicates"},
	} {
		_, err := l.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String("catalog"), Item: test.item})
		if code(err) != "ValidationException" || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want %s", err, test.want)
		}
	}
}

func TestUpdatesThatWouldBreakAnItemAreRefused(t *testing.T) {
	l := start(t, allow)
	key := item{"root": text("r"), "sk": text("s")}
	l.put(t, "catalog", item{"root": text("r"), "sk": text("s"), "big": text(strings.Repeat("x", 300<<10))})
	for expression, want := range map[string]string{
		"SET sk = :v":                "Cannot update attribute sk. This attribute is part of the key",
		"SET #o = :n":                "Type mismatch for Index Key owner",
		"SET big2 = big":             "Item size to update has exceeded",
		"SET big2 = :n, big2.x = :n": "overlap",
	} {
		in := &sdk.UpdateItemInput{TableName: aws.String("catalog"), Key: key, UpdateExpression: &expression, ExpressionAttributeValues: item{}}
		for name, value := range (item{":v": text("v"), ":n": number("1")}) {
			if strings.Contains(expression, name) {
				in.ExpressionAttributeValues[name] = value
			}
		}
		if len(in.ExpressionAttributeValues) == 0 {
			in.ExpressionAttributeValues = nil
		}
		if strings.Contains(expression, "#o") {
			in.ExpressionAttributeNames = map[string]string{"#o": "owner"}
		}
		if _, err := l.UpdateItem(t.Context(), in); code(err) != "ValidationException" || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v, want %s", expression, err, want)
		}
	}
	if got := l.get(t, "catalog", key); len(got) != 3 {
		t.Errorf("the item has %d attributes after refused updates", len(got))
	}
}

func TestKeysMustFitTheSchema(t *testing.T) {
	l := start(t, allow)
	for _, key := range []item{{}, {"root": text("r")}, {"root": text("r"), "sk": number("1")}, {"root": text("r"), "sk": text("s"), "x": text("y")}} {
		_, err := l.GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String("catalog"), Key: key})
		if code(err) != "ValidationException" {
			t.Errorf("the key %v gives %v", key, err)
		}
	}
	if _, err := l.GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String("absent"), Key: item{"pk": text("a")}}); code(err) != "ResourceNotFoundException" {
		t.Errorf("an unknown table gives %v", err)
	}
}

func TestBatches(t *testing.T) {
	l := start(t, allow)
	var requests []types.WriteRequest
	var keys []map[string]types.AttributeValue
	for i := range 25 {
		pk := text(strconv.Itoa(i))
		requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: item{"pk": pk, "n": number("1")}}})
		keys = append(keys, item{"pk": pk})
	}
	write := func(requests ...types.WriteRequest) error {
		_, err := l.BatchWriteItem(t.Context(), &sdk.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"received": requests}})
		return err
	}
	if err := write(requests...); err != nil {
		t.Fatal(err)
	}
	if err := write(types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: keys[0]}}); err != nil {
		t.Fatal(err)
	}
	got := must[*sdk.BatchGetItemOutput](t)(l.BatchGetItem(t.Context(), &sdk.BatchGetItemInput{
		RequestItems: map[string]types.KeysAndAttributes{"received": {Keys: keys, ProjectionExpression: aws.String("pk")}},
	}))
	if len(got.Responses["received"]) != 24 || len(got.Responses["received"][0]) != 1 || len(got.UnprocessedKeys) != 0 {
		t.Errorf("the batch finds %v, leaves %v", got.Responses, got.UnprocessedKeys)
	}
	if err := write(append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: item{"pk": text("26")}}})...); code(err) != "ValidationException" {
		t.Errorf("26 requests give %v", err)
	}
	if err := write(requests[1], requests[1]); code(err) != "ValidationException" {
		t.Errorf("a repeated item gives %v", err)
	}
}

func TestOfAHundredConditionalWritersExactlyOneWins(t *testing.T) {
	l := start(t, allow)
	var writers sync.WaitGroup
	winners := make(chan string, 100)
	for i := range 100 {
		writers.Go(func() {
			id := strconv.Itoa(i)
			_, err := l.PutItem(t.Context(), &sdk.PutItemInput{
				TableName: aws.String("received"), Item: item{"pk": text("one"), "id": text(id)},
				ConditionExpression: aws.String("attribute_not_exists(pk)"),
			})
			switch {
			case err == nil:
				winners <- id
			case code(err) != "ConditionalCheckFailedException":
				t.Errorf("a writer got %v", err)
			}
		})
	}
	for range 100 {
		writers.Go(func() {
			_, err := l.UpdateItem(t.Context(), &sdk.UpdateItemInput{
				TableName: aws.String("received"), Key: item{"pk": text("counter")},
				UpdateExpression: aws.String("ADD n :one"), ExpressionAttributeValues: item{":one": number("1")},
			})
			if err != nil {
				t.Errorf("an update got %v", err)
			}
		})
	}
	writers.Wait()
	if len(winners) != 1 {
		t.Fatalf("%d writers won", len(winners))
	}
	if diff := cmp.Diff(item{"pk": text("one"), "id": text(<-winners)}, l.get(t, "received", item{"pk": text("one")}), same); diff != "" {
		t.Errorf("the item is not the winner's:\n%s", diff)
	}
	if diff := cmp.Diff(item{"pk": text("counter"), "n": number("100")}, l.get(t, "received", item{"pk": text("counter")}), same); diff != "" {
		t.Errorf("the counter is not 100:\n%s", diff)
	}
}

func TestAnExpiredItemGoesDaysLaterAndAnUnexpiredOneStays(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	l := start(t, allow, dynamodb.WithClock(func() time.Time { return now }))
	expiring := func(pk string, at time.Time) item {
		return item{"pk": text(pk), "expiry": number(strconv.FormatInt(at.Unix(), 10))}
	}
	l.put(t, "received", expiring("soon", now.Add(time.Hour)))
	l.put(t, "received", expiring("later", now.Add(100*time.Hour)))
	l.put(t, "received", expiring("prolonged", now.Add(time.Hour)))
	l.put(t, "received", expiring("prolonged", now.Add(100*time.Hour)))
	l.put(t, "received", expiring("long ago", now.Add(-6*365*24*time.Hour)))
	now = now.Add(2 * time.Hour)
	l.put(t, "received", item{"pk": text("another")})
	if l.get(t, "received", item{"pk": text("soon")}) == nil {
		t.Error("an item that has just expired is gone; on AWS it is still returned")
	}
	now = now.Add(48 * time.Hour)
	l.put(t, "received", item{"pk": text("another")})
	var left []string
	for _, pk := range []string{"soon", "later", "prolonged", "long ago"} {
		if l.get(t, "received", item{"pk": text(pk)}) != nil {
			left = append(left, pk)
		}
	}
	if diff := cmp.Diff([]string{"later", "prolonged", "long ago"}, left); diff != "" {
		t.Errorf("two days later (-want +got):\n%s", diff)
	}
}

func TestEachOperationAsksForItsActionOnItsResource(t *testing.T) {
	var asked []string
	l := start(t, func(_ context.Context, action, resource string, _ map[string]string) error {
		asked = append(asked, action+" "+strings.TrimPrefix(resource, wire.ARN("dynamodb", "")))
		return &wire.Error{Status: http.StatusBadRequest, Code: "AccessDeniedException", Message: "not granted"}
	})
	ctx, received, catalog := t.Context(), aws.String("received"), aws.String("catalog")
	key := item{"pk": text("a")}
	var errs []error
	collect := func(_ any, err error) { errs = append(errs, err) }
	collect(l.PutItem(ctx, &sdk.PutItemInput{TableName: received, Item: key}))
	collect(l.GetItem(ctx, &sdk.GetItemInput{TableName: aws.String(wire.ARN("dynamodb", "table/received")), Key: key}))
	collect(l.UpdateItem(ctx, &sdk.UpdateItemInput{TableName: received, Key: key}))
	collect(l.DeleteItem(ctx, &sdk.DeleteItemInput{TableName: received, Key: key}))
	collect(l.Query(ctx, &sdk.QueryInput{TableName: catalog, IndexName: aws.String("by-owner")}))
	collect(l.Query(ctx, &sdk.QueryInput{TableName: catalog}))
	collect(l.Scan(ctx, &sdk.ScanInput{TableName: catalog}))
	collect(l.DescribeTable(ctx, &sdk.DescribeTableInput{TableName: catalog}))
	collect(l.ListTables(ctx, &sdk.ListTablesInput{}))
	collect(l.BatchGetItem(ctx, &sdk.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"received": {Keys: []map[string]types.AttributeValue{key}}}}))
	collect(l.BatchWriteItem(ctx, &sdk.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"received": {{DeleteRequest: &types.DeleteRequest{Key: key}}}}}))
	want := []string{
		"dynamodb:PutItem table/received", "dynamodb:GetItem table/received", "dynamodb:UpdateItem table/received", "dynamodb:DeleteItem table/received",
		"dynamodb:Query table/catalog/index/by-owner", "dynamodb:Query table/catalog", "dynamodb:Scan table/catalog", "dynamodb:DescribeTable table/catalog",
		"dynamodb:ListTables table/*", "dynamodb:BatchGetItem table/received", "dynamodb:BatchWriteItem table/received",
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for i, err := range errs {
		if code(err) != "AccessDeniedException" {
			t.Errorf("%s: refused with %v", want[i], err)
		}
	}
}
