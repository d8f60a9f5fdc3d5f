package differential_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// otherRequests are about more than one expression. Each says in words what the answer
// was.
func otherRequests() map[string]func(*testing.T, table) string {
	return map[string]func(*testing.T, table) string{
		"pages of a query, forwards":       func(t *testing.T, c table) string { return c.pages(t, true) },
		"pages of a query, backwards":      func(t *testing.T, c table) string { return c.pages(t, false) },
		"the claim of a message":           claim,
		"what a failed condition returns":  failedCondition,
		"what an update returns":           returnValues,
		"an item of 400 KB":                func(t *testing.T, c table) string { return c.large(t, 400<<10) },
		"an item of more than 400 KB":      func(t *testing.T, c table) string { return c.large(t, 400<<10+1) },
		"an empty key":                     func(t *testing.T, c table) string { return c.putError(t, `{"pk":{"S":""}}`) },
		"no key":                           func(t *testing.T, c table) string { return c.putError(t, `{"s":{"S":"x"}}`) },
		"a key of another type":            func(t *testing.T, c table) string { return c.putError(t, `{"pk":{"N":"1"}}`) },
		"an empty text":                    func(t *testing.T, c table) string { return c.putError(t, `{"pk":{"S":"empty"},"s":{"S":""}}`) },
		"a batch of writes, then of reads": batch,
		"no such table":                    noTable,
		"a name that no expression uses":   unusedName,
	}
}

// pages reads the catalog's items three at a time.
func (c table) pages(t *testing.T, forwards bool) string {
	t.Helper()
	in := &sdk.QueryInput{
		TableName: aws.String("catalog"), KeyConditionExpression: aws.String("root = :p"), ScanIndexForward: &forwards,
		ExpressionAttributeValues: map[string]types.AttributeValue{":p": c.values[":p"]}, Limit: aws.Int32(3),
	}
	var all []string
	for len(all) < 6 {
		out, err := c.Query(t.Context(), in)
		if err != nil {
			return code(err)
		}
		all = append(all, fmt.Sprintf("%s, more: %t", sortKeys(out.Items), out.LastEvaluatedKey != nil))
		if out.LastEvaluatedKey == nil {
			break
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
	return strings.Join(all, "; ")
}

// claim is ingest's conditional write: it wins, then loses, then wins again when the
// lease is over.
func claim(t *testing.T, c table) string {
	t.Helper()
	var all []string
	for _, now := range []string{"1", "2", "9"} {
		_, err := c.PutItem(t.Context(), &sdk.PutItemInput{
			TableName:           aws.String("items"),
			Item:                sdkItem(t, `{"pk":{"S":"claim"},"state":{"S":"pending"},"lease":{"N":"5"},"expiry":{"N":"100"}}`),
			ConditionExpression: aws.String("attribute_not_exists(pk) OR expiry < :now OR (#state = :pending AND lease < :now)"),
			ExpressionAttributeNames: map[string]string{
				"#state": "state",
			},
			ExpressionAttributeValues: sdkItem(t, `{":now":{"N":"`+now+`"},":pending":{"S":"pending"}}`),
		})
		all = append(all, truth(err))
	}
	return strings.Join(all, " ")
}

func failedCondition(t *testing.T, c table) string {
	t.Helper()
	_, err := c.UpdateItem(t.Context(), &sdk.UpdateItemInput{
		TableName: aws.String("items"), Key: sdkItem(t, `{"pk":{"S":"sample"}}`), UpdateExpression: aws.String("REMOVE untouched"),
		ConditionExpression:                 aws.String("attribute_exists(absent)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var failed *types.ConditionalCheckFailedException
	if !asError(err, &failed) {
		return fmt.Sprint(err)
	}
	return canonical(t, failed.Item)
}

func returnValues(t *testing.T, c table) string {
	t.Helper()
	var all []string
	for _, wanted := range []types.ReturnValue{"NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"} {
		c.put(t, "items", sampleItem, map[string]string{"pk": "returned"})
		out, err := c.UpdateItem(t.Context(), &sdk.UpdateItemInput{
			TableName: aws.String("items"), Key: sdkItem(t, `{"pk":{"S":"returned"}}`), ReturnValues: wanted,
			UpdateExpression:          aws.String("SET five = five + :one, m.k = :z REMOVE s"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":one": c.values[":one"], ":z": c.values[":z"]},
		})
		if err != nil {
			return code(err)
		}
		all = append(all, string(wanted)+" "+canonical(t, out.Attributes))
	}
	return strings.Join(all, "\n")
}

// large puts an item of size bytes. The names and values of its attributes count.
func (c table) large(t *testing.T, size int) string {
	t.Helper()
	text := strings.Repeat("x", size-len("pk")-len("large")-len("text"))
	return c.putError(t, `{"pk":{"S":"large"},"text":{"S":"`+text+`"}}`)
}

func (c table) putError(t *testing.T, item string) string {
	t.Helper()
	_, err := c.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String("items"), Item: sdkItem(t, item)})
	return code(err)
}

func batch(t *testing.T, c table) string {
	t.Helper()
	var writes []types.WriteRequest
	var keys []map[string]types.AttributeValue
	for _, key := range []string{"b1", "b2", "b3"} {
		item := sdkItem(t, `{"pk":{"S":"`+key+`"}}`)
		keys = append(keys, item)
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: item}})
	}
	_, err := c.BatchWriteItem(t.Context(), &sdk.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"items": writes}})
	if err != nil {
		return code(err)
	}
	out, err := c.BatchGetItem(t.Context(), &sdk.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		"items": {Keys: append(keys, sdkItem(t, `{"pk":{"S":"b4"}}`))},
	}})
	if err != nil {
		return code(err)
	}
	var got []string
	for _, item := range out.Responses["items"] {
		got = append(got, canonical(t, item))
	}
	slices.Sort(got)
	return strings.Join(got, " ")
}

func noTable(t *testing.T, c table) string {
	t.Helper()
	_, err := c.GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String("none"), Key: sdkItem(t, `{"pk":{"S":"x"}}`)})
	return code(err)
}

func unusedName(t *testing.T, c table) string {
	t.Helper()
	_, err := c.GetItem(t.Context(), &sdk.GetItemInput{
		TableName: aws.String("items"), Key: sdkItem(t, `{"pk":{"S":"sample"}}`), ProjectionExpression: aws.String("s"),
		ExpressionAttributeNames: map[string]string{"#unused": "n"},
	})
	return code(err)
}
