package dynamodb

import (
	"context"

	"go.etcd.io/bbolt"

	"hl7lake/local/dynamodb/attribute"
)

// maxBatchWrite is the most requests in one BatchWriteItem (Amazon DynamoDB API
// Reference).
const maxBatchWrite = 25

type batchWriteItemInput struct {
	RequestItems map[string][]struct {
		PutRequest    *struct{ Item attribute.Item }
		DeleteRequest *struct{ Key attribute.Item }
	}
}

type batchWriteItemOutput struct {
	UnprocessedItems struct{} // never any
}

func (s *Service) batchWriteItem(ctx context.Context, in *batchWriteItemInput) (*batchWriteItemOutput, error) {
	var writes []write
	for name, requests := range in.RequestItems {
		t, err := s.open(ctx, "BatchWriteItem", name, "")
		if err != nil {
			return nil, err
		}
		for _, request := range requests {
			var w write
			switch put, del := request.PutRequest, request.DeleteRequest; {
			case put != nil && del == nil:
				w, err = t.put(&putItemInput{Item: put.Item})
			case del != nil && put == nil:
				w, err = t.delete(&deleteItemInput{Key: del.Key})
			default:
				err = invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
			}
			if err != nil {
				return nil, err
			}
			writes = append(writes, w)
		}
	}
	switch {
	case len(writes) > maxBatchWrite:
		return nil, invalid("Too many items requested for the BatchWriteItem call")
	case len(writes) == 0:
		return nil, invalid("1 validation error detected: Value at 'requestItems' failed to satisfy constraint:" +
			" Member must have length greater than or equal to 1")
	case repeats(writes):
		return nil, invalid("Provided list of item keys contains duplicates")
	}
	return &batchWriteItemOutput{}, s.runAll(ctx, writes)
}

// repeats reports whether two of the writes are to the same item.
func repeats(writes []write) bool {
	seen := map[string]bool{}
	for _, w := range writes {
		id := w.table.TableName + "\x00" + string(w.key)
		if seen[id] {
			return true
		}
		seen[id] = true
	}
	return false
}

// runAll performs writes to different items, all or none.
func (s *Service) runAll(ctx context.Context, writes []write) error {
	changes := make([]change, len(writes))
	defer func() { s.wasWritten(ctx, changes...) }()
	return s.store.Update(func(tx *bbolt.Tx) (err error) {
		for i, w := range writes {
			if changes[i], err = w.plan(tx); err != nil {
				return err
			}
		}
		for _, c := range changes {
			if err := c.apply(tx); err != nil {
				return err
			}
		}
		for _, w := range writes {
			if err := w.table.in(tx).sweep(tx, s.now()); err != nil {
				return err
			}
		}
		return nil
	})
}
