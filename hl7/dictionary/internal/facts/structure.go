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
	Times    byte // ' ' once, '?' at most once, '*' any number, '+' at least once
}

// AnySegment is what stands for a segment of any name, in the dictionary and in the
// comparison of sources that each write it in another way.
const AnySegment = "Hxx"

// ParseStructure reads a structure in the dictionary's own notation (see tables.go of
// the dictionary); a choice may also be closed by a parenthesis.
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
				return nil, fmt.Errorf("%c closes nothing", c)
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
	case "CON_": // CON is a reserved name of files in Windows
		return "CON"
	}
	return name
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
// come, without the groups' names, which HAPI often makes up, with the members of a
// choice as segments of their own, as HAPI has them, and without what stands for any
// segment, which each source puts elsewhere.
func (n *Node) Shape() string {
	var parts []string
	for _, child := range n.Children {
		switch {
		case child.Choice:
			for _, member := range child.Children {
				parts = append(parts, member.Name)
			}
		case child.Children != nil:
			if inner := child.Shape(); inner != "" {
				parts = append(parts, "("+inner+")"+child.times())
			}
		case child.Name != AnySegment:
			parts = append(parts, child.Name+child.times())
		}
	}
	return strings.Join(parts, " ")
}

// Broken reports whether the structure has a group without content, which is how hl7apy
// writes some that it could not read.
func (n *Node) Broken() bool {
	for _, child := range n.Children {
		if child.Children != nil && child.Broken() || child.Children == nil && len(child.Name) != 3 {
			return true
		}
	}
	return false
}

// GroupNames returns the names of the groups, outer before inner.
func (n *Node) GroupNames() []string {
	var names []string
	for _, child := range n.Children {
		if child.Children != nil && !child.Choice {
			names = append(append(names, child.Name), child.GroupNames()...)
		}
	}
	return names
}
