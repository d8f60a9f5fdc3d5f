package expression

import (
	"hl7lake/local/dynamodb/attribute"
)

// KeyCondition is a Query's condition on the keys: one value of the partition key, and a
// range of the sort key if Operator is not empty.
type KeyCondition struct {
	Partition attribute.Value
	Operator  string // of the sort key: = < <= > >= BETWEEN begins_with, or none
	Sort      attribute.Value
	High      attribute.Value // BETWEEN's upper bound
}

// KeyCondition reads a KeyConditionExpression over the keys of a table or an index. sort
// is empty if there is no sort key.
func (s *Scope) KeyCondition(text, partition, sort string) (KeyCondition, error) {
	const parameter = "KeyConditionExpression"
	var k KeyCondition
	test, err := read(s, parameter, text, (*parser).condition)
	if err != nil {
		return k, err
	}
	seen := map[string]bool{}
	for _, part := range conjuncts(test) {
		key, operator, values, err := keyTest(part)
		switch {
		case err != nil:
			return k, err
		case seen[key]:
			return k, invalid("KeyConditionExpressions must only contain one condition per key")
		case key == partition && operator == "=":
			k.Partition = values[0]
		case key == partition:
			return k, invalid("Query key condition not supported")
		case key == sort && sort != "":
			k.Operator, k.Sort, k.High = operator, values[0], values[len(values)-1]
		default:
			return k, missedKey(seen, partition, sort)
		}
		seen[key] = true
	}
	if !seen[partition] {
		return k, missedKey(seen, partition, sort)
	}
	return k, nil
}

func missedKey(seen map[string]bool, partition, sort string) error {
	missed := partition
	if seen[partition] && sort != "" {
		missed = sort
	}
	return invalid("Query condition missed key schema element: %s", missed)
}

// conjuncts splits a condition at its ANDs.
func conjuncts(t test) []test {
	switch t := t.(type) {
	case conjunction:
		return append(conjuncts(t.left), conjuncts(t.right)...)
	case grouped:
		return conjuncts(t.test)
	default:
		return []test{t}
	}
}

// keyTest reads a test of one key.
func keyTest(t test) (key, operator string, values []attribute.Value, err error) {
	var operands []operand
	switch t := t.(type) {
	case comparison:
		operator, operands = t.operator, []operand{t.left, t.right}
	case between:
		operator, operands = "BETWEEN", []operand{t.value, t.low, t.high}
	case predicate:
		operator, operands = t.name, t.arguments
	case membership:
		operator = "IN"
	case disjunction:
		operator = "OR"
	case negation:
		operator = "NOT"
	}
	switch operator {
	case "=", "<", "<=", ">", ">=", "BETWEEN", "begins_with":
	default:
		return "", "", nil, invalid("Invalid operator used in KeyConditionExpression: %s", operator)
	}
	path, isPath := operands[0].(Path)
	if !isPath || len(path) > 1 {
		return "", "", nil, invalid("Query key condition not supported")
	}
	for _, o := range operands[1:] {
		value, known := o.(constant)
		if !known {
			return "", "", nil, invalid("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")
		}
		values = append(values, value.Value)
	}
	return path.Root(), operator, values, nil
}
