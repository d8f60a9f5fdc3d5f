package expression

import (
	"slices"
	"strconv"

	"hl7lake/local/dynamodb/attribute"
)

// Condition is a ConditionExpression or a FilterExpression.
type Condition struct{ test test }

// Condition reads a condition. parameter is the request's name for it. A condition that
// is absent (nil) always holds.
func (s *Scope) Condition(parameter string, text *string) (Condition, error) {
	if text == nil {
		return Condition{}, nil
	}
	test, err := read(s, parameter, *text, (*parser).condition)
	return Condition{test}, err
}

// Holds reports whether the item meets the condition. An item that does not exist is nil.
func (c Condition) Holds(item attribute.Item) bool { return c.test == nil || c.test.holds(item) }

// Roots returns the names of the attributes that the condition looks at.
func (c Condition) Roots() (names []string) {
	if c.test == nil {
		return nil
	}
	for _, path := range c.test.paths() {
		names = append(names, path.Root())
	}
	return names
}

// test is a node of a condition.
type test interface {
	holds(attribute.Item) bool
	paths() []Path
}

type (
	conjunction struct{ left, right test }
	disjunction struct{ left, right test }
	negation    struct{ test }
	grouped     struct{ test } // in parentheses
	comparison  struct {
		operator    string
		left, right operand
	}
	between    struct{ value, low, high operand }
	membership struct {
		value operand
		list  []operand
	}
	predicate struct { // a function that is true or false
		function
		name      string
		arguments []operand
	}
)

func (c conjunction) holds(item attribute.Item) bool {
	return c.left.holds(item) && c.right.holds(item)
}
func (d disjunction) holds(item attribute.Item) bool {
	return d.left.holds(item) || d.right.holds(item)
}
func (n negation) holds(item attribute.Item) bool  { return !n.test.holds(item) }
func (p predicate) holds(item attribute.Item) bool { return p.test(item, p.arguments) }

func (c comparison) holds(item attribute.Item) bool {
	left, leftThere := c.left.value(item)
	right, rightThere := c.right.value(item)
	there := leftThere && rightThere
	switch c.operator {
	case "=":
		return there && attribute.Equal(left, right)
	case "<>":
		return !there || !attribute.Equal(left, right)
	}
	order, comparable := attribute.Compare(left, right)
	if !there || !comparable {
		return false
	}
	switch c.operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	default:
		return order >= 0
	}
}

func (b between) holds(item attribute.Item) bool {
	return comparison{">=", b.value, b.low}.holds(item) && comparison{"<=", b.value, b.high}.holds(item)
}

func (m membership) holds(item attribute.Item) bool {
	return slices.ContainsFunc(m.list, func(one operand) bool { return comparison{"=", m.value, one}.holds(item) })
}

func (c conjunction) paths() []Path { return append(c.left.paths(), c.right.paths()...) }
func (d disjunction) paths() []Path { return append(d.left.paths(), d.right.paths()...) }
func (c comparison) paths() []Path  { return operandPaths(c.left, c.right) }
func (b between) paths() []Path     { return operandPaths(b.value, b.low, b.high) }
func (m membership) paths() []Path  { return operandPaths(append([]operand{m.value}, m.list...)...) }
func (p predicate) paths() []Path   { return operandPaths(p.arguments...) }

func operandPaths(operands ...operand) (paths []Path) {
	for _, o := range operands {
		switch o := o.(type) {
		case Path:
			paths = append(paths, o)
		case sizeOf:
			paths = append(paths, Path(o))
		}
	}
	return paths
}

// operand is what a condition compares. value also reports whether there is one.
type operand interface {
	value(attribute.Item) (attribute.Value, bool)
}

type (
	constant struct{ attribute.Value }
	sizeOf   Path
)

func (p Path) value(item attribute.Item) (attribute.Value, bool) { return p.Find(item) }
func (c constant) value(attribute.Item) (attribute.Value, bool)  { return c.Value, true }
func (s sizeOf) value(item attribute.Item) (attribute.Value, bool) {
	value, _ := Path(s).Find(item) // the zero value has no size
	count, ok := value.Count()
	return attribute.Value{Kind: attribute.Number, Text: strconv.Itoa(count)}, ok
}

// condition reads terms joined by OR, which binds less than AND.
func (p *parser) condition() (test, error) {
	left, err := p.conjunction()
	for err == nil && p.accept("OR") {
		var right test
		right, err = p.conjunction()
		left = disjunction{left, right}
	}
	return left, err
}

// conjunction reads factors joined by AND.
func (p *parser) conjunction() (test, error) {
	left, err := p.factor()
	for err == nil && p.accept("AND") {
		var right test
		right, err = p.factor()
		left = conjunction{left, right}
	}
	return left, err
}

func (p *parser) factor() (test, error) {
	if p.accept("NOT") {
		inner, err := p.factor()
		return negation{inner}, err
	}
	if !p.accept("(") {
		return p.test()
	}
	inner, err := p.condition()
	if err != nil {
		return nil, err
	}
	if _, already := inner.(grouped); already {
		return nil, invalid("The expression has redundant parentheses;")
	}
	return grouped{inner}, p.expect(")")
}

// test reads a comparison or a function that is true or false.
func (p *parser) test() (test, error) {
	if p.isCall() && p.token.text != "size" {
		return p.predicate()
	}
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	switch {
	case p.accept("BETWEEN"):
		return p.between(left)
	case p.accept("IN"):
		return p.membership(left)
	case p.token.kind == mark && slices.Contains([]string{"=", "<>", "<", "<=", ">", ">="}, p.token.text):
		return p.comparison(left)
	default:
		return nil, p.unexpected()
	}
}

func (p *parser) comparison(left operand) (test, error) {
	operator := p.token.text
	p.next()
	right, err := p.operand()
	if err != nil {
		return nil, err
	}
	if err := checkDistinct(operator, left, right); err != nil {
		return nil, err
	}
	if operator != "=" && operator != "<>" {
		if err := checkOrdered(operator, left, right); err != nil {
			return nil, err
		}
	}
	return comparison{operator, left, right}, nil
}

func (p *parser) between(value operand) (test, error) {
	low, err := p.operand()
	if err != nil {
		return nil, err
	}
	if err := p.expect("AND"); err != nil {
		return nil, err
	}
	high, err := p.operand()
	if err != nil {
		return nil, err
	}
	if err := checkOrdered("BETWEEN", value, low, high); err != nil {
		return nil, err
	}
	return between{value, low, high}, checkBounds(low, high)
}

func checkBounds(low, high operand) error {
	from, fromKnown := low.(constant)
	to, toKnown := high.(constant)
	if !fromKnown || !toKnown {
		return nil
	}
	if from.Kind != to.Kind {
		return invalid("The BETWEEN operator requires same data type for lower and upper bounds")
	}
	if order, _ := attribute.Compare(from.Value, to.Value); order > 0 {
		return invalid("The BETWEEN operator requires upper bound to be greater than or equal to lower bound")
	}
	return nil
}

func (p *parser) membership(value operand) (test, error) {
	const most = 100
	list, err := list(p, p.operand)
	if err == nil && len(list) > most {
		err = invalid("Invalid operand count: IN takes at most %d operands", most)
	}
	return membership{value, list}, err
}

// operand reads a path, a value or size(path).
func (p *parser) operand() (operand, error) {
	switch {
	case p.token.kind == literal:
		return p.literal()
	case p.isCall():
		name, arguments, err := call(p, p.operand)
		if err != nil {
			return nil, err
		}
		return newSize(name, arguments)
	default:
		return p.path()
	}
}

func newSize(name string, arguments []operand) (operand, error) {
	if name != "size" {
		return nil, checkFunction(name, "The function is not allowed to be used this way in an expression")
	}
	if err := checkCount(name, arguments, 1); err != nil {
		return nil, err
	}
	path, isPath := arguments[0].(Path)
	if !isPath {
		return nil, errNeedsPath(name)
	}
	return sizeOf(path), nil
}

// checkOrdered refuses values that have no order.
func checkOrdered(operator string, operands ...operand) error {
	for _, o := range operands {
		if value, known := o.(constant); known && !value.Kind.IsOrdered() {
			return errOperand(operator, value.Kind)
		}
	}
	return nil
}

func checkDistinct(operator string, first, other operand) error {
	one, isPath := first.(Path)
	two, arePaths := other.(Path)
	if isPath && arePaths && slices.Equal(one, two) {
		return invalid("The first operand must be distinct from the remaining operands for this operator or function;"+
			" operator: %s, first operand: %s", operator, one)
	}
	return nil
}

func errOperand(operator string, kind attribute.Kind) error {
	return invalid("Incorrect operand type for operator or function; operator or function: %s, operand type: %s", operator, kind)
}

func errNeedsPath(function string) error {
	return invalid("Operator or function requires a document path; operator or function: %s", function)
}
