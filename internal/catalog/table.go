package catalog

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"

	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
)

// Querier is the part of Amazon DynamoDB that reading the catalog needs; *dynamodb.Client
// has it.
type Querier interface {
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
}

// Table is the catalog table, for reading.
type Table struct {
	Name string
	DB   Querier
}

// History returns everything that the catalog holds about the message root. One page of a
// query, 1 MB, holds more objects than a message will ever have.
func (t Table) History(ctx context.Context, root uuid.UUID) ([]Entry, error) {
	out, err := t.DB.Query(ctx, &dynamodb.QueryInput{
		TableName:                 &t.Name,
		ConsistentRead:            new(true),
		KeyConditionExpression:    new("#root = :root"),
		ExpressionAttributeNames:  map[string]string{"#root": "root"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":root": text(root.String())},
	})
	if err != nil {
		return nil, fmt.Errorf("query the catalog: %w", err)
	}
	var entries []Entry
	return entries, attributevalue.UnmarshalListOfMaps(out.Items, &entries)
}

// Errors yields owner's entries of the zone Failed whose messages were accepted at or
// after from and before to, oldest first. It ends after the first error. The index
// follows the table within a second or so.
func (t Table) Errors(ctx context.Context, owner string, from, to time.Time) iter.Seq2[Entry, error] {
	in := t.errors(owner, from, to.Add(-time.Millisecond))
	return func(yield func(Entry, error) bool) {
		for pages := dynamodb.NewQueryPaginator(t.DB, in); pages.HasMorePages(); {
			out, err := pages.NextPage(ctx)
			var entries []Entry
			if err == nil {
				err = attributevalue.UnmarshalListOfMaps(out.Items, &entries)
			}
			if err != nil {
				yield(Entry{}, fmt.Errorf("query the catalog: %w", err))
				return
			}
			for _, entry := range entries {
				if !yield(entry, nil) {
					return
				}
			}
		}
	}
}

// NewestErrors returns owner's entries of the zone Failed whose messages were accepted at
// or after from and at or before to, newest first, at most limit. More reports whether
// there may be earlier ones. The index follows the table within a second or so.
func (t Table) NewestErrors(ctx context.Context, owner string, from, to time.Time, limit int32) (entries []Entry, more bool, err error) {
	in := t.errors(owner, from, to)
	in.ScanIndexForward, in.Limit = new(false), &limit
	out, err := t.DB.Query(ctx, in)
	if err != nil {
		return nil, false, fmt.Errorf("query the catalog: %w", err)
	}
	err = attributevalue.UnmarshalListOfMaps(out.Items, &entries)
	return entries, len(out.LastEvaluatedKey) > 0, err
}

// errors asks for owner's entries of the zone Failed whose messages were accepted from
// from to to, which is included.
func (t Table) errors(owner string, from, to time.Time) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName:                &t.Name,
		IndexName:                new(contract.IndexByOwner),
		KeyConditionExpression:   new("#owner = :owner AND received BETWEEN :from AND :to"),
		ExpressionAttributeNames: map[string]string{"#owner": "owner"},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":owner": text(owner),
			":from":  text(from.UTC().Format(hub.TimeLayout)),
			":to":    text(to.UTC().Format(hub.TimeLayout)),
		},
	}
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
