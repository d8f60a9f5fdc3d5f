package dynamodb

import (
	"context"
	"strings"

	"hl7lake/local/dynamodb/attribute"
	"hl7lake/local/wire"
)

// maxTransaction is the most actions in one transaction (Amazon DynamoDB
// Developer Guide, "Amazon DynamoDB Transactions: How it works").
const maxTransaction = 100

type transactWriteItemsInput struct {
	TransactItems []transactWriteItem
}

type transactWriteItem struct {
	Put            *putItemInput
	Delete         *deleteItemInput
	Update         *updateItemInput
	ConditionCheck *deleteItemInput // has the same members
}

func (s *Service) transactWriteItems(ctx context.Context, in *transactWriteItemsInput) (any, error) {
	if len(in.TransactItems) == 0 || len(in.TransactItems) > maxTransaction {
		return nil, errTransactionSize()
	}
	writes := make([]write, len(in.TransactItems))
	for i, item := range in.TransactItems {
		var err error
		if writes[i], err = s.transactWrite(ctx, item); err != nil {
			return nil, err
		}
	}
	if repeats(writes) {
		return nil, invalid("Transaction request cannot include multiple operations on one item")
	}
	return nil, s.runAll(ctx, transactional, writes, errCanceled)
}

// transactWrite checks one action of a transaction.
func (s *Service) transactWrite(ctx context.Context, item transactWriteItem) (w write, err error) {
	var t *table
	switch {
	case item.Put != nil:
		if t, err = s.open(ctx, "PutItem", item.Put.TableName, ""); err == nil {
			w, err = t.put(item.Put)
		}
	case item.Delete != nil:
		if t, err = s.open(ctx, "DeleteItem", item.Delete.TableName, ""); err == nil {
			w, err = t.delete(item.Delete)
		}
	case item.Update != nil:
		if t, err = s.open(ctx, "UpdateItem", item.Update.TableName, ""); err == nil {
			w, _, err = t.update(item.Update)
		}
	case item.ConditionCheck != nil:
		if t, err = s.open(ctx, "ConditionCheckItem", item.ConditionCheck.TableName, ""); err == nil {
			w, err = t.delete(item.ConditionCheck)
			w.checkOnly = true
		}
	default:
		err = invalid("TransactItems can only contain one of Check, Put, Update or Delete")
	}
	return w, err
}

type cancellationReason struct {
	Code    string
	Message string         `json:",omitempty"`
	Item    attribute.Item `json:",omitempty"`
}

// errCanceled is the refusal of a transaction, with a reason for each action.
func errCanceled(errs []error) error {
	reasons, codes := make([]cancellationReason, len(errs)), make([]string, len(errs))
	for i, err := range errs {
		reasons[i] = cancellationReason{Code: "None"}
		if err != nil {
			answer := wire.AsError(err)
			if answer.Status >= 500 {
				return err
			}
			item, _ := answer.Members["Item"].(attribute.Item)
			reasons[i] = cancellationReason{reasonCode(answer.Code), answer.Message, item}
		}
		codes[i] = reasons[i].Code
	}
	refusal := wire.Errorf("TransactionCanceledException",
		"Transaction cancelled, please refer cancellation reasons for specific reasons [%s]", strings.Join(codes, ", "))
	refusal.Members = map[string]any{"CancellationReasons": reasons}
	return refusal
}

func reasonCode(code string) string {
	switch code {
	case "ConditionalCheckFailedException":
		return "ConditionalCheckFailed"
	case "ValidationException":
		return "ValidationError"
	default:
		return code
	}
}

func errTransactionSize() error {
	return invalid("1 validation error detected: Value at 'transactItems' failed to satisfy constraint:"+
		" Member must have length between 1 and %d", maxTransaction)
}
