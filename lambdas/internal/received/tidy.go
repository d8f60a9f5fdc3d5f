package received

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"hl7lake/internal/claim"
	"hl7lake/internal/hub"
)

// several replaces the hash of the bytes as they were sent if attempts at one message had
// different ones, and the lake may keep either.
const several = "several"

// identify gives mine the key of body, and records in Sent what the bytes are if they are
// not tidy.
func (t Table) identify(ctx context.Context, mine item, kind hub.Kind, body []byte) (item, error) {
	key, sent := claim.Keys(mine.Owner, kind, body)
	if mine.PK = key; sent == key {
		return mine, nil
	}
	mine.Sent = sent
	return t.former(ctx, mine)
}

// former gives mine the key under which an earlier version may have claimed the same
// bytes: their hash as they were sent. A claim keeps the key with which it was made. Tidy
// content has always had one key.
func (t Table) former(ctx context.Context, mine item) (item, error) {
	out, err := t.DB.GetItem(ctx, &dynamodb.GetItemInput{TableName: &t.Name, Key: key(mine.Sent), ConsistentRead: new(true)})
	if err != nil {
		return item{}, fmt.Errorf("look for a claim of an earlier version: %w", err)
	}
	var stored item
	if err := attributevalue.UnmarshalMap(out.Item, &stored); err != nil {
		return item{}, err
	}
	if stored.Expiry >= time.Now().Unix() { // there is one, and put would find it
		mine.PK, mine.Sent = mine.Sent, ""
	}
	return mine, nil
}
