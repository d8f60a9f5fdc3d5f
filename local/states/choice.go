package states

import (
	"encoding/json"
	"fmt"
)

// Rule is one choice: a comparison of the value at Variable, or And of other
// rules.
type Rule struct {
	Next    string
	Comment string
	test    condition
}

// condition decides about a state's input.
type condition func(data, context any) (bool, *Failure)

// UnmarshalJSON parses a rule, which must have exactly one comparison.
func (r *Rule) UnmarshalJSON(text []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return err
	}
	for name, into := range map[string]*string{"Next": &r.Next, "Comment": &r.Comment} {
		if value, there := members[name]; there {
			if err := json.Unmarshal(value, into); err != nil {
				return fmt.Errorf("%s must be a string", name)
			}
			delete(members, name)
		}
	}
	var variable *path
	if text, there := members["Variable"]; there {
		variable = new(path)
		if err := json.Unmarshal(text, variable); err != nil {
			return err
		}
		delete(members, "Variable")
	}
	if len(members) != 1 {
		return fmt.Errorf("a choice needs one comparison, not %d", len(members))
	}
	for operator, operand := range members {
		var err error
		if r.test, err = parseCondition(variable, operator, operand); err != nil {
			return fmt.Errorf("%s: %w", operator, err)
		}
	}
	return nil
}

// parseCondition parses the operators that are run here; any other is refused by name. A
// value of another type than the operator's never matches.
func parseCondition(variable *path, operator string, operand json.RawMessage) (condition, error) {
	switch operator {
	case "And":
		var rules []Rule
		if err := json.Unmarshal(operand, &rules); err != nil {
			return nil, err
		}
		return all(rules), nil
	case "IsPresent", "BooleanEquals":
	default:
		return nil, fmt.Errorf("the operator is not run by the local lake")
	}
	var want bool
	if err := json.Unmarshal(operand, &want); err != nil {
		return nil, err
	}
	if variable == nil || variable.null {
		return nil, fmt.Errorf("it needs Variable")
	}
	return func(data, context any) (bool, *Failure) {
		value, found := variable.find(data, context)
		if operator == "IsPresent" {
			return found == want, nil
		}
		if !found {
			return false, missing(*variable, "Variable")
		}
		is, isBoolean := value.(bool)
		return isBoolean && is == want, nil
	}, nil
}

// all is And; it stops at the first rule that does not hold.
func all(rules []Rule) condition {
	return func(data, context any) (bool, *Failure) {
		for _, rule := range rules {
			if matches, failure := rule.test(data, context); failure != nil || !matches {
				return false, failure
			}
		}
		return true, nil
	}
}

func (s *State) checkChoice(d *Definition) error {
	if len(s.Choices) == 0 {
		return fmt.Errorf("it has no choices")
	}
	for _, rule := range s.Choices {
		if _, known := d.States[rule.Next]; !known {
			return fmt.Errorf("a choice names the state %q, which is not there", rule.Next)
		}
	}
	return nil
}

// choose returns the next state.
func (s *State) choose(data, context any) (string, *Failure) {
	for _, rule := range s.Choices {
		matches, failure := rule.test(data, context)
		if failure != nil {
			return "", failure
		}
		if matches {
			return rule.Next, nil
		}
	}
	if s.Default == "" {
		return "", &Failure{errNoChoice, "no choice matched and there is no default"}
	}
	return s.Default, nil
}
