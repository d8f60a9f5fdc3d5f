package dynamodb

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"hl7lake/local/dynamodb/attribute"
)

// In the store each table has a bucket in the bucket "dynamodb". It holds the table's
// definition as JSON and three kinds of buckets: the items by primary key; for each
// index, primary keys by index key and primary key; and primary keys by expiry. Keys are
// in the order-preserving form of attribute.AppendKey, items are DynamoDB's JSON.
var (
	rootBucket    = []byte("dynamodb")
	definitionKey = []byte("definition")
	itemsBucket   = []byte("items")
	indexesBucket = []byte("indexes")
	expiryBucket  = []byte("expiry")
)

// data is a table's buckets within a transaction.
type data struct {
	*table
	bucket, items *bbolt.Bucket
}

// in returns the table's data. CreateTable made the table's buckets.
func (t *table) in(tx *bbolt.Tx) data {
	bucket := tx.Bucket(rootBucket).Bucket([]byte(t.TableName))
	return data{t, bucket, bucket.Bucket(itemsBucket)}
}

func (d data) indexBucket(i *index) *bbolt.Bucket {
	return d.bucket.Bucket(indexesBucket).Bucket([]byte(i.name))
}

// get returns the item under a primary key, or nil.
func (d data) get(key []byte) (attribute.Item, error) { return decode(d.items.Get(key)) }

func decode(text []byte) (attribute.Item, error) {
	if text == nil {
		return nil, nil
	}
	var item attribute.Item
	if err := json.Unmarshal(text, &item); err != nil {
		return nil, fmt.Errorf("a stored item cannot be read: %w", err)
	}
	return item, nil
}

// change replaces the item under a primary key: before is the present item, or nil; after
// is the new item, or nil.
type change struct {
	table         *table
	key           []byte
	before, after attribute.Item
	text          []byte // after, as it is stored
}

// newChange prepares a change, so that applying it cannot fail for a reason in the item.
func newChange(t *table, key []byte, before, after attribute.Item) (change, error) {
	c := change{table: t, key: key, before: before, after: after}
	if after == nil {
		return c, nil
	}
	text, err := json.Marshal(after)
	c.text = text
	return c, err
}

// apply writes the change, also in the indexes.
func (c change) apply(tx *bbolt.Tx) error {
	if c.table == nil {
		return nil
	}
	d := c.table.in(tx)
	for _, i := range d.indexes {
		if err := move(d.indexBucket(i), i.entry(c.before, c.key), i.entry(c.after, c.key), c.key); err != nil {
			return err
		}
	}
	expiry := d.bucket.Bucket(expiryBucket)
	if err := move(expiry, d.expiryEntry(c.before, c.key), d.expiryEntry(c.after, c.key), c.key); err != nil {
		return err
	}
	if c.after == nil {
		return d.items.Delete(c.key)
	}
	return d.items.Put(c.key, c.text)
}

// move replaces an index entry; either may be nil.
func move(bucket *bbolt.Bucket, from, to, value []byte) error {
	if string(from) == string(to) {
		return nil
	}
	if from != nil {
		if err := bucket.Delete(from); err != nil {
			return err
		}
	}
	if to == nil {
		return nil
	}
	return bucket.Put(to, value)
}

// entry returns an item's key in an index, or nil if it is not in it: DynamoDB's indexes
// are sparse.
func (i *index) entry(item attribute.Item, primary []byte) []byte {
	var key []byte
	for _, a := range i.key.attributes() {
		value, there := item[a.name]
		if !there {
			return nil
		}
		key = attribute.AppendKey(key, value)
	}
	return append(key, primary...)
}

// expiryEntry returns an item's key among the expiries, or nil if it has none.
func (t *table) expiryEntry(item attribute.Item, primary []byte) []byte {
	name := t.expiryAttribute()
	value, there := item[name]
	if name == "" || !there || value.Kind != attribute.Number {
		return nil
	}
	seconds, err := strconv.ParseFloat(value.Text, 64)
	if err != nil || seconds < 0 || seconds > 1<<53 {
		return nil
	}
	return append(binary.BigEndian.AppendUint64(nil, uint64(seconds)), primary...)
}

// AWS says about expired items ("Using time to live (TTL) in DynamoDB") that they are
// deleted within a few days, and that those that expired more than five years ago stay.
const (
	expiryGrace = 48 * time.Hour
	expiryLimit = 5 * 365 * 24 * time.Hour
)

// sweep removes a few items that expired some time ago. Each write sweeps, so that more
// items are removed than added.
func (d data) sweep(tx *bbolt.Tx, now time.Time) error {
	if d.expiryAttribute() == "" {
		return nil
	}
	const few = 4
	from := binary.BigEndian.AppendUint64(nil, uint64(now.Add(-expiryLimit).Unix()))
	until := binary.BigEndian.AppendUint64(nil, uint64(now.Add(-expiryGrace).Unix()))
	var gone []change
	cursor := d.bucket.Bucket(expiryBucket).Cursor()
	for entry, key := cursor.Seek(from); entry != nil && len(gone) < few && string(entry) < string(until); entry, key = cursor.Next() {
		item, err := d.get(key)
		if err != nil {
			return err
		}
		gone = append(gone, change{table: d.table, key: append([]byte(nil), key...), before: item})
	}
	for _, c := range gone {
		if err := c.apply(tx); err != nil {
			return err
		}
	}
	return nil
}

// storedDefinition is the definition that a table was last made with, or nil.
func storedDefinition(tx *bbolt.Tx, name string) (*Table, error) {
	root := tx.Bucket(rootBucket)
	if root == nil || root.Bucket([]byte(name)) == nil {
		return nil, nil
	}
	var definition Table
	text := root.Bucket([]byte(name)).Get(definitionKey)
	if err := json.Unmarshal(text, &definition); err != nil {
		return nil, fmt.Errorf("its stored definition cannot be read: %w", err)
	}
	return &definition, nil
}

// build makes the table's buckets, or updates them to its definition: outdated indexes
// are made again from the items.
func (t *table) build(tx *bbolt.Tx, stale []*index) error {
	root, err := tx.CreateBucketIfNotExists(rootBucket)
	if err != nil {
		return err
	}
	bucket, err := root.CreateBucketIfNotExists([]byte(t.TableName))
	if err != nil {
		return err
	}
	for _, name := range [][]byte{itemsBucket, indexesBucket, expiryBucket} {
		if _, err := bucket.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	definition, err := json.Marshal(t.Table)
	if err != nil {
		return err
	}
	if err := bucket.Put(definitionKey, definition); err != nil {
		return err
	}
	return t.buildIndexes(tx, stale)
}

func (t *table) buildIndexes(tx *bbolt.Tx, stale []*index) error {
	d := t.in(tx)
	indexes := d.bucket.Bucket(indexesBucket)
	for _, i := range stale {
		if err := indexes.DeleteBucket([]byte(i.name)); err != nil && !errors.Is(err, bbolterrors.ErrBucketNotFound) {
			return err
		}
	}
	for _, i := range t.indexes {
		if _, err := indexes.CreateBucketIfNotExists([]byte(i.name)); err != nil {
			return err
		}
	}
	for _, i := range stale {
		if err := d.fill(d.indexBucket(i), i.entry); err != nil {
			return err
		}
	}
	return nil
}

// rebuildExpiry makes the expiries again from the items.
func (t *table) rebuildExpiry(tx *bbolt.Tx) error {
	d := t.in(tx)
	if err := d.bucket.DeleteBucket(expiryBucket); err != nil {
		return err
	}
	bucket, err := d.bucket.CreateBucket(expiryBucket)
	if err != nil {
		return err
	}
	return d.fill(bucket, t.expiryEntry)
}

// fill puts an entry of each item into an index's bucket.
func (d data) fill(bucket *bbolt.Bucket, entry func(attribute.Item, []byte) []byte) error {
	return d.items.ForEach(func(key, text []byte) error {
		item, err := decode(text)
		if err != nil {
			return err
		}
		return move(bucket, nil, entry(item, key), key)
	})
}
