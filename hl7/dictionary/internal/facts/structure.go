package facts

import (
	"fmt"
	"strings"
)

// A Node is a segment, a group or a choice of segments in a message structure. The root
// is a group without a name.
type Node struct {
	Name     string // empty for a choice
	Children []*Node
	Choice   bool
	Times    byte // ' ' exactly once, '?' at most once, '*' any number, '+' at least once
}

// AnySegment stands for a segment of any name, in the dictionary and when sources are
// compared that each write it in another way.
const AnySegment = "Hxx"

// ParseStructure reads a structure in the dictionary's own notation (see tables.go of the
// dictionary). A choice may also end with a closing parenthesis.
func ParseStructure(text string) (*Node, error) {
	root := &Node{Times: ' '}
	open := []*Node{root}
	for text != "" {
		group := open[len(open)-1]
		n := strings.IndexAny(text, " ()<>?*+")
		if n < 0 {
			n = len(text)
		}
		if n > 0 {
			group.Children = append(group.Children, &Node{Name: segmentName(text[:n]), Times: ' '})
			text = text[n:]
			continue
		}
		c := text[0]
		text = text[1:]
		if c == ' ' {
			continue
		}
		if c == '<' {
			choice := &Node{Choice: true, Times: ' '}
			group.Children = append(group.Children, choice)
			open = append(open, choice)
			continue
		}
		if c == ')' || c == '>' {
			open = open[:len(open)-1]
			if len(open) == 0 {
				return nil, fmt.Errorf("%c without an opening one", c)
			}
			continue
		}
		if len(group.Children) == 0 {
			return nil, fmt.Errorf("%c follows nothing", c)
		}
		last := group.Children[len(group.Children)-1]
		if c == '(' {
			open = append(open, last)
		} else {
			last.Times = c
		}
	}
	if len(open) != 1 {
		return nil, fmt.Errorf("%s is not closed", open[len(open)-1].Name)
	}
	return root, nil
}

func segmentName(name string) string {
	switch name {
	case "ANYHL7SEGMENT", "GenericSegment", "Zxx", "ANYZSEGMENT":
		return AnySegment
	case "CON_": // Windows reserves CON as a file's name
		return "CON"
	}
	return name
}

// splice replaces what hl7apy calls a choice by its members, if these show that it is a
// group without a name: some repeat, are optional or are groups. Outside of all groups it
// always is one: every choice of the standard is in a group.
func (n *Node) splice(isRoot bool) {
	var children []*Node
	for _, child := range n.Children {
		child.splice(false)
		plain := !isRoot
		for _, member := range child.Children {
			plain = plain && member.Times == ' ' && member.Children == nil
		}
		if child.Choice && (!plain || len(child.Children) == 1) {
			children = append(children, child.Children...)
		} else {
			children = append(children, child)
		}
	}
	n.Children = children
}

// String writes the structure in the dictionary's notation.
func (n *Node) String() string {
	var parts []string
	for _, child := range n.Children {
		part := child.Name
		if child.Choice {
			part = "<" + child.String() + ">"
		} else if child.Children != nil {
			part += "(" + child.String() + ")"
		}
		parts = append(parts, part+child.times())
	}
	return strings.Join(parts, " ")
}

func (n *Node) times() string { return strings.TrimSpace(string(n.Times)) }

// Shape writes what sources can be compared by: segments and groups with how often they
// come. It leaves out the groups' names, which HAPI often makes up, and groups that come
// exactly once. It writes the members of a choice as separate segments, as HAPI has them,
// and leaves out what stands for any segment, because each source puts that elsewhere.
func (n *Node) Shape() string {
	var parts []string
	for _, child := range n.Children {
		switch {
		case child.Choice:
			for _, member := range child.Children {
				if member.Name != AnySegment {
					parts = append(parts, member.Name)
				}
			}
		case child.Children != nil:
			inner := child.Shape()
			if inner != "" && child.Times != ' ' {
				inner = "(" + inner + ")" + child.times()
			}
			if inner != "" {
				parts = append(parts, inner)
			}
		case child.Name != AnySegment:
			parts = append(parts, child.Name+child.times())
		}
	}
	return strings.Join(parts, " ")
}

// Broken reports whether the structure has a group without content. hl7apy writes some
// groups like that which it could not read.
func (n *Node) Broken() bool {
	for _, child := range n.Children {
		if child.Children != nil && child.Broken() || child.Children == nil && len(child.Name) != 3 {
			return true
		}
	}
	return false
}

// GroupNames returns the names of the groups that Shape has, outer groups before inner
// ones.
func (n *Node) GroupNames() []string {
	var names []string
	for _, child := range n.Children {
		if child.Choice {
			continue
		}
		if child.Children != nil && child.Times != ' ' {
			names = append(names, child.Name)
		}
		names = append(names, child.GroupNames()...)
	}
	return names
}

// MadeUp reports whether a group's name is not the standard's but was made up by a
// program, for example from the group's segments.
func (n *Node) MadeUp() bool {
	segments := strings.NewReplacer("(", "", ")", "", " ", "", "?", "", "*", "", "+", "").Replace(n.Shape())
	return n.Name == "XX" || n.Name == "GROUP" || n.Name == segments || strings.Contains(n.Name, "_SUPPGRP") ||
		strings.HasPrefix(n.Name, "MFE") || strings.HasSuffix(n.Name, "2") || strings.HasPrefix(n.Name, "MFN_ZNN_")
}

// NamesMadeUp reports whether the name of any group was made up.
func (n *Node) NamesMadeUp() bool {
	for _, child := range n.Children {
		if child.Children != nil && !child.Choice && (child.Times != ' ' && child.MadeUp() || child.NamesMadeUp()) {
			return true
		}
	}
	return false
}
