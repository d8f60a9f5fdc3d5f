package hl7_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hl7lake/hl7"
)

// A model is a message as nested lists of text: segments, fields, repetitions,
// components, sub-components.
type model [][][][][]string

func modelOf(t *rapid.T) model {
	text := rapid.OneOf(
		rapid.StringMatching(`[A-Za-z0-9 .,:/-]{0,12}`),
		rapid.StringMatching("[|^~\\\\&#\"\r\n\t\x00éß表]{0,4}"),
		rapid.Just(hl7.Null),
	)
	list := func(max int) int { return rapid.IntRange(1, max).Draw(t, "length") }
	m := make(model, list(4))
	for s := range m {
		m[s] = make([][][][]string, list(6))
		for f := range m[s] {
			m[s][f] = make([][][]string, list(3))
			for r := range m[s][f] {
				m[s][f][r] = make([][]string, list(3))
				for c := range m[s][f][r] {
					m[s][f][r][c] = rapid.SliceOfN(text, 1, 3).Draw(t, "subcomponents")
				}
			}
		}
	}
	return m
}

// er7 writes the model as ER7, every delimiter in a text escaped.
func (m model) er7() string {
	escape := strings.NewReplacer("|", `\F\`, "^", `\S\`, "~", `\R\`, "&", `\T\`, `\`, `\E\`, "\r", `\X0D\`, "\n", `\X0A\`).Replace
	message := "MSH|^~\\&|A|||||||||||||||UNICODE UTF-8\r"
	for i, fields := range m {
		segment := []string{fmt.Sprintf("ZZ%d", i)}
		for _, repetitions := range fields {
			var field []string
			for _, components := range repetitions {
				var repetition []string
				for _, subcomponents := range components {
					var component []string
					for _, text := range subcomponents {
						component = append(component, escape(text))
					}
					repetition = append(repetition, strings.Join(component, "&"))
				}
				field = append(field, strings.Join(repetition, "^"))
			}
			segment = append(segment, strings.Join(field, "~"))
		}
		message += strings.Join(segment, "|") + "\r"
	}
	return message
}

// each calls do for every text of the model.
func (m model) each(do func(p hl7.Path, text string)) {
	for s, fields := range m {
		for f, repetitions := range fields {
			for r, components := range repetitions {
				for c, subcomponents := range components {
					for sub, text := range subcomponents {
						do(hl7.Path{Segment: fmt.Sprintf("ZZ%d", s), Field: f + 1, Repetition: r + 1, Component: c + 1, Subcomponent: sub + 1}, text)
					}
				}
			}
		}
	}
}

func TestEveryTextIsFoundAtItsPath(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		model := modelOf(rt)
		m := parse(t, model.er7())
		values := map[hl7.Path]string{}
		for i := 1; i < m.Len(); i++ {
			for p, text := range m.Segment(i).Values() {
				values[p] = text
			}
		}
		model.each(func(p hl7.Path, text string) {
			if got := m.Get(p.String()); got != text {
				rt.Fatalf("%s reads %q, want %q", p, got, text)
			}
			if values[p] != text {
				rt.Fatalf("%s is %q among the values, want %q", p, values[p], text)
			}
		})
		checkJSON(t, m)
		checkCanonical(t, m)
	})
}

func TestAMessageBuiltPathByPathSaysTheSame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		model := modelOf(rt)
		m := parse(t, "MSH|^~\\&|A|||||||||||||||UNICODE UTF-8\r")
		for s := range model {
			if err := m.AddSegment(fmt.Sprintf("ZZ%d", s)); err != nil {
				rt.Fatal(err)
			}
		}
		model.each(func(p hl7.Path, text string) {
			if err := m.Set(p.String(), text); err != nil {
				rt.Fatal(err)
			}
		})
		want := parse(t, model.er7()).AppendJSON(nil, hl7.JSON{})
		if got := m.AppendJSON(nil, hl7.JSON{}); string(got) != string(want) {
			rt.Fatalf("\n got %s\nwant %s", got, want)
		}
	})
}
