package dynamodb_test

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"hl7lake/local/store"
)

// entry returns a catalog item of the size of the lake's.
func entry(n int) item {
	id := fmt.Sprintf("0193%08d-7000-8000-000000000000", n)
	return item{
		"root": text(id), "sk": text("ingestion#" + id), "owner": text("owner-" + strconv.Itoa(n%10)), "received": text(fmt.Sprintf("2026-11-22T%010d", n)),
		"zone": text("ingestion"), "id": text(id), "bucket": text("lake"), "key": text("ingestion/protocol=hl7v2/source=owner/date=2026-11-22/" + id + ".er7"),
		"version_id": text("null"), "sha256": text("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), "size": number("2048"),
		"type": text("ADT^A01"), "parser": text("1"), "charset": text("utf-8"), "attempts": number("1"),
	}
}

// BenchmarkCatalog shows the cost of requests over HTTP from 16 clients at once, in
// tables of two sizes. The figures should be alike.
func BenchmarkCatalog(b *testing.B) {
	for _, held := range []int{1_000, 100_000} {
		l := serve(b, open(b, b.TempDir(), store.Durable), allow)
		l.fill(b, held)
		var n atomic.Int64
		next := func() int { return int(n.Add(1)) }
		run := func(name string, call func(n int) error) {
			b.Run(fmt.Sprintf("%s/held=%d", name, held), func(b *testing.B) {
				b.SetParallelism(8)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := call(next()); err != nil {
							b.Error(err)
						}
					}
				})
			})
		}
		key := func(n int) item {
			e := entry(n * 7919 % held)
			return item{"root": e["root"], "sk": e["sk"]}
		}
		run("put", func(n int) error {
			_, err := l.PutItem(b.Context(), &sdk.PutItemInput{TableName: aws.String("catalog"), Item: entry(held + n), ConditionExpression: aws.String("attribute_not_exists(root)")})
			return err
		})
		run("get", func(n int) error {
			_, err := l.GetItem(b.Context(), &sdk.GetItemInput{TableName: aws.String("catalog"), Key: key(n)})
			return err
		})
		run("update", func(n int) error {
			_, err := l.UpdateItem(b.Context(), &sdk.UpdateItemInput{TableName: aws.String("catalog"), Key: key(n),
				UpdateExpression: aws.String("ADD attempts :one"), ExpressionAttributeValues: item{":one": number("1")}})
			return err
		})
		run("query", func(n int) error {
			_, err := l.Query(b.Context(), &sdk.QueryInput{TableName: aws.String("catalog"), IndexName: aws.String("by-owner"), Limit: aws.Int32(10),
				ScanIndexForward: aws.Bool(false), KeyConditionExpression: aws.String("#o = :o"), ExpressionAttributeNames: map[string]string{"#o": "owner"},
				ExpressionAttributeValues: item{":o": text("owner-" + strconv.Itoa(n%10))}})
			return err
		})
	}
}

// fill puts count items into the catalog.
func (l lake) fill(b *testing.B, count int) {
	b.Helper()
	const together = 25
	for first := 0; first < count; first += together {
		var requests []types.WriteRequest
		for n := first; n < min(first+together, count); n++ {
			requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: entry(n)}})
		}
		_, err := l.BatchWriteItem(b.Context(), &sdk.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"catalog": requests}})
		if err != nil {
			b.Fatal(err)
		}
	}
}
