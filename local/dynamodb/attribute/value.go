// Package attribute holds DynamoDB's attribute values: how they are written in JSON,
// their size, when they are equal and how they are ordered. Numbers are exact decimals of
// up to 38 digits, like DynamoDB's, and are never floats.
package attribute

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

// Kind is one of DynamoDB's data type descriptors.
type Kind string

// The data types (Amazon DynamoDB Developer Guide, "Supported data types").
const (
	String    Kind = "S"
	Number    Kind = "N"
	Binary    Kind = "B"
	Bool      Kind = "BOOL"
	Null      Kind = "NULL"
	Map       Kind = "M"
	List      Kind = "L"
	StringSet Kind = "SS"
	NumberSet Kind = "NS"
	BinarySet Kind = "BS"
)

// Kinds lists every data type.
func Kinds() []Kind {
	return []Kind{String, Number, Binary, Bool, Null, Map, List, StringSet, NumberSet, BinarySet}
}

// IsSet reports whether values of the kind are sets.
func (k Kind) IsSet() bool { return k == StringSet || k == NumberSet || k == BinarySet }

// IsOrdered reports whether values of the kind can be compared with < and can be keys.
func (k Kind) IsOrdered() bool { return k == String || k == Number || k == Binary }

// Value is one attribute value. Values do not change: an update makes new ones.
type Value struct {
	Kind Kind
	Text string   // S: the text; N: the number as Canonical writes it; B: the bytes
	True bool     // BOOL
	Map  Item     // M
	List []Value  // L
	Set  []string // SS, NS, BS: members, each as Text holds them, in order and without repetition
}

// Item is an item, or the content of a map: values by attribute name.
type Item map[string]Value

// Equal reports whether both are the same kind and value. Numbers are equal if their
// values are, sets if their members are.
func Equal(a, b Value) bool {
	if a.Kind != b.Kind {
		return false
	}
	switch a.Kind {
	case Bool:
		return a.True == b.True
	case Null:
		return true
	case Map:
		return EqualItems(a.Map, b.Map)
	case List:
		return slices.EqualFunc(a.List, b.List, Equal)
	case StringSet, NumberSet, BinarySet:
		return slices.Equal(a.Set, b.Set)
	default:
		return a.Text == b.Text
	}
}

// EqualItems reports whether both have the same attributes with equal values.
func EqualItems(a, b Item) bool {
	if len(a) != len(b) {
		return false
	}
	for name, value := range a {
		other, there := b[name]
		if !there || !Equal(value, other) {
			return false
		}
	}
	return true
}

// Compare orders two values of the same ordered kind (S and B by their bytes, N by
// value). ok is false for all others, which have no order.
func Compare(a, b Value) (order int, ok bool) {
	if a.Kind != b.Kind || !a.Kind.IsOrdered() {
		return 0, false
	}
	if a.Kind == Number {
		return compareNumbers(a.Text, b.Text), true
	}
	return cmp.Compare(a.Text, b.Text), true
}

// Size returns the item's size in bytes (Amazon DynamoDB Developer Guide, "DynamoDB item
// sizes and formats"). AWS calls its own figure for numbers approximate.
func (i Item) Size() int {
	size := 0
	for name, value := range i {
		size += len(name) + value.Size()
	}
	return size
}

// Size returns the value's size in bytes.
func (v Value) Size() int {
	const overhead = 3 // of a list or a map
	switch v.Kind {
	case Number:
		return numberSize(v.Text)
	case Bool, Null:
		return 1
	case Map:
		return overhead + v.Map.Size() + len(v.Map)
	case List:
		size := overhead
		for _, element := range v.List {
			size += element.Size() + 1
		}
		return size
	case StringSet, NumberSet, BinarySet:
		size := 0
		for _, member := range v.Set {
			size += v.memberSize(member)
		}
		return size
	default:
		return len(v.Text)
	}
}

func (v Value) memberSize(member string) int {
	if v.Kind == NumberSet {
		return numberSize(member)
	}
	return len(member)
}

// Count returns the result of the function size() in an expression: characters, bytes or
// elements. ok is false for kinds without such a size.
func (v Value) Count() (count int, ok bool) {
	switch v.Kind {
	case String:
		return utf8.RuneCountInString(v.Text), true
	case Binary:
		return len(v.Text), true
	case Map:
		return len(v.Map), true
	case List:
		return len(v.List), true
	case StringSet, NumberSet, BinarySet:
		return len(v.Set), true
	default:
		return 0, false
	}
}

// Member returns a set's member as a value of its own.
func (v Value) Member(text string) Value {
	kinds := map[Kind]Kind{StringSet: String, NumberSet: Number, BinarySet: Binary}
	return Value{Kind: kinds[v.Kind], Text: text}
}

// Has reports whether a set holds the value.
func (v Value) Has(member Value) bool {
	return v.Kind.IsSet() && v.Member("").Kind == member.Kind && slices.Contains(v.Set, member.Text)
}

// Union returns the set with the members of another of the same kind.
func (v Value) Union(other Value) Value {
	v.Set = v.sorted(slices.Concat(v.Set, other.Set))
	return v
}

// Without returns the set without the members of another one of the same kind. It may be
// empty, which DynamoDB does not store.
func (v Value) Without(other Value) Value {
	v.Set = slices.DeleteFunc(slices.Clone(v.Set), func(member string) bool {
		return slices.Contains(other.Set, member)
	})
	return v
}

func (v Value) sorted(members []string) []string {
	order := cmp.Compare[string]
	if v.Kind == NumberSet {
		order = compareNumbers
	}
	slices.SortFunc(members, order)
	return slices.Compact(members)
}

// depth returns how many lists and maps are nested in the value, including itself.
func (v Value) depth() int {
	deepest := 0
	for _, element := range v.List {
		deepest = max(deepest, element.depth())
	}
	for _, element := range v.Map {
		deepest = max(deepest, element.depth())
	}
	if v.Kind == List || v.Kind == Map {
		deepest++
	}
	return deepest
}
