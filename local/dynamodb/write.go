package dynamodb

import (
	"context"
	"encoding/json"

	"go.etcd.io/bbolt"

	"hl7lake/local/dynamodb/attribute"
	"hl7lake/local/dynamodb/expression"
	"hl7lake/local/wire"
)

// conditional is what the requests that write one item have in common.
type conditional struct {
	TableName                           string
	ConditionExpression                 *string
	ExpressionAttributeNames            map[string]string
	ExpressionAttributeValues           map[string]attribute.Value
	ReturnValues                        string
	ReturnValuesOnConditionCheckFailure string

	// Parameters that are older than expressions, and are refused.
	Expected, AttributeUpdates, ConditionalOperator json.RawMessage
}

func (c *conditional) checkLegacy() error {
	for name, member := range map[string]json.RawMessage{
		"Expected": c.Expected, "AttributeUpdates": c.AttributeUpdates, "ConditionalOperator": c.ConditionalOperator,
	} {
		if member != nil {
			return wire.Unsupported("the legacy parameter " + name)
		}
	}
	return nil
}

// write is one item's write, checked as far as possible without the item.
type write struct {
	table     *table
	key       []byte
	condition expression.Condition
	showOld   bool // in the error if the condition fails
	after     func(before attribute.Item) (attribute.Item, error)
}

// plan reads the item, checks the condition and returns the change to make. The change
// has no table if there is none. If the condition fails, it is from the item to itself.
func (w write) plan(tx *bbolt.Tx) (change, error) {
	before, err := w.table.in(tx).get(w.key)
	if err != nil {
		return change{}, err
	}
	if !w.condition.Holds(before) {
		return change{table: w.table, key: w.key, before: before, after: before}, errCondition(before, w.showOld)
	}
	after, err := w.after(before)
	if err != nil {
		return change{}, err
	}
	return newChange(w.table, w.key, before, after)
}

func errCondition(item attribute.Item, show bool) error {
	refusal := wire.Errorf("ConditionalCheckFailedException", "The conditional request failed")
	if show && item != nil {
		refusal.Members = map[string]any{"Item": item}
	}
	return refusal
}

// run performs the write.
func (s *Service) run(ctx context.Context, w write) (done change, err error) {
	err = s.store.Update(func(tx *bbolt.Tx) error {
		if done, err = w.plan(tx); err != nil {
			return err
		}
		if err := done.apply(tx); err != nil {
			return err
		}
		return w.table.in(tx).sweep(tx, s.now())
	})
	s.wasWritten(ctx, done)
	return done, err
}

type putItemInput struct {
	conditional
	Item attribute.Item
}

type attributesOutput struct {
	Attributes attribute.Item `json:",omitempty"`
}

func (s *Service) putItem(ctx context.Context, in *putItemInput) (*attributesOutput, error) {
	t, err := s.open(ctx, "PutItem", in.TableName, "")
	if err != nil {
		return nil, err
	}
	w, err := t.put(in)
	if err != nil {
		return nil, err
	}
	return s.runReturning(ctx, w, in.ReturnValues, nil)
}

// put checks a PutItem.
func (t *table) put(in *putItemInput) (write, error) {
	w, err := t.newWrite(&in.conditional, nil)
	if err != nil {
		return w, err
	}
	if w.key, err = t.checkItem(in.Item); err != nil {
		return w, err
	}
	if in.Item.Size() > maxItemSize {
		return w, invalid("Item size has exceeded the maximum allowed size")
	}
	w.after = func(attribute.Item) (attribute.Item, error) { return in.Item, nil }
	return w, nil
}

// newWrite reads the expressions of a write: the condition, and what else read reads.
func (t *table) newWrite(in *conditional, read func(*expression.Scope) error) (write, error) {
	w := write{table: t, showOld: in.ReturnValuesOnConditionCheckFailure == "ALL_OLD"}
	if err := in.checkLegacy(); err != nil {
		return w, err
	}
	scope, err := expression.NewScope(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	if err != nil {
		return w, err
	}
	if read != nil {
		if err := read(scope); err != nil {
			return w, err
		}
	}
	if w.condition, err = scope.Condition("ConditionExpression", in.ConditionExpression); err != nil {
		return w, err
	}
	return w, scope.Done()
}

type deleteItemInput struct {
	conditional
	Key attribute.Item
}

func (s *Service) deleteItem(ctx context.Context, in *deleteItemInput) (*attributesOutput, error) {
	t, err := s.open(ctx, "DeleteItem", in.TableName, "")
	if err != nil {
		return nil, err
	}
	w, err := t.delete(in)
	if err != nil {
		return nil, err
	}
	return s.runReturning(ctx, w, in.ReturnValues, nil)
}

// delete checks a DeleteItem.
func (t *table) delete(in *deleteItemInput) (write, error) {
	w, err := t.newWrite(&in.conditional, nil)
	if err != nil {
		return w, err
	}
	w.key, err = t.primaryKey(in.Key)
	w.after = func(attribute.Item) (attribute.Item, error) { return nil, nil }
	return w, err
}

type updateItemInput struct {
	conditional
	Key              attribute.Item
	UpdateExpression *string
}

func (s *Service) updateItem(ctx context.Context, in *updateItemInput) (*attributesOutput, error) {
	t, err := s.open(ctx, "UpdateItem", in.TableName, "")
	if err != nil {
		return nil, err
	}
	w, update, err := t.update(in)
	if err != nil {
		return nil, err
	}
	return s.runReturning(ctx, w, in.ReturnValues, update)
}

// update checks an UpdateItem.
func (t *table) update(in *updateItemInput) (w write, update *expression.Update, err error) {
	w, err = t.newWrite(&in.conditional, func(scope *expression.Scope) error {
		update, err = scope.Update(in.UpdateExpression)
		return err
	})
	if err != nil {
		return w, nil, err
	}
	if w.key, err = t.primaryKey(in.Key); err != nil {
		return w, nil, err
	}
	for _, path := range update.Targets() {
		if t.key.has(path.Root()) {
			return w, nil, invalid("One or more parameter values were invalid: Cannot update attribute %s."+
				" This attribute is part of the key", path.Root())
		}
	}
	w.after = func(before attribute.Item) (attribute.Item, error) {
		if before == nil {
			before = in.Key
		}
		return t.updated(update, before)
	}
	return w, update, nil
}

// updated applies an update and checks the result.
func (t *table) updated(update *expression.Update, before attribute.Item) (attribute.Item, error) {
	after, err := update.Apply(before)
	if err != nil {
		return nil, err
	}
	for _, i := range t.indexes {
		if err := i.check(after); err != nil {
			return nil, err
		}
	}
	if after.Size() > maxItemSize {
		return nil, invalid("Item size to update has exceeded the maximum allowed size")
	}
	return after, nil
}

// runReturning performs a write and returns what ReturnValues asks for. update is nil for
// PutItem and DeleteItem, which support only NONE and ALL_OLD.
func (s *Service) runReturning(ctx context.Context, w write, returnValues string, update *expression.Update) (*attributesOutput, error) {
	switch returnValues {
	case "", "NONE", "ALL_OLD":
	case "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW":
		if update == nil {
			return nil, invalid("Return values set to invalid value")
		}
	default:
		return nil, invalid("1 validation error detected: Value at 'returnValues' failed to satisfy constraint:" +
			" Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]")
	}
	done, err := s.run(ctx, w)
	if err != nil {
		return nil, err
	}
	out := &attributesOutput{}
	switch returnValues {
	case "ALL_OLD":
		out.Attributes = done.before
	case "ALL_NEW":
		out.Attributes = done.after
	case "UPDATED_OLD":
		out.Attributes = update.Changed(done.before)
	case "UPDATED_NEW":
		out.Attributes = update.Changed(done.after)
	}
	return out, nil
}
