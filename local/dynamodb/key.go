package dynamodb

import (
	"hl7lake/local/dynamodb/attribute"
)

// The limits of items and keys (Amazon DynamoDB Developer Guide, "Constraints").
const (
	maxItemSize      = 400 << 10
	maxPartitionSize = 2048
	maxSortSize      = 1024
)

// primaryKey checks a request's Key and returns it in the store's form.
func (t *table) primaryKey(key attribute.Item) ([]byte, error) {
	if len(key) != len(t.key.attributes()) {
		return nil, errKeySchema()
	}
	for _, a := range t.key.attributes() {
		if value, there := key[a.name]; !there || value.Kind != a.kind {
			return nil, errKeySchema()
		}
	}
	if err := checkKeySizes(t.key, key); err != nil {
		return nil, err
	}
	return t.key.of(key), nil
}

// checkItem checks an item that is to be written and returns its primary key in the
// store's form.
func (t *table) checkItem(item attribute.Item) ([]byte, error) {
	for _, a := range t.key.attributes() {
		value, there := item[a.name]
		if !there {
			return nil, invalid("One or more parameter values were invalid: Missing the key %s in the item", a.name)
		}
		if value.Kind != a.kind {
			return nil, invalid("One or more parameter values were invalid: Type mismatch for key %s expected: %s actual: %s",
				a.name, a.kind, value.Kind)
		}
	}
	if err := checkKeySizes(t.key, item); err != nil {
		return nil, err
	}
	for _, i := range t.indexes {
		if err := i.check(item); err != nil {
			return nil, err
		}
	}
	return t.key.of(item), nil
}

// check checks those of an index's key attributes that the item has.
func (i *index) check(item attribute.Item) error {
	for _, a := range i.key.attributes() {
		value, there := item[a.name]
		switch {
		case !there:
			continue
		case value.Kind != a.kind:
			return invalid("One or more parameter values were invalid: Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s",
				a.name, a.kind, value.Kind, i.name)
		case value.Kind != attribute.Number && value.Text == "":
			return invalid("One or more parameter values are not valid. A value specified for a secondary index key is not supported."+
				" The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: %s, IndexKey: %s",
				kindName(value.Kind), i.name, a.name)
		}
	}
	return checkKeySizes(i.key, item)
}

// checkKeySizes checks the sizes of those key attributes that the item has.
func checkKeySizes(key keySchema, item attribute.Item) error {
	for _, a := range key.attributes() {
		value, there := item[a.name]
		if !there || value.Kind == attribute.Number {
			continue
		}
		if value.Text == "" {
			return invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain"+
				" an empty %s value. Key: %s", kindName(value.Kind), a.name)
		}
		most, name := maxPartitionSize, "hashkey"
		if a.name == key.sort.name {
			most, name = maxSortSize, "rangekey"
		}
		if len(value.Text) > most {
			return invalid("One or more parameter values were invalid: Size of %s has exceeded the maximum size limit of %d bytes", name, most)
		}
	}
	return nil
}

func kindName(kind attribute.Kind) string {
	if kind == attribute.Binary {
		return "binary"
	}
	return "string"
}

// of returns the key of an item that has all of it.
func (k keySchema) of(item attribute.Item) (key []byte) {
	for _, a := range k.attributes() {
		key = attribute.AppendKey(key, item[a.name])
	}
	return key
}

func errKeySchema() error { return invalid("The provided key element does not match the schema") }
