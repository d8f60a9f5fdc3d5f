package expression

import (
	"slices"

	"hl7lake/local/dynamodb/attribute"
)

// The terms of SET.
type (
	arithmetic struct {
		operator    string
		left, right term
	}
	ifNotExists struct {
		path     Path
		fallback term
	}
	listAppend struct{ first, second term }
)

func (c constant) make(attribute.Item) (attribute.Value, error) { return c.Value, nil }

func (p Path) make(item attribute.Item) (attribute.Value, error) {
	value, there := p.Find(item)
	if !there {
		return value, invalid("The provided expression refers to an attribute that does not exist in the item")
	}
	return value, nil
}

func (a arithmetic) make(item attribute.Item) (attribute.Value, error) {
	left, right, err := both(item, a.left, a.right)
	if err != nil {
		return left, err
	}
	if left.Kind != attribute.Number || right.Kind != attribute.Number {
		return left, errOperandData()
	}
	if a.operator == "-" {
		return attribute.Subtract(left, right)
	}
	return attribute.Add(left, right)
}

func (i ifNotExists) make(item attribute.Item) (attribute.Value, error) {
	if value, there := i.path.Find(item); there {
		return value, nil
	}
	return i.fallback.make(item)
}

func (l listAppend) make(item attribute.Item) (attribute.Value, error) {
	first, second, err := both(item, l.first, l.second)
	if err != nil {
		return first, err
	}
	if first.Kind != attribute.List || second.Kind != attribute.List {
		return first, errOperandData()
	}
	first.List = slices.Concat(first.List, second.List)
	return first, nil
}

func both(item attribute.Item, left, right term) (one, two attribute.Value, err error) {
	if one, err = left.make(item); err == nil {
		two, err = right.make(item)
	}
	return one, two, err
}

// formula reads a term, or two with + or - between them.
func (p *parser) formula() (term, error) {
	left, err := p.term()
	if err != nil || !p.is("+") && !p.is("-") {
		return left, err
	}
	operator := p.token.text
	p.next()
	right, err := p.term()
	if err != nil {
		return nil, err
	}
	return arithmetic{operator, left, right}, checkTerms(operator, attribute.Number, left, right)
}

// term reads a value, a path, if_not_exists or list_append.
func (p *parser) term() (term, error) {
	switch {
	case p.token.kind == literal:
		return p.literal()
	case !p.isCall():
		return p.path()
	}
	name, arguments, err := call(p, p.term)
	if err != nil {
		return nil, err
	}
	switch name {
	case "if_not_exists":
		return newIfNotExists(arguments)
	case "list_append":
		if err := checkCount(name, arguments, 2); err != nil {
			return nil, err
		}
		return listAppend{arguments[0], arguments[1]}, checkTerms(name, attribute.List, arguments...)
	default:
		return nil, checkFunction(name, "The function is not allowed in an update expression")
	}
}

func newIfNotExists(arguments []term) (term, error) {
	const name = "if_not_exists"
	if err := checkCount(name, arguments, 2); err != nil {
		return nil, err
	}
	path, isPath := arguments[0].(Path)
	if !isPath {
		return nil, errNeedsPath(name)
	}
	return ifNotExists{path, arguments[1]}, nil
}

// checkTerms refuses values of a kind on which an operator does not work.
func checkTerms(operator string, kind attribute.Kind, terms ...term) error {
	for _, t := range terms {
		if value, known := t.(constant); known && value.Kind != kind {
			return errOperand(operator, value.Kind)
		}
	}
	return nil
}
