package sns

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"hl7lake/local/wire"
)

// A filter policy is a set of conditions on message attributes, which must all hold. $or
// contains sets, one of which must match
// (https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html). A
// nil filter lets every message pass.
type filter func(attributes map[string]Attribute) bool

func (f filter) passes(attributes map[string]Attribute) bool { return f == nil || f(attributes) }

// match reports whether one value of an attribute meets one condition.
type match func(value attributeValue) bool

// attributeValue is a value as the conditions see it: SNS compares a Number,
// and a number inside a String.Array, as a number.
type attributeValue struct {
	text     string
	number   float64
	isNumber bool
}

// parseFilter reads a policy; nil or null stands for none.
func parseFilter(policy json.RawMessage) (filter, error) {
	if len(policy) == 0 || string(policy) == "null" {
		return nil, nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(policy, &object); err != nil {
		return nil, invalid("the policy is no JSON object")
	}
	return parseSet(object)
}

func invalid(format string, args ...any) error {
	return wire.Errorf("InvalidParameter", "Invalid parameter: FilterPolicy: "+format, args...)
}

// parseSet makes the filter that holds if every member's does.
func parseSet(object map[string]json.RawMessage) (filter, error) {
	var all []filter
	for name, conditions := range object {
		parse := parseConditions
		if name == "$or" {
			parse = parseOr
		}
		f, err := parse(name, conditions)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return func(attributes map[string]Attribute) bool {
		return !slices.ContainsFunc(all, func(f filter) bool { return !f(attributes) })
	}, nil
}

func parseOr(_ string, alternatives json.RawMessage) (filter, error) {
	var sets []map[string]json.RawMessage
	if err := json.Unmarshal(alternatives, &sets); err != nil || len(sets) < 2 {
		return nil, invalid("$or wants a list of two or more objects")
	}
	var any []filter
	for _, set := range sets {
		f, err := parseSet(set)
		if err != nil {
			return nil, err
		}
		any = append(any, f)
	}
	return func(attributes map[string]Attribute) bool {
		return slices.ContainsFunc(any, func(f filter) bool { return f(attributes) })
	}, nil
}

// parseConditions makes the filter for one attribute: one of its conditions must hold for
// one of its values.
func parseConditions(name string, list json.RawMessage) (filter, error) {
	var conditions []json.RawMessage
	if err := json.Unmarshal(list, &conditions); err != nil || len(conditions) == 0 {
		return nil, invalid("%s wants a list of conditions", name)
	}
	var matches []match
	var wantsAbsent, wantsPresent bool
	for _, condition := range conditions {
		exists, isExists, err := parseExists(condition)
		switch {
		case err != nil:
			return nil, err
		case isExists && exists:
			wantsPresent = true
			continue
		case isExists:
			wantsAbsent = true
			continue
		}
		m, err := parseMatch(condition)
		if err != nil {
			return nil, fmt.Errorf("attribute %s: %w", name, err)
		}
		matches = append(matches, m)
	}
	return func(attributes map[string]Attribute) bool {
		a, present := attributes[name]
		if !present {
			return wantsAbsent
		}
		return wantsPresent || slices.ContainsFunc(a.values(), func(value attributeValue) bool {
			return slices.ContainsFunc(matches, func(m match) bool { return m(value) })
		})
	}, nil
}

func parseExists(condition json.RawMessage) (exists, isExists bool, err error) {
	var object map[string]json.RawMessage
	if json.Unmarshal(condition, &object) != nil {
		return false, false, nil
	}
	value, isExists := object["exists"]
	if isExists && json.Unmarshal(value, &exists) != nil {
		return false, true, invalid("exists wants true or false")
	}
	return exists, isExists, nil
}

// parseMatch reads a condition: a value to equal, or an object with an operator.
func parseMatch(condition json.RawMessage) (match, error) {
	var operators map[string]json.RawMessage
	if json.Unmarshal(condition, &operators) != nil {
		return parseEquals(condition)
	}
	if len(operators) != 1 {
		return nil, invalid("a condition has one operator")
	}
	for operator, operand := range operators {
		switch operator {
		case "anything-but":
			return parseAnythingBut(operand)
		case "numeric":
			return parseNumeric(operand)
		default:
			return parseText(operator, operand)
		}
	}
	return nil, invalid("a condition has one operator")
}

func parseEquals(condition json.RawMessage) (match, error) {
	var want any
	if err := json.Unmarshal(condition, &want); err != nil {
		return nil, invalid("a condition is no JSON value")
	}
	switch want := want.(type) {
	case string:
		return func(v attributeValue) bool { return v.text == want }, nil
	case float64:
		return func(v attributeValue) bool { return v.isNumber && v.number == want }, nil
	default: // true, false, null: a String.Array can hold them
		return func(v attributeValue) bool { return v.text == strings.TrimSpace(string(condition)) }, nil
	}
}

// parseText reads the operators on text.
func parseText(operator string, operand json.RawMessage) (match, error) {
	var want string
	if err := json.Unmarshal(operand, &want); err != nil {
		return nil, invalid("%s wants a text", operator)
	}
	switch operator {
	case "prefix":
		return func(v attributeValue) bool { return strings.HasPrefix(v.text, want) }, nil
	case "suffix":
		return func(v attributeValue) bool { return strings.HasSuffix(v.text, want) }, nil
	case "equals-ignore-case":
		return func(v attributeValue) bool { return strings.EqualFold(v.text, want) }, nil
	case "cidr":
		network, err := netip.ParsePrefix(want)
		if err != nil {
			return nil, invalid("cidr wants a network")
		}
		return func(v attributeValue) bool {
			address, err := netip.ParseAddr(v.text)
			return err == nil && network.Contains(address)
		}, nil
	}
	return nil, wire.Unsupported("the filter policy operator " + operator)
}

// parseAnythingBut reads what a value must not be: a value, a list of values or an
// operator on text.
func parseAnythingBut(operand json.RawMessage) (match, error) {
	var list []json.RawMessage
	if json.Unmarshal(operand, &list) != nil {
		list = []json.RawMessage{operand}
	}
	var excluded []match
	for _, item := range list {
		m, err := parseMatch(item)
		if err != nil {
			return nil, err
		}
		excluded = append(excluded, m)
	}
	return func(v attributeValue) bool {
		return !slices.ContainsFunc(excluded, func(m match) bool { return m(v) })
	}, nil
}

// parseNumeric reads ["<", 10] or [">=", 1, "<", 10].
func parseNumeric(operand json.RawMessage) (match, error) {
	var parts []any
	if err := json.Unmarshal(operand, &parts); err != nil || (len(parts) != 2 && len(parts) != 4) {
		return nil, invalid("numeric wants one or two comparisons")
	}
	var comparisons []func(float64) bool
	for pair := range slices.Chunk(parts, 2) {
		operator, _ := pair[0].(string)
		limit, isNumber := pair[1].(float64)
		compare, known := comparison(operator, limit)
		if !known || !isNumber {
			return nil, invalid("numeric wants an operator and a number")
		}
		comparisons = append(comparisons, compare)
	}
	return func(v attributeValue) bool {
		return v.isNumber && !slices.ContainsFunc(comparisons, func(holds func(float64) bool) bool { return !holds(v.number) })
	}, nil
}

func comparison(operator string, limit float64) (func(float64) bool, bool) {
	switch operator {
	case "=":
		return func(n float64) bool { return n == limit }, true
	case "<":
		return func(n float64) bool { return n < limit }, true
	case "<=":
		return func(n float64) bool { return n <= limit }, true
	case ">":
		return func(n float64) bool { return n > limit }, true
	case ">=":
		return func(n float64) bool { return n >= limit }, true
	}
	return nil, false
}

// values returns the attribute's values: one, or the items of a String.Array. A Binary
// has none, because filters ignore it.
func (a Attribute) values() []attributeValue {
	switch {
	case strings.HasPrefix(a.DataType, "Number"):
		number, err := strconv.ParseFloat(a.Value, 64)
		return []attributeValue{{text: a.Value, number: number, isNumber: err == nil}}
	case a.DataType == "String.Array":
		return arrayValues(a.Value)
	case strings.HasPrefix(a.DataType, "String"):
		return []attributeValue{{text: a.Value}}
	}
	return nil
}

func arrayValues(text string) (values []attributeValue) {
	var items []json.RawMessage
	if json.Unmarshal([]byte(text), &items) != nil {
		return nil
	}
	for _, item := range items {
		value := attributeValue{text: string(item)}
		if number, err := strconv.ParseFloat(value.text, 64); err == nil {
			value.number, value.isNumber = number, true
		}
		if strings.HasPrefix(value.text, `"`) { // true, false and null stay as they are written
			_ = json.Unmarshal(item, &value.text) // it came out of a valid array
		}
		values = append(values, value)
	}
	return values
}
