package expression

import (
	"slices"

	"hl7lake/local/dynamodb/attribute"
)

// Projection is a ProjectionExpression: the wanted parts of an item. The zero Projection
// wants all of it.
type Projection struct{ wanted *part }

// part is a node of the tree of wanted paths. One without children is wanted completely.
type part struct {
	members  map[string]*part
	elements map[int]*part
}

// Projection reads a ProjectionExpression. One that is absent (nil) wants everything.
func (s *Scope) Projection(text *string) (Projection, error) {
	if text == nil {
		return Projection{}, nil
	}
	paths, err := read(s, "ProjectionExpression", *text, func(p *parser) ([]Path, error) {
		var paths []Path
		for {
			path, err := p.path()
			if err != nil {
				return nil, err
			}
			if paths = append(paths, path); !p.accept(",") {
				return paths, checkOverlap(paths)
			}
		}
	})
	return project(paths), err
}

// project returns the projection for the paths, which do not overlap.
func project(paths []Path) Projection {
	root := &part{}
	for _, path := range paths {
		at := root
		for _, s := range path {
			at = at.child(s)
		}
	}
	return Projection{root}
}

func (p *part) child(s step) *part {
	if s.isIndex {
		if p.elements == nil {
			p.elements = map[int]*part{}
		}
		if p.elements[s.index] == nil {
			p.elements[s.index] = &part{}
		}
		return p.elements[s.index]
	}
	if p.members == nil {
		p.members = map[string]*part{}
	}
	if p.members[s.name] == nil {
		p.members[s.name] = &part{}
	}
	return p.members[s.name]
}

// Of returns the wanted parts of the item. Elements of a list move together.
func (p Projection) Of(item attribute.Item) attribute.Item {
	if p.wanted == nil || item == nil {
		return item
	}
	value, there := p.wanted.of(attribute.Value{Kind: attribute.Map, Map: item})
	if !there {
		return attribute.Item{}
	}
	return value.Map
}

func (p *part) of(value attribute.Value) (attribute.Value, bool) {
	switch {
	case p.members == nil && p.elements == nil:
		return value, true
	case value.Kind == attribute.Map:
		content := attribute.Item{}
		for name, child := range p.members {
			member, there := value.Map[name]
			if !there {
				continue
			}
			if wanted, some := child.of(member); some {
				content[name] = wanted
			}
		}
		return attribute.Value{Kind: attribute.Map, Map: content}, len(content) > 0
	default:
		return p.ofList(value)
	}
}

func (p *part) ofList(value attribute.Value) (attribute.Value, bool) {
	var list []attribute.Value
	indexes := make([]int, 0, len(p.elements))
	for index := range p.elements {
		indexes = append(indexes, index)
	}
	slices.Sort(indexes)
	for _, index := range indexes {
		if index >= len(value.List) {
			break
		}
		if wanted, some := p.elements[index].of(value.List[index]); some {
			list = append(list, wanted)
		}
	}
	return attribute.Value{Kind: attribute.List, List: list}, len(list) > 0
}
