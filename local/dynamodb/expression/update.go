package expression

import (
	"slices"
	"strings"

	"hl7lake/local/dynamodb/attribute"
)

// Update is an UpdateExpression.
type Update struct {
	sections map[string][]action // by SET, REMOVE, ADD, DELETE
	targets  []Path
}

// action changes the value at target. operand is nil for REMOVE.
type action struct {
	target  Path
	operand term
}

// term makes a value from an item as it was before the update.
type term interface {
	make(attribute.Item) (attribute.Value, error)
}

// Update reads an UpdateExpression. One that is absent (nil) changes nothing.
func (s *Scope) Update(text *string) (*Update, error) {
	if text == nil {
		return &Update{}, nil
	}
	return read(s, "UpdateExpression", *text, (*parser).update)
}

// Targets returns the paths that the update changes.
func (u *Update) Targets() []Path { return u.targets }

// Changed returns the parts of an item that the update is about.
func (u *Update) Changed(item attribute.Item) attribute.Item { return project(u.targets).Of(item) }

// Apply returns the item as it is after the update. item itself is not changed.
func (u *Update) Apply(item attribute.Item) (attribute.Item, error) {
	root := attribute.Value{Kind: attribute.Map, Map: item}
	for _, section := range []struct {
		name   string
		change func(root attribute.Value, before attribute.Item, a action) (attribute.Value, error)
	}{{"SET", set}, {"ADD", add}, {"DELETE", subtract}, {"REMOVE", removal}} {
		for _, a := range u.sections[section.name] {
			var err error
			if root, err = section.change(root, item, a); err != nil {
				return nil, err
			}
		}
	}
	return root.Map, nil
}

func set(root attribute.Value, before attribute.Item, a action) (attribute.Value, error) {
	value, err := a.operand.make(before)
	if err != nil {
		return root, err
	}
	return put(root, a.target, value)
}

func add(root attribute.Value, before attribute.Item, a action) (attribute.Value, error) {
	operand, err := a.operand.make(before)
	if err != nil {
		return root, err
	}
	value, there := a.target.Find(before)
	switch {
	case !there:
		value = operand
	case value.Kind != operand.Kind:
		return root, errOperandData()
	case value.Kind == attribute.Number:
		value, err = attribute.Add(value, operand)
	default:
		value = value.Union(operand)
	}
	if err != nil {
		return root, err
	}
	return put(root, a.target, value)
}

// subtract removes members from a set. A set without members is removed.
func subtract(root attribute.Value, before attribute.Item, a action) (attribute.Value, error) {
	operand, err := a.operand.make(before)
	if err != nil {
		return root, err
	}
	value, there := a.target.Find(before)
	switch {
	case !there:
		return remove(root, a.target)
	case value.Kind != operand.Kind:
		return root, errOperandData()
	}
	value = value.Without(operand)
	if len(value.Set) == 0 {
		return remove(root, a.target)
	}
	return put(root, a.target, value)
}

func removal(root attribute.Value, _ attribute.Item, a action) (attribute.Value, error) {
	return remove(root, a.target)
}

// update reads the sections of an update, each at most once.
func (p *parser) update() (*Update, error) {
	u := &Update{sections: map[string][]action{}}
	for p.token.kind != end {
		name := strings.ToUpper(p.token.text)
		reader := map[string]func() (action, error){
			"SET": p.set, "REMOVE": p.remove, "ADD": p.member, "DELETE": p.member,
		}[name]
		if reader == nil || p.token.kind != word {
			return nil, p.unexpected()
		}
		if _, again := u.sections[name]; again {
			return nil, invalid("The %q section can only be used once in an update expression;", name)
		}
		p.next()
		actions, err := p.actions(reader)
		if err == nil {
			err = checkMembers(name, actions)
		}
		if err != nil {
			return nil, err
		}
		u.sections[name] = actions
	}
	return u, u.finish()
}

func (p *parser) actions(reader func() (action, error)) (actions []action, err error) {
	for {
		a, err := reader()
		if err != nil {
			return nil, err
		}
		if actions = append(actions, a); !p.accept(",") {
			return actions, nil
		}
	}
}

// finish sorts the actions so that they do not disturb each other: elements beyond a
// list's end are added in the order of their indexes, and removed from the end backwards.
func (u *Update) finish() error {
	for _, actions := range u.sections {
		for _, a := range actions {
			u.targets = append(u.targets, a.target)
		}
		slices.SortStableFunc(actions, func(a, b action) int { return comparePaths(a.target, b.target) })
	}
	slices.Reverse(u.sections["REMOVE"])
	slices.SortFunc(u.targets, comparePaths)
	return checkOverlap(u.targets)
}

func (p *parser) set() (action, error) {
	target, err := p.path()
	if err != nil {
		return action{}, err
	}
	if err := p.expect("="); err != nil {
		return action{}, err
	}
	operand, err := p.formula()
	return action{target, operand}, err
}

func (p *parser) remove() (action, error) {
	target, err := p.path()
	return action{target: target}, err
}

// member reads an action of ADD or DELETE: a path and a value.
func (p *parser) member() (action, error) {
	target, err := p.path()
	if err != nil {
		return action{}, err
	}
	if p.token.kind != literal {
		return action{}, p.unexpected()
	}
	operand, err := p.literal()
	return action{target, operand}, err
}

// checkMembers refuses what cannot be added to or deleted from.
func checkMembers(section string, actions []action) error {
	for _, a := range actions {
		value, known := a.operand.(constant)
		if !known || section == "SET" || value.Kind.IsSet() || section == "ADD" && value.Kind == attribute.Number {
			continue
		}
		return invalid("Incorrect operand type for operator or function; operator: %s, operand type: %s", section, value.Kind)
	}
	return nil
}

func errOperandData() error {
	return invalid("An operand in the update expression has an incorrect data type")
}
