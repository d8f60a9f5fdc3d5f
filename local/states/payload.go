package states

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// payload is a payload template (Parameters, ResultSelector): JSON in which a member with
// a name ending in .$ takes its value from a path. Intrinsic functions are refused when
// the definition is loaded.
type payload struct {
	given    bool
	template any // the values of .$ members are paths
}

// UnmarshalJSON parses the template and the paths in it.
func (p *payload) UnmarshalJSON(text []byte) error {
	value, err := decode(text)
	if err != nil {
		return err
	}
	p.given = true
	p.template, err = parseTemplate(value)
	return err
}

func parseTemplate(value any) (any, error) {
	var err error
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			if value[name], err = parseMember(name, member); err != nil {
				return nil, err
			}
		}
	case []any:
		for i := range value {
			if value[i], err = parseTemplate(value[i]); err != nil {
				return nil, err
			}
		}
	}
	return value, nil
}

func parseMember(name string, member any) (any, error) {
	if !strings.HasSuffix(name, ".$") {
		return parseTemplate(member)
	}
	expression, isText := member.(string)
	if !isText {
		return nil, fmt.Errorf("%s must be a path", name)
	}
	return parsePath(expression)
}

// fill returns the template with the values of its paths.
func (p payload) fill(data, context any) (any, *Failure) { return fill(p.template, data, context) }

func fill(template, data, context any) (any, *Failure) {
	switch template := template.(type) {
	case map[string]any:
		filled := make(map[string]any, len(template))
		for name, member := range template {
			p, isPath := member.(path)
			if isPath {
				value, found := p.find(data, context)
				if !found {
					return nil, missing(p, name)
				}
				filled[strings.TrimSuffix(name, ".$")] = value
				continue
			}
			value, failure := fill(member, data, context)
			if failure != nil {
				return nil, failure
			}
			filled[name] = value
		}
		return filled, nil
	case []any:
		filled := make([]any, len(template))
		for i, member := range template {
			value, failure := fill(member, data, context)
			if failure != nil {
				return nil, failure
			}
			filled[i] = value
		}
		return filled, nil
	}
	return template, nil
}

// decode reads one JSON value; numbers keep their digits.
func decode(text []byte) (value any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if decoder.More() {
		return nil, fmt.Errorf("there is more than one JSON value")
	}
	return value, nil
}

// encode writes a value as Step Functions does: < > & stay as they are.
func encode(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}
