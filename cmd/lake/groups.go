package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"hl7lake/client"
	"hl7lake/cmd/lake/internal/term"
)

// linesShown is how many answers are shown one by one.
const linesShown = 100

// placesOfGroup is how many of the messages with one error are named.
const placesOfGroup = 3

// errorGroup is the messages that had one error.
type errorGroup struct {
	title string
	count int
	first []string // of the messages' names
}

// errorGroups are errors by their kind.
type errorGroups map[string]*errorGroup

// add counts an error that is not shown by itself.
func (g errorGroups) add(done sent) {
	status, text, _ := done.answer()
	title := text
	if status != "-" {
		title = status + ": " + text
	}
	kind := title
	if problem, is := errors.AsType[*client.Problem](done.err); is && problem.Code != "" {
		kind = problem.Code
	}
	group := g[kind]
	if group == nil {
		group = &errorGroup{title: title}
		g[kind] = group
	}
	group.count++
	if len(group.first) < placesOfGroup {
		group.first = append(group.first, term.OnOneLine(done.File))
	}
}

// tell writes the groups, the largest first.
func (g errorGroups) tell(note func(string)) {
	kinds := slices.SortedFunc(maps.Keys(g), func(a, b string) int {
		return cmp.Or(cmp.Compare(g[b].count, g[a].count), cmp.Compare(a, b))
	})
	for _, kind := range kinds {
		group := g[kind]
		note(fmt.Sprintf("%d × %s", group.count, group.title))
		for _, name := range group.first {
			note("    " + name)
		}
		if more := group.count - len(group.first); more > 0 {
			note(fmt.Sprintf("    and %d more", more))
		}
	}
}
