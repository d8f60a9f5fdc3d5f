package finder

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"

	"hl7lake/internal/catalog"
)

// Index is the table of hashes, for searching.
type Index struct {
	Name string
	DB   catalog.Querier
}

// Found is a message that has an identifier.
type Found struct {
	Root        uuid.UUID
	Authorities []string // the hashes of the identifier's authorities in this message; may be nil
}

// Newest returns the messages with a hash whose ids are below the given one, newest first,
// at most limit. more reports whether there may be earlier ones.
func (i Index) Newest(ctx context.Context, hash string, below uuid.UUID, limit int32) (found []Found, more bool, err error) {
	out, err := i.DB.Query(ctx, &dynamodb.QueryInput{
		TableName:                 &i.Name,
		KeyConditionExpression:    new("pk = :hash AND sk < :below"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":hash": text(hash), ":below": text(below.String())},
		ScanIndexForward:          new(false),
		Limit:                     &limit,
	})
	if err != nil {
		return nil, false, fmt.Errorf("search the table of hashes: %w", err)
	}
	for _, item := range out.Items {
		var entry struct {
			Root        string   `dynamodbav:"sk"`
			Authorities []string `dynamodbav:"authorities"`
		}
		if err := attributevalue.UnmarshalMap(item, &entry); err != nil {
			return nil, false, err
		}
		root, err := uuid.Parse(entry.Root)
		if err != nil {
			return nil, false, fmt.Errorf("read an entry of the table of hashes: %w", err)
		}
		found = append(found, Found{root, entry.Authorities})
	}
	return found, len(out.LastEvaluatedKey) > 0, nil
}
