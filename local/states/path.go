package states

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// path is a JSONPath of member names and array indexes, in dots or brackets: what the
// language calls a reference path. Wildcards, slices, descents and filters are refused
// when the definition is loaded. A path that is JSON's null stands for nothing: an empty
// input, or a result that is dropped.
type path struct {
	given   bool // in the definition
	null    bool
	context bool   // starts with $$, the context object
	steps   []any  // string or int
	text    string // as written, for errors
}

// UnmarshalJSON parses the path.
func (p *path) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*p = path{given: true, null: true}
		return nil
	}
	var expression string
	if err := json.Unmarshal(text, &expression); err != nil {
		return fmt.Errorf("a path must be a string or null")
	}
	parsed, err := parsePath(expression)
	if err != nil {
		return err
	}
	*p = parsed
	return nil
}

func parsePath(expression string) (path, error) {
	p := path{given: true, text: expression}
	refused := fmt.Errorf("the expression %s is not run by the local lake", expression)
	rest, isPath := strings.CutPrefix(expression, "$")
	if !isPath {
		return path{}, refused
	}
	rest, p.context = strings.CutPrefix(rest, "$")
	for rest != "" {
		step, remainder, ok := parseStep(rest)
		if !ok {
			return path{}, refused
		}
		p.steps = append(p.steps, step)
		rest = remainder
	}
	return p, nil
}

// parseStep takes .name, ['name'] or [index] off the front of a path.
func parseStep(rest string) (step any, remainder string, ok bool) {
	if name, dotted := strings.CutPrefix(rest, "."); dotted {
		end := strings.IndexAny(name, ".[")
		if end < 0 {
			end = len(name)
		}
		return name[:end], name[end:], isName(name[:end])
	}
	inside, remainder, closed := strings.Cut(strings.TrimPrefix(rest, "["), "]")
	if rest[0] != '[' || !closed {
		return nil, "", false
	}
	for _, quote := range []string{"'", `"`} {
		if len(inside) > 2 && strings.HasPrefix(inside, quote) && strings.HasSuffix(inside, quote) {
			name := inside[1 : len(inside)-1]
			return name, remainder, !strings.ContainsAny(name, `'"\`)
		}
	}
	index, err := strconv.Atoi(inside)
	return index, remainder, err == nil
}

func isName(name string) bool {
	return name != "" && !strings.ContainsAny(name, ` *@?!()"'\,:$&|=<>~^+/`)
}

// isReference reports whether the path can be written to.
func (p path) isReference() bool { return !p.context }

// find returns what the path leads to in the data or the context object. In data that is
// null, no path leads anywhere.
func (p path) find(data, context any) (any, bool) {
	if p.context {
		data = context
	}
	if p.given && data == nil {
		return nil, false
	}
	for _, step := range p.steps {
		found := false
		switch step := step.(type) {
		case string:
			var object map[string]any
			if object, found = data.(map[string]any); found {
				data, found = object[step]
			}
		case int:
			var list []any
			if list, found = data.([]any); found {
				if step < 0 {
					step += len(list)
				}
				if found = step >= 0 && step < len(list); found {
					data = list[step]
				}
			}
		}
		if !found {
			return nil, false
		}
	}
	return data, true
}

// missing is the failure of a path, the value of field, that leads to nothing. Unlike
// Step Functions it does not quote the input.
func missing(p path, field string) *Failure {
	return &Failure{errRuntime, fmt.Sprintf("The JSONPath '%s' specified for the field '%s' could not be found in the input", p.text, field)}
}

// put returns data with value at the path. It makes missing objects on the way, and never
// changes existing ones, because data is shared. A list must exist.
func put(data any, steps []any, value any) (any, bool) {
	if len(steps) == 0 {
		return value, true
	}
	switch step := steps[0].(type) {
	case string:
		object, isObject := data.(map[string]any)
		if !isObject && data != nil {
			return nil, false
		}
		changed := map[string]any{}
		maps.Copy(changed, object)
		member, ok := put(object[step], steps[1:], value)
		changed[step] = member
		return changed, ok
	case int:
		list, isList := data.([]any)
		if !isList || step < 0 || step >= len(list) {
			return nil, false
		}
		changed := append([]any(nil), list...)
		member, ok := put(list[step], steps[1:], value)
		changed[step] = member
		return changed, ok
	}
	return nil, false
}
