package states

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Rule is one choice: a comparison of the value at Variable, or And, Or or Not of other
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

func parseCondition(variable *path, operator string, operand json.RawMessage) (condition, error) {
	switch operator {
	case "And", "Or":
		var rules []Rule
		if err := json.Unmarshal(operand, &rules); err != nil {
			return nil, err
		}
		return combine(rules, operator == "And"), nil
	case "Not":
		var rule Rule
		if err := json.Unmarshal(operand, &rule); err != nil {
			return nil, err
		}
		return func(data, context any) (bool, *Failure) {
			matches, failure := rule.test(data, context)
			return !matches, failure
		}, nil
	}
	if variable == nil || variable.null {
		return nil, fmt.Errorf("it needs Variable")
	}
	if check, isCheck := typeChecks()[operator]; isCheck {
		var want bool
		if err := json.Unmarshal(operand, &want); err != nil {
			return nil, err
		}
		return func(data, context any) (bool, *Failure) {
			value, found := variable.find(data, context)
			if !found && operator != "IsPresent" {
				return false, missing(*variable, "Variable")
			}
			return check(value, found) == want, nil
		}, nil
	}
	return parseComparison(*variable, operator, operand)
}

// combine is And (all) or Or; it stops at the first rule that decides.
func combine(rules []Rule, all bool) condition {
	return func(data, context any) (bool, *Failure) {
		for _, rule := range rules {
			matches, failure := rule.test(data, context)
			if failure != nil || matches != all {
				return matches, failure
			}
		}
		return all, nil
	}
}

// typeChecks are the operators that ask what a value is.
func typeChecks() map[string]func(value any, found bool) bool {
	return map[string]func(any, bool) bool{
		"IsPresent": func(_ any, found bool) bool { return found },
		"IsNull":    func(value any, _ bool) bool { return value == nil },
		"IsString":  func(value any, _ bool) bool { _, is := value.(string); return is },
		"IsNumeric": func(value any, _ bool) bool { _, is := value.(json.Number); return is },
		"IsBoolean": func(value any, _ bool) bool { _, is := value.(bool); return is },
		"IsTimestamp": func(value any, _ bool) bool {
			_, is := asTime(value)
			return is
		},
	}
}

// parseComparison parses operators such as NumericLessThanEqualsPath. A value of another
// type than the operator's never matches.
func parseComparison(variable path, operator string, operand json.RawMessage) (condition, error) {
	name, fromPath := strings.CutSuffix(operator, "Path")
	compare, known := comparisons()[name]
	if !known || fromPath && name == "StringMatches" {
		return nil, fmt.Errorf("the operator is not run by the local lake")
	}
	var other path
	literal, err := decode(operand)
	if fromPath {
		err = json.Unmarshal(operand, &other)
	} else if err == nil && !isOfKind(name, literal) {
		err = fmt.Errorf("it compares with a value of another type")
	}
	if err != nil {
		return nil, err
	}
	return func(data, context any) (bool, *Failure) {
		value, found := variable.find(data, context)
		if !found {
			return false, missing(variable, "Variable")
		}
		with := literal
		if fromPath {
			if with, found = other.find(data, context); !found {
				return false, missing(other, operator)
			}
		}
		return compare(value, with), nil
	}, nil
}

// isOfKind reports whether a value is of the type with which an operator's name begins.
func isOfKind(operator string, value any) (is bool) {
	switch {
	case strings.HasPrefix(operator, "Numeric"):
		_, is = value.(json.Number)
	case strings.HasPrefix(operator, "Boolean"):
		_, is = value.(bool)
	case strings.HasPrefix(operator, "Timestamp"):
		_, is = asTime(value)
	default:
		_, is = value.(string)
	}
	return is
}

// comparisons are the operators that compare two values, by name.
func comparisons() map[string]func(a, b any) bool {
	all := map[string]func(a, b any) bool{
		"StringMatches": func(a, b any) bool {
			text, isText := a.(string)
			pattern, isPattern := b.(string)
			return isText && isPattern && glob(pattern, text)
		},
		"BooleanEquals": func(a, b any) bool {
			left, isLeft := a.(bool)
			right, isRight := b.(bool)
			return isLeft && isRight && left == right
		},
	}
	orders := map[string]func(a, b any) (int, bool){"String": orderText, "Numeric": orderNumbers, "Timestamp": orderTimes}
	for kind, order := range orders {
		for name, holds := range map[string]func(int) bool{
			"Equals":            func(o int) bool { return o == 0 },
			"LessThan":          func(o int) bool { return o < 0 },
			"LessThanEquals":    func(o int) bool { return o <= 0 },
			"GreaterThan":       func(o int) bool { return o > 0 },
			"GreaterThanEquals": func(o int) bool { return o >= 0 },
		} {
			all[kind+name] = func(a, b any) bool {
				o, comparable := order(a, b)
				return comparable && holds(o)
			}
		}
	}
	return all
}

func orderText(a, b any) (int, bool) {
	left, isLeft := a.(string)
	right, isRight := b.(string)
	return strings.Compare(left, right), isLeft && isRight
}

func orderNumbers(a, b any) (int, bool) {
	left, isLeft := a.(json.Number)
	right, isRight := b.(json.Number)
	if !isLeft || !isRight {
		return 0, false
	}
	x, errX := left.Float64()
	y, errY := right.Float64()
	switch {
	case x < y:
		return -1, errX == nil && errY == nil
	case x > y:
		return 1, errX == nil && errY == nil
	}
	return 0, errX == nil && errY == nil
}

func orderTimes(a, b any) (int, bool) {
	left, isLeft := asTime(a)
	right, isRight := asTime(b)
	return left.Compare(right), isLeft && isRight
}

// asTime reads a timestamp in the language's profile: RFC 3339 with capital T and Z.
func asTime(value any) (time.Time, bool) {
	text, isText := value.(string)
	if !isText || strings.ContainsAny(text, "tz ") {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, text)
	return t, err == nil
}

// glob matches * with any characters; \* and \\ stand for themselves. It finds the
// literal parts between the stars one after the other, each as early as possible, so that
// its time does not explode with the number of stars.
func glob(pattern, text string) bool {
	parts := globParts(pattern)
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return text == first
	}
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		_, rest, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = rest
	}
	return true
}

// globParts are the literal parts of a pattern, split at its stars.
func globParts(pattern string) []string {
	parts := []string{""}
	for i := 0; i < len(pattern); i++ {
		last := len(parts) - 1
		switch {
		case pattern[i] == '*':
			parts = append(parts, "")
		case pattern[i] == '\\' && i+1 < len(pattern):
			i++
			fallthrough
		default:
			parts[last] += pattern[i : i+1]
		}
	}
	return parts
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
