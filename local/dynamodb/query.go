package dynamodb

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"math"

	"go.etcd.io/bbolt"

	"hl7lake/local/dynamodb/attribute"
	"hl7lake/local/dynamodb/expression"
	"hl7lake/local/wire"
)

// maxPage is how many bytes of items one Query or Scan looks at (Amazon
// DynamoDB Developer Guide, "Paginating table query results").
const maxPage = 1 << 20

type queryInput struct {
	TableName                 string
	IndexName                 string
	KeyConditionExpression    *string
	FilterExpression          *string
	ProjectionExpression      *string
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues map[string]attribute.Value
	ExclusiveStartKey         attribute.Item
	Limit                     *int
	ScanIndexForward          *bool
	ConsistentRead            bool
	Select                    string
	Segment, TotalSegments    *int

	// Parameters that are older than expressions, and are refused.
	KeyConditions, QueryFilter, ScanFilter, AttributesToGet, ConditionalOperator json.RawMessage
}

type queryOutput struct {
	Items            []attribute.Item `json:",omitzero"` // none, except where nothing is found
	Count            int
	ScannedCount     int
	LastEvaluatedKey attribute.Item `json:",omitempty"`
}

// walk is a checked Query or Scan: the items of a table or an index whose keys are
// between low (included) and high (excluded, nil for no bound).
type walk struct {
	table      *table
	index      *index // nil for the table
	low, high  []byte
	backward   bool
	limit      int
	filter     expression.Condition
	projection expression.Projection
	count      bool // only counts
	size       int  // of the items that were looked at, in bytes
}

func (s *Service) query(ctx context.Context, in *queryInput) (*queryOutput, error) {
	t, err := s.open(ctx, "Query", in.TableName, in.IndexName)
	if err != nil {
		return nil, err
	}
	if in.KeyConditionExpression == nil {
		return nil, invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	return s.walk(ctx, t, in)
}

func (s *Service) scan(ctx context.Context, in *queryInput) (*queryOutput, error) {
	t, err := s.open(ctx, "Scan", in.TableName, in.IndexName)
	if err != nil {
		return nil, err
	}
	if in.Segment != nil || in.TotalSegments != nil {
		return nil, wire.Unsupported("a parallel Scan")
	}
	in.KeyConditionExpression, in.ScanIndexForward = nil, nil
	return s.walk(ctx, t, in)
}

func (s *Service) walk(ctx context.Context, t *table, in *queryInput) (*queryOutput, error) {
	w, err := t.newWalk(in)
	if err != nil {
		return nil, err
	}
	out := &queryOutput{}
	err = s.store.View(func(tx *bbolt.Tx) error { return w.run(t.in(tx), out) })
	s.wasRead(ctx, t, consistency(&in.ConsistentRead), w.size)
	if w.count {
		out.Items = nil
	} else if out.Items == nil {
		out.Items = []attribute.Item{}
	}
	return out, err
}

func (t *table) newWalk(in *queryInput) (walk, error) {
	w := walk{table: t, limit: math.MaxInt, backward: in.ScanIndexForward != nil && !*in.ScanIndexForward}
	if err := in.checkLegacy(); err != nil {
		return w, err
	}
	if in.Limit != nil {
		if w.limit = *in.Limit; w.limit < 1 {
			return w, invalid("1 validation error detected: Value at 'limit' failed to satisfy constraint:" +
				" Member must have value greater than or equal to 1")
		}
	}
	if in.IndexName != "" {
		var err error
		if w.index, err = t.index(in.IndexName); err != nil {
			return w, err
		}
		if in.ConsistentRead {
			return w, invalid("Consistent reads are not supported on global secondary indexes")
		}
	}
	if err := w.readExpressions(in); err != nil {
		return w, err
	}
	if err := w.startAt(in.ExclusiveStartKey); err != nil {
		return w, err
	}
	return w, w.selects(in)
}

func (in *queryInput) checkLegacy() error {
	for name, member := range map[string]json.RawMessage{
		"KeyConditions": in.KeyConditions, "QueryFilter": in.QueryFilter, "ScanFilter": in.ScanFilter,
		"AttributesToGet": in.AttributesToGet, "ConditionalOperator": in.ConditionalOperator,
	} {
		if member != nil {
			return wire.Unsupported("the legacy parameter " + name)
		}
	}
	return nil
}

func (w *walk) readExpressions(in *queryInput) error {
	scope, err := expression.NewScope(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	if err != nil {
		return err
	}
	key := w.key()
	if in.KeyConditionExpression != nil {
		condition, err := scope.KeyCondition(*in.KeyConditionExpression, key.partition.name, key.sort.name)
		if err != nil {
			return err
		}
		if w.low, w.high, err = key.bounds(condition); err != nil {
			return err
		}
	}
	if w.filter, err = scope.Condition("FilterExpression", in.FilterExpression); err != nil {
		return err
	}
	for _, name := range w.filter.Roots() {
		if in.KeyConditionExpression != nil && key.has(name) {
			return invalid("Filter Expression can only contain non-primary key attributes: Primary key attribute: %s", name)
		}
	}
	if w.projection, err = scope.Projection(in.ProjectionExpression); err != nil {
		return err
	}
	return scope.Done()
}

// key returns the key that the walk follows.
func (w *walk) key() keySchema {
	if w.index != nil {
		return w.index.key
	}
	return w.table.key
}

// bounds returns where the keys that meet a condition begin and end.
func (k keySchema) bounds(c expression.KeyCondition) (low, high []byte, err error) {
	values := attribute.Item{k.partition.name: c.Partition}
	if c.Partition.Kind != k.partition.kind {
		return nil, nil, errConditionType()
	}
	partition := attribute.AppendKey(nil, c.Partition)
	low, high = partition, attribute.After(partition)
	if c.Operator == "" {
		return low, high, checkKeySizes(k, values)
	}
	values[k.sort.name] = c.Sort
	if c.Sort.Kind != k.sort.kind || c.High.Kind != k.sort.kind || c.Operator == "begins_with" && k.sort.kind == attribute.Number {
		return nil, nil, errConditionType()
	}
	at := func(v attribute.Value) []byte { return attribute.AppendKey(bytes.Clone(partition), v) }
	switch c.Operator {
	case "=":
		low, high = at(c.Sort), attribute.After(at(c.Sort))
	case "<":
		high = at(c.Sort)
	case "<=":
		high = attribute.After(at(c.Sort))
	case ">":
		low = attribute.After(at(c.Sort))
	case ">=":
		low = at(c.Sort)
	case "BETWEEN":
		low, high = at(c.Sort), attribute.After(at(c.High))
	case "begins_with":
		low = attribute.AppendKeyPrefix(bytes.Clone(partition), c.Sort)
		high = attribute.After(low)
	}
	return low, high, checkKeySizes(k, values)
}

func errConditionType() error {
	return invalid("One or more parameter values were invalid: Condition parameter type does not match schema type")
}

// startAt makes the walk begin after the item that key names.
func (w *walk) startAt(key attribute.Item) error {
	if key == nil {
		return nil
	}
	errStart := invalid("The provided starting key is invalid: The provided key element does not match the schema")
	primary, rest := attribute.Item{}, len(key)
	for _, a := range w.startAttributes() {
		value, there := key[a.name]
		if !there || value.Kind != a.kind {
			return errStart
		}
		if w.table.key.has(a.name) {
			primary[a.name] = value
		}
		rest--
	}
	if rest != 0 {
		return errStart
	}
	at := w.table.key.of(primary)
	if w.index != nil {
		at = w.index.entry(key, at)
	}
	if bytes.Compare(at, w.low) < 0 || w.high != nil && bytes.Compare(at, w.high) >= 0 {
		return invalid("The provided starting key is outside query boundaries based on provided conditions")
	}
	if w.backward {
		w.high = at
	} else {
		w.low = append(at, 0x00)
	}
	return nil
}

// startAttributes returns the attributes that say where in the walk an item is: those of
// the table's key, and of the index's.
func (w *walk) startAttributes() []keyAttribute {
	attributes := w.table.key.attributes()
	if w.index != nil {
		for _, a := range w.index.key.attributes() {
			if !w.table.key.has(a.name) {
				attributes = append(attributes, a)
			}
		}
	}
	return attributes
}

// selects checks Select and stores it.
func (w *walk) selects(in *queryInput) error {
	switch in.Select {
	case "", "ALL_PROJECTED_ATTRIBUTES":
	case "COUNT":
		w.count = true
	case "ALL_ATTRIBUTES":
		if w.index != nil && !w.index.all {
			return invalid("One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for"+
				" global secondary index %s because its projection type is not ALL", w.index.name)
		}
	case "SPECIFIC_ATTRIBUTES":
		if in.ProjectionExpression == nil {
			return invalid("One or more parameter values were invalid: Must specify the AttributesToGet or ProjectionExpression" +
				" when choosing to get SPECIFIC_ATTRIBUTES")
		}
		return nil
	default:
		return invalid("1 validation error detected: Value at 'select' failed to satisfy constraint: Member must satisfy enum" +
			" value set: [SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]")
	}
	if in.Select != "" && in.ProjectionExpression != nil {
		return invalid("Cannot specify the ProjectionExpression when choosing to get %s", in.Select)
	}
	return nil
}

// run looks at items until the limit, the page's size or the end is reached.
func (w *walk) run(d data, out *queryOutput) error {
	for _, value := range w.entries(d) {
		item, err := w.item(d, value)
		if err != nil {
			return err
		}
		size := item.Size()
		if w.size+size > maxPage && out.ScannedCount > 0 {
			return nil
		}
		w.size += size
		out.ScannedCount++
		if w.filter.Holds(item) {
			out.Count++
			if !w.count {
				out.Items = append(out.Items, w.projection.Of(item))
			}
		}
		out.LastEvaluatedKey = w.position(item)
		if out.ScannedCount == w.limit {
			return nil
		}
	}
	out.LastEvaluatedKey = nil
	return nil
}

// entries goes over what the store has between low and high.
func (w *walk) entries(d data) iter.Seq2[[]byte, []byte] {
	bucket := d.items
	if w.index != nil {
		bucket = d.indexBucket(w.index)
	}
	cursor := bucket.Cursor()
	return func(yield func(key, value []byte) bool) {
		if !w.backward {
			for key, value := cursor.Seek(w.low); key != nil && (w.high == nil || bytes.Compare(key, w.high) < 0); key, value = cursor.Next() {
				if !yield(key, value) {
					return
				}
			}
			return
		}
		for key, value := seekBefore(cursor, w.high); key != nil && bytes.Compare(key, w.low) >= 0; key, value = cursor.Prev() {
			if !yield(key, value) {
				return
			}
		}
	}
}

// seekBefore moves to the last key before high, or to the last of all.
func seekBefore(cursor *bbolt.Cursor, high []byte) (key, value []byte) {
	if high == nil {
		return cursor.Last()
	}
	if key, _ = cursor.Seek(high); key == nil {
		return cursor.Last()
	}
	return cursor.Prev()
}

// item reads the item that an entry is, or stands for, as far as it is projected.
func (w *walk) item(d data, value []byte) (attribute.Item, error) {
	if w.index == nil {
		return decode(value)
	}
	item, err := d.get(value)
	if err != nil || w.index.all {
		return item, err
	}
	return w.index.project(item), nil
}

// position returns the key after which a walk goes on.
func (w *walk) position(item attribute.Item) attribute.Item {
	position := attribute.Item{}
	for _, a := range w.startAttributes() {
		position[a.name] = item[a.name]
	}
	return position
}
