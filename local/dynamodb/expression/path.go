package expression

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"hl7lake/local/dynamodb/attribute"
)

// Path leads to an attribute or a part of one. It has at least one step, and the first is
// a name.
type Path []step

type step struct {
	name    string
	index   int
	isIndex bool
}

// Root returns the name of the attribute at which the path begins.
func (p Path) Root() string { return p[0].name }

// String writes the path as AWS's messages do: [a, b, [1]].
func (p Path) String() string {
	steps := make([]string, len(p))
	for i, s := range p {
		steps[i] = s.name
		if s.isIndex {
			steps[i] = "[" + strconv.Itoa(s.index) + "]"
		}
	}
	return "[" + strings.Join(steps, ", ") + "]"
}

// Find returns what the path leads to in an item.
func (p Path) Find(item attribute.Item) (attribute.Value, bool) {
	value := attribute.Value{Kind: attribute.Map, Map: item}
	for _, s := range p {
		next, there := s.find(value)
		if !there {
			return attribute.Value{}, false
		}
		value = next
	}
	return value, true
}

func (s step) find(in attribute.Value) (attribute.Value, bool) {
	if !s.isIndex {
		value, there := in.Map[s.name] // the map of any other kind is nil
		return value, there
	}
	if s.index >= len(in.List) {
		return attribute.Value{}, false
	}
	return in.List[s.index], true
}

func comparePaths(a, b Path) int {
	return slices.CompareFunc(a, b, func(x, y step) int {
		return cmp.Or(cmp.Compare(x.name, y.name), cmp.Compare(x.index, y.index))
	})
}

// checkOverlap refuses two paths if one is, or lies in, the other, or if they take the
// same value for a list and for a map.
func checkOverlap(paths []Path) error {
	for i, one := range paths {
		for _, two := range paths[i+1:] {
			shared := 0
			for shared < len(one) && shared < len(two) && one[shared] == two[shared] {
				shared++
			}
			problem := ""
			switch {
			case shared == len(one) || shared == len(two):
				problem = "overlap"
			case one[shared].isIndex != two[shared].isIndex:
				problem = "conflict"
			default:
				continue
			}
			return invalid("Two document paths %s with each other; must remove or rewrite one of these paths;"+
				" path one: %s, path two: %s", problem, one, two)
		}
	}
	return nil
}

// put returns container with value at the end of the path. A list grows by one if the
// index is beyond its end. container itself is not changed. The containers on the way
// must exist.
func put(container attribute.Value, path Path, value attribute.Value) (attribute.Value, error) {
	s, rest := path[0], path[1:]
	if len(rest) > 0 {
		next, there := s.find(container)
		if !there {
			return container, errPath()
		}
		var err error
		if value, err = put(next, rest, value); err != nil {
			return container, err
		}
	}
	return s.with(container, value)
}

func (s step) with(container, value attribute.Value) (attribute.Value, error) {
	switch {
	case s.isIndex && container.Kind == attribute.List:
		list := slices.Clone(container.List)
		if s.index < len(list) {
			list[s.index] = value
		} else {
			list = append(list, value)
		}
		container.List = list
	case !s.isIndex && container.Kind == attribute.Map:
		content := make(attribute.Item, len(container.Map)+1)
		for name, other := range container.Map {
			content[name] = other
		}
		content[s.name] = value
		container.Map = content
	default:
		return container, errPath()
	}
	return container, nil
}

// remove returns container without what the path leads to, which need not exist. The
// containers on the way must exist.
func remove(container attribute.Value, path Path) (attribute.Value, error) {
	s, rest := path[0], path[1:]
	next, there := s.find(container)
	kind := attribute.Map
	if s.isIndex {
		kind = attribute.List
	}
	switch {
	case container.Kind != kind, len(rest) > 0 && !there:
		return container, errPath()
	case !there:
		return container, nil
	case len(rest) > 0:
		inner, err := remove(next, rest)
		if err != nil {
			return container, err
		}
		return s.with(container, inner)
	case s.isIndex:
		container.List = slices.Delete(slices.Clone(container.List), s.index, s.index+1)
		return container, nil
	}
	content := make(attribute.Item, len(container.Map))
	for name, other := range container.Map {
		if name != s.name {
			content[name] = other
		}
	}
	container.Map = content
	return container, nil
}

func errPath() error {
	return invalid("The document path provided in the update expression is invalid for update")
}
