package differential_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"hl7lake/local/dynamodb"
	"hl7lake/local/dynamodb/attribute"
)

// The tables that both have: the lake's catalog, one that holds only the item that
// expressions are about, and one for everything else.
const (
	catalogTable = `{"TableName":"catalog",
		"KeySchema":[{"AttributeName":"root","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
		"AttributeDefinitions":[{"AttributeName":"root","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"},
			{"AttributeName":"owner","AttributeType":"S"},{"AttributeName":"received","AttributeType":"S"}],
		"GlobalSecondaryIndexes":[{"IndexName":"by-owner","Projection":{"ProjectionType":"ALL"},
			"KeySchema":[{"AttributeName":"owner","KeyType":"HASH"},{"AttributeName":"received","KeyType":"RANGE"}]}]}`
	sampleTable = `{"TableName":"sample","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}]}`
	itemsTable = `{"TableName":"items","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}]}`
)

// The item that the expressions are about, and what their placeholders stand for.
const (
	sampleItem = `{"s":{"S":"bed"},"n":{"N":"12345678901234567890"},"five":{"N":"5"},"b":{"B":"AAE="},"nil":{"NULL":true},"yes":{"BOOL":true},
		"ss":{"SS":["a","b"]},"ns":{"NS":["1","2"]},"l":{"L":[{"S":"x"},{"N":"7"},{"M":{"in":{"S":"deep"},"more":{"L":[{"N":"1"}]}}}]},
		"m":{"M":{"k":{"S":"v"},"status":{"S":"up"},"c":{"N":"1"}}},"a.b":{"S":"dotted"},"status":{"S":"done"}}`
	placeholderValues = `{":a":{"S":"a"},":bed":{"S":"bed"},":be":{"S":"be"},":z":{"S":"z"},":n":{"N":"12345678901234567890"},":n1":{"N":"12345678901234567891"},
		":one":{"N":"1"},":three":{"N":"3"},":five":{"N":"5"},":seven":{"N":"7"},":bin":{"B":"AA=="},":t":{"BOOL":true},":nil":{"NULL":true},
		":S":{"S":"S"},":L":{"S":"L"},":N":{"S":"N"},":v":{"S":"v"},":up":{"S":"up"},":deep":{"S":"deep"},
		":ss":{"SS":["b","a"]},":ssb":{"SS":["b","c"]},":ns":{"NS":["2","3"]},":list":{"L":[{"S":"new"}]},":map":{"M":{"q":{"S":"r"}}},
		":p":{"S":"p"},":k1":{"S":"k1"},":k2":{"S":"k2"},":k":{"S":"k"},":o":{"S":"o"},":t2":{"S":"2026-01-02"},":t4":{"S":"2026-01-04"}}`
)

func placeholderNames() map[string]string {
	return map[string]string{"#status": "status", "#dotted": "a.b", "#m": "m", "#in": "in", "#owner": "owner"}
}

// table is the part of DynamoDB that the cases need of one of the two.
type table struct {
	*sdk.Client
	names  map[string]string
	values map[string]types.AttributeValue
}

func compareDynamoDB(t *testing.T, moto *server, agree verdict) {
	tables := [2]table{localTables(t), motoTables(t, moto)}
	g := newGenerator(2026)
	for _, c := range slices.Concat(chosenExpressions(), g.expressions(400), keyConditions()) {
		agree(c.kind+" "+c.text, tables[0].answer(t, c), tables[1].answer(t, c))
	}
	for name, ask := range otherRequests() {
		agree(name, ask(t, tables[0]), ask(t, tables[1]))
	}
}

func localTables(t *testing.T) table {
	t.Helper()
	service := dynamodb.New(openStore(t), allow)
	for _, text := range []string{catalogTable, sampleTable, itemsTable} {
		if err := service.CreateTable(read[dynamodb.Table](t, text)); err != nil {
			t.Fatal(err)
		}
	}
	local := newTable(t, serve(t, service))
	local.fill(t)
	return local
}

func motoTables(t *testing.T, moto *server) table {
	t.Helper()
	moted := newTable(t, moto)
	for _, text := range []string{catalogTable, sampleTable, itemsTable} {
		in := read[sdk.CreateTableInput](t, text)
		in.BillingMode = types.BillingModePayPerRequest
		if _, err := moted.CreateTable(t.Context(), &in); err != nil {
			t.Fatal(err)
		}
	}
	moted.fill(t)
	return moted
}

func newTable(t *testing.T, s *server) table {
	t.Helper()
	return table{sdk.NewFromConfig(s.config()), placeholderNames(), sdkItem(t, placeholderValues)}
}

// fill adds the items that the cases are about.
func (c table) fill(t *testing.T) {
	t.Helper()
	c.put(t, "items", sampleItem, map[string]string{"pk": "sample"})
	c.put(t, "sample", sampleItem, map[string]string{"pk": "sample"})
	for i := range 9 {
		c.put(t, "catalog", `{"n":{"N":"`+fmt.Sprint(i)+`"}}`, map[string]string{
			"root": "p", "sk": fmt.Sprintf("k%d", i), "owner": "o", "received": fmt.Sprintf("2026-01-%02d", 9-i),
		})
	}
}

func (c table) put(t *testing.T, name, text string, keys map[string]string) {
	t.Helper()
	item := sdkItem(t, text)
	for key, value := range keys {
		item[key] = &types.AttributeValueMemberS{Value: value}
	}
	if _, err := c.PutItem(t.Context(), &sdk.PutItemInput{TableName: &name, Item: item}); err != nil {
		t.Fatal(err)
	}
}

// expression is one case: its kind, and its text with placeholders.
type expression struct{ kind, text string }

// The kinds of expressions.
const (
	conditionExpression  = "condition"
	filterExpression     = "filter"
	updateExpression     = "update"
	projectionExpression = "projection"
	keyExpression        = "key condition"
	indexExpression      = "index key condition"
)

// answer evaluates an expression on the sample item.
func (c table) answer(t *testing.T, e expression) string {
	t.Helper()
	names, values := c.used(e.text)
	switch e.kind {
	case conditionExpression:
		_, err := c.UpdateItem(t.Context(), &sdk.UpdateItemInput{
			TableName: aws.String("items"), Key: sdkItem(t, `{"pk":{"S":"sample"}}`), UpdateExpression: aws.String("REMOVE untouched"),
			ConditionExpression: &e.text, ExpressionAttributeNames: names, ExpressionAttributeValues: values,
		})
		return truth(err)
	case filterExpression:
		out, err := c.Scan(t.Context(), &sdk.ScanInput{
			TableName: aws.String("sample"), FilterExpression: &e.text,
			ExpressionAttributeNames: names, ExpressionAttributeValues: values,
		})
		if err != nil {
			return code(err)
		}
		return fmt.Sprint(out.Count == 1)
	case projectionExpression:
		out, err := c.GetItem(t.Context(), &sdk.GetItemInput{
			TableName: aws.String("items"), Key: sdkItem(t, `{"pk":{"S":"sample"}}`),
			ProjectionExpression: &e.text, ExpressionAttributeNames: names,
		})
		if err != nil {
			return code(err)
		}
		return canonical(t, out.Item)
	case updateExpression:
		return c.update(t, e, names, values)
	}
	return c.query(t, e, names, values)
}

// update applies an expression to a fresh copy of the sample.
func (c table) update(t *testing.T, e expression, names map[string]string, values map[string]types.AttributeValue) string {
	t.Helper()
	c.put(t, "items", sampleItem, map[string]string{"pk": "copy"})
	key := sdkItem(t, `{"pk":{"S":"copy"}}`)
	_, err := c.UpdateItem(t.Context(), &sdk.UpdateItemInput{
		TableName: aws.String("items"), Key: key, UpdateExpression: &e.text,
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	})
	out, getErr := c.GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String("items"), Key: key})
	switch {
	case getErr != nil:
		return brokeDown + ": it left an item that cannot be read"
	case err != nil:
		return code(err)
	}
	return canonical(t, out.Item)
}

func (c table) query(t *testing.T, e expression, names map[string]string, values map[string]types.AttributeValue) string {
	t.Helper()
	in := &sdk.QueryInput{
		TableName: aws.String("catalog"), KeyConditionExpression: &e.text,
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	}
	if e.kind == indexExpression {
		in.IndexName = aws.String("by-owner")
	}
	out, err := c.Query(t.Context(), in)
	if err != nil {
		return code(err)
	}
	return sortKeys(out.Items)
}

func sortKeys(items []map[string]types.AttributeValue) string {
	var keys []string
	for _, item := range items {
		keys = append(keys, item["sk"].(*types.AttributeValueMemberS).Value)
	}
	return strings.Join(keys, " ")
}

// truth is the result of a condition.
func truth(err error) string {
	switch {
	case err == nil:
		return "true"
	case code(err) == "ConditionalCheckFailedException":
		return "false"
	}
	return code(err)
}

// used returns the names and values of the placeholders in a text, because DynamoDB
// refuses a request that defines more.
func (c table) used(text string) (map[string]string, map[string]types.AttributeValue) {
	var names map[string]string
	var values map[string]types.AttributeValue
	for _, placeholder := range regexp.MustCompile(`[#:]\w+`).FindAllString(text, -1) {
		if name, known := c.names[placeholder]; known {
			if names == nil {
				names = map[string]string{}
			}
			names[placeholder] = name
		}
		if value, known := c.values[placeholder]; known {
			if values == nil {
				values = map[string]types.AttributeValue{}
			}
			values[placeholder] = value
		}
	}
	return names, values
}

// sdkItem converts an item from DynamoDB's JSON to the SDK's form.
func sdkItem(t *testing.T, text string) map[string]types.AttributeValue {
	t.Helper()
	item := map[string]types.AttributeValue{}
	for name, value := range read[map[string]map[string]any](t, text) {
		item[name] = sdkValue(t, value)
	}
	return item
}

func sdkValue(t *testing.T, value map[string]any) types.AttributeValue {
	t.Helper()
	for kind, v := range value {
		switch kind {
		case "S":
			return &types.AttributeValueMemberS{Value: v.(string)}
		case "N":
			return &types.AttributeValueMemberN{Value: v.(string)}
		case "B":
			bytes, err := base64.StdEncoding.DecodeString(v.(string))
			if err != nil {
				t.Fatal(err)
			}
			return &types.AttributeValueMemberB{Value: bytes}
		case "BOOL":
			return &types.AttributeValueMemberBOOL{Value: v.(bool)}
		case "NULL":
			return &types.AttributeValueMemberNULL{Value: v.(bool)}
		case "SS":
			return &types.AttributeValueMemberSS{Value: texts(v)}
		case "NS":
			return &types.AttributeValueMemberNS{Value: texts(v)}
		case "L":
			list := &types.AttributeValueMemberL{}
			for _, element := range v.([]any) {
				list.Value = append(list.Value, sdkValue(t, element.(map[string]any)))
			}
			return list
		case "M":
			m := &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{}}
			for name, member := range v.(map[string]any) {
				m.Value[name] = sdkValue(t, member.(map[string]any))
			}
			return m
		}
	}
	t.Fatalf("no attribute value: %v", value)
	return nil
}

func texts(v any) (all []string) {
	for _, text := range v.([]any) {
		all = append(all, text.(string))
	}
	return all
}

// canonical writes an item so that equal items give equal texts: members in order, sets
// sorted.
func canonical(t *testing.T, item map[string]types.AttributeValue) string {
	t.Helper()
	plain := map[string]any{}
	for name, value := range item {
		plain[name] = plainValue(value)
	}
	text, err := json.Marshal(plain)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func plainValue(value types.AttributeValue) map[attribute.Kind]any {
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return map[attribute.Kind]any{"S": v.Value}
	case *types.AttributeValueMemberN:
		return map[attribute.Kind]any{"N": v.Value}
	case *types.AttributeValueMemberB:
		return map[attribute.Kind]any{"B": v.Value}
	case *types.AttributeValueMemberBOOL:
		return map[attribute.Kind]any{"BOOL": v.Value}
	case *types.AttributeValueMemberNULL:
		return map[attribute.Kind]any{"NULL": v.Value}
	case *types.AttributeValueMemberSS:
		return map[attribute.Kind]any{"SS": slices.Sorted(slices.Values(v.Value))}
	case *types.AttributeValueMemberNS:
		return map[attribute.Kind]any{"NS": slices.Sorted(slices.Values(v.Value))}
	case *types.AttributeValueMemberL:
		list := []any{}
		for _, element := range v.Value {
			list = append(list, plainValue(element))
		}
		return map[attribute.Kind]any{"L": list}
	case *types.AttributeValueMemberM:
		members := map[string]any{}
		for name, member := range v.Value {
			members[name] = plainValue(member)
		}
		return map[attribute.Kind]any{"M": members}
	}
	return map[attribute.Kind]any{"unknown": value}
}
