package attribute

import (
	"encoding/json"
	"slices"

	"hl7lake/local/wire"
)

// maxDepth is how deep lists and maps may be nested (Amazon DynamoDB Developer Guide,
// "Constraints").
const maxDepth = 32

// document is a value in the form of AWS's JSON protocol.
type document struct {
	S    *string   `json:",omitempty"`
	N    *string   `json:",omitempty"`
	B    *[]byte   `json:",omitempty"`
	BOOL *bool     `json:",omitempty"`
	NULL *bool     `json:",omitempty"`
	M    *Item     `json:",omitempty"`
	L    *[]Value  `json:",omitempty"`
	SS   *[]string `json:",omitempty"`
	NS   *[]string `json:",omitempty"`
	BS   *[][]byte `json:",omitempty"`
}

// UnmarshalJSON reads a value and checks it. What DynamoDB would refuse is a
// ValidationException.
func (v *Value) UnmarshalJSON(text []byte) error {
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		return err
	}
	values, err := d.values()
	if err != nil {
		return err
	}
	switch len(values) {
	case 0:
		return wire.Errorf("ValidationException",
			"Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	case 1:
		*v = values[0]
	default:
		return wire.Errorf("ValidationException",
			"Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
	}
	if v.depth() > maxDepth {
		return wire.Errorf("ValidationException", "Nesting Levels have exceeded supported limits")
	}
	return nil
}

// values returns each member that is present.
func (d document) values() (values []Value, err error) {
	if d.S != nil {
		values = append(values, Value{Kind: String, Text: *d.S})
	}
	if d.N != nil {
		text, err := Canonical(*d.N)
		if err != nil {
			return nil, err
		}
		values = append(values, Value{Kind: Number, Text: text})
	}
	if d.B != nil {
		values = append(values, Value{Kind: Binary, Text: string(*d.B)})
	}
	if d.BOOL != nil {
		values = append(values, Value{Kind: Bool, True: *d.BOOL})
	}
	if d.NULL != nil {
		if !*d.NULL {
			return nil, wire.Errorf("ValidationException",
				"One or more parameter values were invalid: Null attribute value types must have the value of true")
		}
		values = append(values, Value{Kind: Null})
	}
	if d.M != nil {
		values = append(values, Value{Kind: Map, Map: *d.M})
	}
	if d.L != nil {
		values = append(values, Value{Kind: List, List: *d.L})
	}
	sets, err := d.sets()
	return append(values, sets...), err
}

func (d document) sets() (sets []Value, err error) {
	add := func(kind Kind, members []string) {
		var set Value
		if set, err = newSet(kind, members); err == nil {
			sets = append(sets, set)
		}
	}
	if d.SS != nil {
		add(StringSet, *d.SS)
	}
	if d.NS != nil && err == nil {
		numbers := make([]string, len(*d.NS))
		for i, text := range *d.NS {
			if numbers[i], err = Canonical(text); err != nil {
				return nil, err
			}
		}
		add(NumberSet, numbers)
	}
	if d.BS != nil && err == nil {
		members := make([]string, len(*d.BS))
		for i, member := range *d.BS {
			members[i] = string(member)
		}
		add(BinarySet, members)
	}
	return sets, err
}

func newSet(kind Kind, members []string) (Value, error) {
	if len(members) == 0 {
		names := map[Kind]string{StringSet: "An string set", NumberSet: "An number set", BinarySet: "Binary sets"}
		return Value{}, wire.Errorf("ValidationException",
			"One or more parameter values were invalid: %s  may not be empty", names[kind])
	}
	set := Value{Kind: kind}
	set.Set = set.sorted(slices.Clone(members))
	if len(set.Set) < len(members) {
		return Value{}, wire.Errorf("ValidationException",
			"One or more parameter values were invalid: Input collection contains duplicates")
	}
	return set, nil
}

// MarshalJSON writes the value as AWS's JSON protocol does.
func (v Value) MarshalJSON() ([]byte, error) {
	var d document
	switch v.Kind {
	case String:
		d.S = &v.Text
	case Number:
		d.N = &v.Text
	case Binary:
		d.B = new([]byte(v.Text))
	case Bool:
		d.BOOL = &v.True
	case Null:
		d.NULL = new(true)
	case Map:
		d.M = new(nonNil(v.Map))
	case List:
		d.L = new(append([]Value{}, v.List...))
	case StringSet:
		d.SS = &v.Set
	case NumberSet:
		d.NS = &v.Set
	case BinarySet:
		members := make([][]byte, len(v.Set))
		for i, member := range v.Set {
			members[i] = []byte(member)
		}
		d.BS = &members
	}
	return json.Marshal(d)
}

func nonNil(item Item) Item {
	if item == nil {
		return Item{}
	}
	return item
}
