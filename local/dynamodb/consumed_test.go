package dynamodb_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"hl7lake/local/dynamodb"
)

func TestCallsConsumeTheRequestUnitsOfTheirItems(t *testing.T) {
	var read, write float64
	l := start(t, allow, dynamodb.WithConsumed(func(_ context.Context, _ string, r, w float64) { read, write = read+r, write+w }))
	entry := func(owner string, size int) map[string]types.AttributeValue {
		item := map[string]types.AttributeValue{"root": text("r"), "sk": text("s"), "data": text(strings.Repeat("x", size))}
		if owner != "" {
			item["owner"], item["received"] = text(owner), text("2026")
		}
		return item
	}
	put := func(owner string, size int) func() error {
		return func() error {
			_, err := l.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String("catalog"), Item: entry(owner, size)})
			return err
		}
	}
	get := func(consistent bool) func() error {
		return func() error {
			_, err := l.GetItem(t.Context(), &sdk.GetItemInput{
				TableName: aws.String("catalog"), ConsistentRead: &consistent,
				Key: map[string]types.AttributeValue{"root": text("r"), "sk": text("s")},
			})
			return err
		}
	}
	for _, step := range []struct {
		name        string
		call        func() error
		read, write float64
		refused     bool
	}{
		{name: "reading what is not there", call: get(true), read: 1},
		{name: "a small item that no index holds", call: put("", 100), write: 1},
		{name: "the same in the index", call: put("a", 100), write: 2},
		{name: "once more, so that the index stays", call: put("a", 100), write: 1},
		{name: "a larger one", call: put("a", 1500), write: 4},
		{name: "a smaller one, by what was there", call: put("a", 100), write: 4},
		{name: "another owner, two entries of the index", call: put("b", 100), write: 3},
		{name: "9 KB", call: put("b", 9000), write: 18},
		{name: "a consistent read", call: get(true), read: 3},
		{name: "another read", call: get(false), read: 1.5},
		{name: "a refused write, by what is there", refused: true, write: 9, call: func() error {
			_, err := l.PutItem(t.Context(), &sdk.PutItemInput{
				TableName: aws.String("catalog"), Item: entry("b", 10), ConditionExpression: aws.String("attribute_not_exists(root)"),
			})
			return err
		}},
		{name: "a query of the index", read: 1.5, call: func() error {
			_, err := l.Query(t.Context(), &sdk.QueryInput{
				TableName: aws.String("catalog"), IndexName: aws.String("by-owner"),
				KeyConditionExpression:    aws.String("#owner = :owner"),
				ExpressionAttributeNames:  map[string]string{"#owner": "owner"},
				ExpressionAttributeValues: map[string]types.AttributeValue{":owner": text("b")},
			})
			return err
		}},
		{name: "a deletion, of the index too", write: 18, call: func() error {
			_, err := l.DeleteItem(t.Context(), &sdk.DeleteItemInput{
				TableName: aws.String("catalog"), Key: map[string]types.AttributeValue{"root": text("r"), "sk": text("s")},
			})
			return err
		}},
	} {
		read, write = 0, 0
		if err := step.call(); (err != nil) != step.refused {
			t.Fatalf("%s: %v", step.name, err)
		}
		if read != step.read || write != step.write {
			t.Errorf("%s: %v read and %v write units, want %v and %v", step.name, read, write, step.read, step.write)
		}
	}
}
