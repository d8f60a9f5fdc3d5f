package dynamodb

import (
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"hl7lake/local/dynamodb/attribute"
	"hl7lake/local/wire"
)

// Table is an AWS::DynamoDB::Table's properties, as far as they matter here.
type Table struct {
	TableName               string
	KeySchema               []KeySchemaElement
	AttributeDefinitions    []AttributeDefinition
	GlobalSecondaryIndexes  []GlobalSecondaryIndex   `json:",omitempty"`
	TimeToLiveSpecification *TimeToLiveSpecification `json:",omitempty"`
}

// UnmarshalJSON refuses the properties that are neither run nor ignored by name.
func (t *Table) UnmarshalJSON(text []byte) error {
	type properties Table
	return wire.Properties(text, (*properties)(t), t.Ignored())
}

// Ignored are the properties that are not run here, and why not.
func (*Table) Ignored() wire.Ignored {
	return wire.Ignored{
		"BillingMode":                      "capacity is neither bought nor limited here",
		"DeletionProtectionEnabled":        "a table lives as long as the data folder",
		"PointInTimeRecoverySpecification": "the data folder can be copied instead",
		"SSESpecification":                 "items are not encrypted here",
	}
}

// KeySchemaElement names a key's attribute; KeyType is HASH or RANGE.
type KeySchemaElement struct {
	AttributeName string
	KeyType       string
}

// AttributeDefinition gives a key attribute's type: S, N or B.
type AttributeDefinition struct {
	AttributeName string
	AttributeType attribute.Kind
}

// GlobalSecondaryIndex is one index of a table.
type GlobalSecondaryIndex struct {
	IndexName  string
	KeySchema  []KeySchemaElement
	Projection Projection
}

// Projection says which attributes an index has: ALL, KEYS_ONLY or INCLUDE.
type Projection struct {
	ProjectionType   string   `json:",omitempty"`
	NonKeyAttributes []string `json:",omitempty"`
}

// TimeToLiveSpecification names the attribute that holds when an item expires,
// in seconds since 1970.
type TimeToLiveSpecification struct {
	AttributeName string
	Enabled       bool
}

// table is a Table made ready for use.
type table struct {
	Table
	key     keySchema
	indexes []*index
}

// index is a global secondary index.
type index struct {
	name       string
	key        keySchema
	all        bool            // projects every attribute
	attributes map[string]bool // else these
}

// keySchema is a primary or an index key.
type keySchema struct {
	partition, sort keyAttribute // sort.name is empty where there is none
}

type keyAttribute struct {
	name string
	kind attribute.Kind
}

// attributes are the one or two attributes of the key.
func (k keySchema) attributes() []keyAttribute {
	if k.sort.name == "" {
		return []keyAttribute{k.partition}
	}
	return []keyAttribute{k.partition, k.sort}
}

func (k keySchema) has(name string) bool { return name == k.partition.name || name == k.sort.name }

func newTable(definition Table) (*table, error) {
	key, err := newKeySchema(definition.KeySchema, definition.AttributeDefinitions)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", definition.TableName, err)
	}
	t := &table{Table: definition, key: key}
	for _, g := range definition.GlobalSecondaryIndexes {
		i, err := newIndex(g, t)
		if err != nil {
			return nil, fmt.Errorf("table %s, index %s: %w", definition.TableName, g.IndexName, err)
		}
		t.indexes = append(t.indexes, i)
	}
	return t, nil
}

func newIndex(g GlobalSecondaryIndex, t *table) (*index, error) {
	key, err := newKeySchema(g.KeySchema, t.AttributeDefinitions)
	if err != nil {
		return nil, err
	}
	i := &index{name: g.IndexName, key: key, all: g.Projection.ProjectionType == "ALL", attributes: map[string]bool{}}
	for _, name := range g.Projection.NonKeyAttributes {
		i.attributes[name] = true
	}
	for _, a := range append(key.attributes(), t.key.attributes()...) {
		i.attributes[a.name] = true
	}
	return i, nil
}

func newKeySchema(elements []KeySchemaElement, definitions []AttributeDefinition) (keySchema, error) {
	var k keySchema
	for _, element := range elements {
		at := slices.IndexFunc(definitions, func(d AttributeDefinition) bool { return d.AttributeName == element.AttributeName })
		if at < 0 || !definitions[at].AttributeType.IsOrdered() {
			return k, fmt.Errorf("the key attribute %s has no definition of type S, N or B", element.AttributeName)
		}
		a := keyAttribute{element.AttributeName, definitions[at].AttributeType}
		switch element.KeyType {
		case "HASH":
			k.partition = a
		case "RANGE":
			k.sort = a
		}
	}
	if k.partition.name == "" {
		return k, fmt.Errorf("the key has no HASH attribute")
	}
	return k, nil
}

// expiryAttribute is the name of the attribute with the time to live, or empty.
func (t *table) expiryAttribute() string {
	if t.TimeToLiveSpecification == nil || !t.TimeToLiveSpecification.Enabled {
		return ""
	}
	return t.TimeToLiveSpecification.AttributeName
}

// index returns the index of that name.
func (t *table) index(name string) (*index, error) {
	at := slices.IndexFunc(t.indexes, func(i *index) bool { return i.name == name })
	if at < 0 {
		return nil, invalid("The table does not have the specified index: %s", name)
	}
	return t.indexes[at], nil
}

// CreateTable makes a table, or opens it with its data if it was made before. Its indexes
// and time to live may have changed. Its key may not have changed, because AWS would
// replace the table and lose the data.
func (s *Service) CreateTable(definition Table) error {
	t, err := newTable(definition)
	if err != nil {
		return err
	}
	err = s.store.Update(func(tx *bbolt.Tx) error { return t.create(tx) })
	if err != nil {
		return fmt.Errorf("table %s: %w", definition.TableName, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tables[definition.TableName] = t
	return nil
}

// create checks what the store has, then updates it to the definition.
func (t *table) create(tx *bbolt.Tx) error {
	before, err := storedDefinition(tx, t.TableName)
	if err != nil {
		return err
	}
	if before == nil {
		return t.build(tx, nil)
	}
	old, err := newTable(*before)
	if err != nil {
		return err
	}
	if old.key != t.key {
		return fmt.Errorf("its key schema is not the one that its data was written with; keep the schema, or start with an empty data folder")
	}
	var stale []*index
	for _, i := range t.indexes {
		same := slices.ContainsFunc(old.indexes, func(o *index) bool { return o.name == i.name && o.key == i.key })
		if !same {
			stale = append(stale, i)
		}
	}
	if err := t.build(tx, stale); err != nil {
		return err
	}
	if old.expiryAttribute() != t.expiryAttribute() {
		return t.rebuildExpiry(tx)
	}
	return nil
}
