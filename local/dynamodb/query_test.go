package dynamodb_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"hl7lake/local/dynamodb"
	"hl7lake/local/store"
)

// readings is a table with a numeric sort key and indexes of each projection.
const readings = `{"TableName":"readings",
	"KeySchema":[{"AttributeName":"device","KeyType":"HASH"},{"AttributeName":"at","KeyType":"RANGE"}],
	"AttributeDefinitions":[{"AttributeName":"device","AttributeType":"S"},{"AttributeName":"at","AttributeType":"N"},
		{"AttributeName":"ward","AttributeType":"S"},{"AttributeName":"raw","AttributeType":"B"}],
	"GlobalSecondaryIndexes":[
		{"IndexName":"keys","KeySchema":[{"AttributeName":"ward","KeyType":"HASH"}],"Projection":{"ProjectionType":"KEYS_ONLY"}},
		{"IndexName":"some","KeySchema":[{"AttributeName":"ward","KeyType":"HASH"},{"AttributeName":"raw","KeyType":"RANGE"}],
			"Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["unit"]}}]}`

// results lists an attribute of the items that a Query finds, over all pages.
func (l lake) results(t testing.TB, in sdk.QueryInput, attribute string) string {
	t.Helper()
	var found []string
	for {
		out := must[*sdk.QueryOutput](t)(l.Query(t.Context(), &in))
		for _, i := range out.Items {
			found = append(found, plain(i[attribute]))
		}
		if out.LastEvaluatedKey == nil {
			return strings.Join(found, " ")
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

func plain(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	case *types.AttributeValueMemberB:
		return fmt.Sprintf("%x", v.Value)
	default:
		return "-"
	}
}

func TestRangesOfANumericSortKey(t *testing.T) {
	l := start(t, allow)
	create(t, l.service, readings)
	for _, at := range []string{"-10", "-2", "0", "0.5", "2", "10", "1e2"} {
		l.put(t, "readings", item{"device": text("d"), "at": number(at)})
		l.put(t, "readings", item{"device": text("d0"), "at": number(at)}) // a neighbour
	}
	for condition, want := range map[string]string{
		"device = :d":                               "-10 -2 0 0.5 2 10 100",
		"device = :d AND #at = :two":                "2",
		"device = :d AND #at < :two":                "-10 -2 0 0.5",
		"device = :d AND #at <= :two":               "-10 -2 0 0.5 2",
		"device = :d AND #at > :two":                "10 100",
		"device = :d AND #at >= :two":               "2 10 100",
		"device = :d AND #at BETWEEN :neg AND :two": "-2 0 0.5 2",
	} {
		in := sdk.QueryInput{TableName: aws.String("readings"), KeyConditionExpression: &condition, ExpressionAttributeValues: item{":d": text("d")}}
		if strings.Contains(condition, "#at") {
			in.ExpressionAttributeNames = map[string]string{"#at": "at"}
			in.ExpressionAttributeValues[":two"] = number("2.0")
		}
		if strings.Contains(condition, ":neg") {
			in.ExpressionAttributeValues[":neg"] = number("-2")
		}
		for _, limit := range []int32{0, 1, 3} {
			if in.Limit = nil; limit > 0 {
				in.Limit = &limit
			}
			in.ScanIndexForward, in.ExclusiveStartKey = nil, nil
			if got := l.results(t, in, "at"); got != want {
				t.Errorf("%s, limit %d: %s, want %s", condition, limit, got, want)
			}
			in.ScanIndexForward = aws.Bool(false)
			if got := l.results(t, in, "at"); got != reversed(want) {
				t.Errorf("%s backward, limit %d: %s", condition, limit, got)
			}
		}
	}
}

func reversed(words string) string {
	fields := strings.Fields(words)
	for i, j := 0, len(fields)-1; i < j; i, j = i+1, j-1 {
		fields[i], fields[j] = fields[j], fields[i]
	}
	return strings.Join(fields, " ")
}

func TestAnIndexShowsWhatItProjectsOfTheItemsThatHaveItsKey(t *testing.T) {
	l := start(t, allow)
	create(t, l.service, readings)
	raw := func(b ...byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: b} }
	l.put(t, "readings", item{"device": text("a"), "at": number("1"), "ward": text("w"), "raw": raw(1), "unit": text("mm"), "note": text("n")})
	l.put(t, "readings", item{"device": text("b"), "at": number("2"), "ward": text("w"), "raw": raw(0, 9)})
	l.put(t, "readings", item{"device": text("c"), "at": number("3"), "ward": text("w")})
	l.put(t, "readings", item{"device": text("d"), "at": number("4")})
	query := func(index string) []map[string]types.AttributeValue {
		return must[*sdk.QueryOutput](t)(l.Query(t.Context(), &sdk.QueryInput{
			TableName: aws.String("readings"), IndexName: &index, KeyConditionExpression: aws.String("ward = :w"), ExpressionAttributeValues: item{":w": text("w")},
		})).Items
	}
	show := func(items []map[string]types.AttributeValue) (shown []string) {
		for _, i := range items {
			shown = append(shown, fmt.Sprintf("%s:%d:%s", plain(i["device"]), len(i), plain(i["unit"])))
		}
		return shown
	}
	if diff := cmp.Diff([]string{"a:3:-", "b:3:-", "c:3:-"}, show(query("keys"))); diff != "" {
		t.Errorf("KEYS_ONLY (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"b:4:-", "a:5:mm"}, show(query("some"))); diff != "" {
		t.Errorf("INCLUDE, by raw (-want +got):\n%s", diff)
	}
	must[*sdk.UpdateItemOutput](t)(l.UpdateItem(t.Context(), &sdk.UpdateItemInput{
		TableName: aws.String("readings"), Key: item{"device": text("b"), "at": number("2")}, UpdateExpression: aws.String("REMOVE ward"),
	}))
	if diff := cmp.Diff([]string{"a:5:mm"}, show(query("some"))); diff != "" {
		t.Errorf("after the key is removed (-want +got):\n%s", diff)
	}
}

func TestAPageEndsAtAMegabyte(t *testing.T) {
	l := start(t, allow)
	for i := range 5 {
		l.put(t, "catalog", item{"root": text("r"), "sk": text(strconv.Itoa(i)), "big": text(strings.Repeat("x", 300<<10))})
	}
	in := sdk.QueryInput{TableName: aws.String("catalog"), KeyConditionExpression: aws.String("root = :r"), ExpressionAttributeValues: item{":r": text("r")},
		FilterExpression: aws.String("attribute_not_exists(big)")}
	out := must[*sdk.QueryOutput](t)(l.Query(t.Context(), &in))
	if out.ScannedCount != 3 || out.Count != 0 || plain(out.LastEvaluatedKey["sk"]) != "2" {
		t.Errorf("the first page: scanned %d, found %d, ends with %v", out.ScannedCount, out.Count, out.LastEvaluatedKey)
	}
	in.FilterExpression = nil
	if got := l.results(t, in, "sk"); got != "0 1 2 3 4" {
		t.Errorf("all pages: %s", got)
	}
}

func TestAScanFindsEverythingOnceAndCounts(t *testing.T) {
	l := start(t, allow)
	for i := range 10 {
		l.put(t, "catalog", item{"root": text("r" + strconv.Itoa(i)), "sk": text("s"), "n": number(strconv.Itoa(i))})
	}
	in := sdk.ScanInput{TableName: aws.String("catalog"), Limit: aws.Int32(3), FilterExpression: aws.String("n >= :n"), ExpressionAttributeValues: item{":n": number("5")}}
	found := map[string]bool{}
	pages := sdk.NewScanPaginator(l.Client, &in)
	for pages.HasMorePages() {
		for _, i := range must[*sdk.ScanOutput](t)(pages.NextPage(t.Context())).Items {
			found[plain(i["n"])] = true
		}
	}
	if len(found) != 5 {
		t.Errorf("the scan finds %v", found)
	}
	count := must[*sdk.ScanOutput](t)(l.Scan(t.Context(), &sdk.ScanInput{TableName: aws.String("catalog"), Select: types.SelectCount}))
	if count.Count != 10 || count.Items != nil {
		t.Errorf("the count is %d with %d items", count.Count, len(count.Items))
	}
	if described := must[*sdk.DescribeTableOutput](t)(l.DescribeTable(t.Context(), &sdk.DescribeTableInput{TableName: aws.String("catalog")})); *described.Table.ItemCount != 10 {
		t.Errorf("the table is described with %d items", *described.Table.ItemCount)
	}
}

func TestQueriesThatDynamoDBWouldRefuseAreRefused(t *testing.T) {
	l := start(t, allow)
	root := item{":r": text("r")}
	for want, in := range map[string]sdk.QueryInput{
		"Consistent reads are not supported": {IndexName: aws.String("by-owner"), ConsistentRead: aws.Bool(true),
			KeyConditionExpression: aws.String("#o = :r"), ExpressionAttributeNames: map[string]string{"#o": "owner"}, ExpressionAttributeValues: root},
		"does not have the specified index": {IndexName: aws.String("absent"), KeyConditionExpression: aws.String("root = :r"), ExpressionAttributeValues: root},
		"missed key schema element: root":   {KeyConditionExpression: aws.String("sk = :r"), ExpressionAttributeValues: root},
		"type does not match schema type":   {KeyConditionExpression: aws.String("root = :r"), ExpressionAttributeValues: item{":r": number("1")}},
		"can only contain non-primary key attributes: Primary key attribute: sk": {KeyConditionExpression: aws.String("root = :r"),
			FilterExpression: aws.String("sk = :r"), ExpressionAttributeValues: root},
		"starting key is invalid": {KeyConditionExpression: aws.String("root = :r"), ExpressionAttributeValues: root, ExclusiveStartKey: item{"root": text("r")}},
		"outside query boundaries": {KeyConditionExpression: aws.String("root = :r"), ExpressionAttributeValues: root,
			ExclusiveStartKey: item{"root": text("q"), "sk": text("s")}},
		"reserved keyword: owner":          {KeyConditionExpression: aws.String("owner = :r"), ExpressionAttributeValues: root},
		"KeyConditionExpression parameter": {},
		"legacy parameter KeyConditions": {KeyConditions: map[string]types.Condition{"root": {
			ComparisonOperator: types.ComparisonOperatorEq, AttributeValueList: []types.AttributeValue{text("r")}}}, KeyConditionExpression: aws.String("root = :r")},
	} {
		in.TableName = aws.String("catalog")
		if _, err := l.Query(t.Context(), &in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the query gives %v, want %s", err, want)
		}
	}
}

func TestDataOutlivesTheProcess(t *testing.T) {
	folder := t.TempDir()
	l := serve(t, open(t, folder, store.Durable), allow)
	l.put(t, "catalog", item{"root": text("r"), "sk": text("s"), "owner": text("o"), "received": text("2026")})

	// The first store is never closed: a killed process leaves the same.
	again := serve(t, open(t, copied(t, folder), store.Durable), allow)
	got := again.results(t, sdk.QueryInput{TableName: aws.String("catalog"), IndexName: aws.String("by-owner"),
		KeyConditionExpression: aws.String("#o = :o"), ExpressionAttributeNames: map[string]string{"#o": "owner"}, ExpressionAttributeValues: item{":o": text("o")}}, "root")
	if got != "r" {
		t.Errorf("after reopening, the index finds %q", got)
	}
}

func TestANewIndexIsFilledAndAnotherKeyIsRefused(t *testing.T) {
	s := open(t, t.TempDir(), store.Fleeting)
	l := serve(t, s, allow)
	var definition map[string]any
	if err := json.Unmarshal([]byte(readings), &definition); err != nil {
		t.Fatal(err)
	}
	delete(definition, "GlobalSecondaryIndexes")
	withoutIndexes, err := json.Marshal(definition)
	if err != nil {
		t.Fatal(err)
	}
	create(t, l.service, string(withoutIndexes))
	l.put(t, "readings", item{"device": text("a"), "at": number("1"), "ward": text("w")})

	again := serve(t, s, allow)
	create(t, again.service, readings)
	got := again.results(t, sdk.QueryInput{TableName: aws.String("readings"), IndexName: aws.String("keys"),
		KeyConditionExpression: aws.String("ward = :w"), ExpressionAttributeValues: item{":w": text("w")}}, "device")
	if got != "a" {
		t.Errorf("the new index finds %q", got)
	}
	err = again.service.CreateTable(dynamodb.Table{TableName: "readings",
		KeySchema:            []dynamodb.KeySchemaElement{{AttributeName: "other", KeyType: "HASH"}},
		AttributeDefinitions: []dynamodb.AttributeDefinition{{AttributeName: "other", AttributeType: "S"}}})
	if err == nil || !strings.Contains(err.Error(), "its key schema is not the one that its data was written with") {
		t.Errorf("another key schema gives %v", err)
	}
}

func TestWhatFindsNothingAnswersWithNoItems(t *testing.T) {
	l := start(t, allow)
	out := must[*sdk.ScanOutput](t)(l.Scan(t.Context(), &sdk.ScanInput{TableName: aws.String("catalog")}))
	if out.Items == nil || len(out.Items) != 0 { // other clients look for the member
		t.Errorf("the answer's items are %v", out.Items)
	}
}
