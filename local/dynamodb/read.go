package dynamodb

import (
	"context"
	"encoding/json"

	"go.etcd.io/bbolt"

	"hl7lake/local/dynamodb/attribute"
	"hl7lake/local/dynamodb/expression"
	"hl7lake/local/wire"
)

// The limits of reading several items (BatchGetItem in the
// Amazon DynamoDB API Reference).
const (
	maxBatchGet     = 100
	maxBatchGetSize = 16 << 20
)

type getItemInput struct {
	TableName                string
	Key                      attribute.Item
	ProjectionExpression     *string
	ExpressionAttributeNames map[string]string
	ConsistentRead           *bool
	AttributesToGet          json.RawMessage // came before expressions; refused
}

type itemOutput struct {
	Item attribute.Item `json:",omitempty"`
}

func (s *Service) getItem(ctx context.Context, in *getItemInput) (*itemOutput, error) {
	t, err := s.open(ctx, "GetItem", in.TableName, "")
	if err != nil {
		return nil, err
	}
	r, err := t.newRead(in)
	if err != nil {
		return nil, err
	}
	out := &itemOutput{}
	err = s.store.View(func(tx *bbolt.Tx) error {
		out.Item, err = s.get(ctx, tx, r)
		return err
	})
	return out, err
}

// read is a checked read of one item.
type read struct {
	table      *table
	key        []byte
	projection expression.Projection
	factor     float64 // of its request units
}

func (t *table) newRead(in *getItemInput) (read, error) {
	r := read{table: t, factor: consistency(in.ConsistentRead)}
	if in.AttributesToGet != nil {
		return r, wire.Unsupported("the legacy parameter AttributesToGet")
	}
	scope, err := expression.NewScope(in.ExpressionAttributeNames, nil)
	if err != nil {
		return r, err
	}
	if r.projection, err = scope.Projection(in.ProjectionExpression); err != nil {
		return r, err
	}
	if err := scope.Done(); err != nil {
		return r, err
	}
	r.key, err = t.primaryKey(in.Key)
	return r, err
}

// get returns the item, or nil if there is none.
func (s *Service) get(ctx context.Context, tx *bbolt.Tx, r read) (attribute.Item, error) {
	item, err := r.table.in(tx).get(r.key)
	s.wasRead(ctx, r.table, r.factor, item.Size())
	return r.projection.Of(item), err
}

// keysAndAttributes is one table's part of a BatchGetItem.
type keysAndAttributes struct {
	Keys                     []attribute.Item
	ProjectionExpression     *string           `json:",omitempty"`
	ExpressionAttributeNames map[string]string `json:",omitempty"`
	ConsistentRead           *bool             `json:",omitempty"`
	AttributesToGet          json.RawMessage   `json:",omitempty"`
}

type batchGetItemInput struct {
	RequestItems map[string]keysAndAttributes
}

type batchGetItemOutput struct {
	Responses       map[string][]attribute.Item
	UnprocessedKeys map[string]keysAndAttributes
}

func (s *Service) batchGetItem(ctx context.Context, in *batchGetItemInput) (*batchGetItemOutput, error) {
	reads, err := s.batchReads(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &batchGetItemOutput{map[string][]attribute.Item{}, map[string]keysAndAttributes{}}
	size := 0
	err = s.store.View(func(tx *bbolt.Tx) error {
		for name, request := range in.RequestItems {
			out.Responses[name] = []attribute.Item{}
			for i, r := range reads[name] {
				item, err := r.table.in(tx).get(r.key)
				if err != nil {
					return err
				}
				s.wasRead(ctx, r.table, r.factor, item.Size())
				if size += item.Size(); size > maxBatchGetSize {
					request.Keys = request.Keys[i:]
					out.UnprocessedKeys[name] = request
					break
				}
				if item != nil {
					out.Responses[name] = append(out.Responses[name], r.projection.Of(item))
				}
			}
		}
		return nil
	})
	return out, err
}

// batchReads checks the reads of a BatchGetItem, by table.
func (s *Service) batchReads(ctx context.Context, in *batchGetItemInput) (map[string][]read, error) {
	reads, count := map[string][]read{}, 0
	for name, request := range in.RequestItems {
		t, err := s.open(ctx, "BatchGetItem", name, "")
		if err != nil {
			return nil, err
		}
		seen := map[string]bool{}
		for _, key := range request.Keys {
			r, err := t.newRead(&getItemInput{
				Key: key, ProjectionExpression: request.ProjectionExpression,
				ExpressionAttributeNames: request.ExpressionAttributeNames, ConsistentRead: request.ConsistentRead,
				AttributesToGet: request.AttributesToGet,
			})
			if err != nil {
				return nil, err
			}
			if seen[string(r.key)] {
				return nil, invalid("Provided list of item keys contains duplicates")
			}
			seen[string(r.key)] = true
			reads[name] = append(reads[name], r)
		}
		count += len(request.Keys)
	}
	switch {
	case count > maxBatchGet:
		return nil, invalid("Too many items requested for the BatchGetItem call")
	case count == 0:
		return nil, invalid("1 validation error detected: Value at 'requestItems' failed to satisfy constraint:" +
			" Member must have length greater than or equal to 1")
	}
	return reads, nil
}
