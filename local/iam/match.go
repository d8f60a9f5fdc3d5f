package iam

import (
	"slices"
	"strconv"
	"strings"
)

// matches tells whether the statement speaks of the action, in lower case, on
// the resource under these condition keys.
func (s *statement) matches(action, resource string, keys map[string]string) bool {
	named := func(pattern string) bool {
		expanded, has := expand(pattern, keys)
		return has && Wildcard(expanded, resource)
	}
	called := func(pattern string) bool { return Wildcard(pattern, action) }
	return included(s.actions, s.notActions, called) && included(s.Resource, s.NotResource, named) && s.conditionsHold(keys)
}

// included tells whether one of a list of patterns matches or, where the
// statement has the list of exceptions instead, none of those.
func included(patterns, exceptions []string, matches func(pattern string) bool) bool {
	if len(exceptions) > 0 {
		return !slices.ContainsFunc(exceptions, matches)
	}
	return slices.ContainsFunc(patterns, matches)
}

// expand puts the values of condition keys into a pattern, in the place of
// variables such as ${aws:PrincipalTag/read}
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html).
// A variable without a value has the pattern match nothing, and so has a value
// that would read as a wildcard here.
func expand(pattern string, keys map[string]string) (expanded string, has bool) {
	for {
		before, rest, found := strings.Cut(pattern, "${")
		if !found {
			return expanded + pattern, true
		}
		name, after, closed := strings.Cut(rest, "}")
		value, known := lookUp(keys, name)
		if !closed || !known || value == "" || strings.ContainsAny(value, "*?$") {
			return "", false
		}
		expanded, pattern = expanded+before+value, after
	}
}

// names tells whether the statement of a resource policy speaks of the caller:
// an ARN or a service's name. An allow for the whole account names nobody: it
// leaves the decision to the callers' own policies; a deny names everybody in it.
func (s *statement) names(caller string) bool {
	if slices.Contains(s.Principal["Service"], caller) || slices.Contains(s.Principal["AWS"], "*") {
		return true
	}
	return slices.ContainsFunc(s.Principal["AWS"], func(principal string) bool {
		return principal == caller || (s.Effect == "Deny" && strings.HasSuffix(principal, ":root"))
	})
}

func (s *statement) conditionsHold(keys map[string]string) bool {
	for operator, conditions := range s.Condition {
		holds, _ := conditionOperator(operator)
		for key, values := range conditions {
			value, present := lookUp(keys, key)
			if !holds(value, present, expandAll(values, keys)) {
				return false
			}
		}
	}
	return true
}

// expandAll expands the values of a condition, less those that have none.
func expandAll(values []string, keys map[string]string) (all []string) {
	for _, value := range values {
		if expanded, has := expand(value, keys); has {
			all = append(all, expanded)
		}
	}
	return all
}

// lookUp finds a condition key; their names ignore case.
func lookUp(keys map[string]string, name string) (string, bool) {
	for key, value := range keys {
		if strings.EqualFold(key, name) {
			return value, true
		}
	}
	return "", false
}

// holds decides a condition for a key that may be absent from the request.
type holds func(value string, present bool, wanted []string) bool

// conditionOperator returns what an operator means
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html).
func conditionOperator(name string) (holds, bool) {
	base, ifExists := strings.CutSuffix(name, "IfExists")
	operator, known := baseOperator(base)
	if !ifExists || !known {
		return operator, known
	}
	return func(value string, present bool, wanted []string) bool {
		return !present || operator(value, present, wanted)
	}, true
}

func baseOperator(name string) (holds, bool) {
	switch name {
	case "StringEquals", "ArnEquals":
		return positive(func(want, value string) bool { return want == value }), true
	case "StringEqualsIgnoreCase":
		return positive(strings.EqualFold), true
	case "StringLike", "ArnLike":
		return positive(Wildcard), true
	case "StringNotEquals", "ArnNotEquals":
		return negative(func(want, value string) bool { return want == value }), true
	case "StringNotLike", "ArnNotLike":
		return negative(Wildcard), true
	case "Bool":
		return positive(strings.EqualFold), true
	case "Null":
		return func(_ string, present bool, wanted []string) bool {
			return slices.Contains(wanted, strconv.FormatBool(!present))
		}, true
	case "NumericLessThan":
		return positive(func(want, value string) bool { return number(value) < number(want) }), true
	case "NumericLessThanEquals":
		return positive(func(want, value string) bool { return number(value) <= number(want) }), true
	case "NumericGreaterThan":
		return positive(func(want, value string) bool { return number(value) > number(want) }), true
	case "NumericGreaterThanEquals":
		return positive(func(want, value string) bool { return number(value) >= number(want) }), true
	}
	return nil, false
}

// positive holds where the key is present and one of the wanted values agrees.
func positive(agrees func(want, value string) bool) holds {
	return func(value string, present bool, wanted []string) bool {
		return present && slices.ContainsFunc(wanted, func(want string) bool { return agrees(want, value) })
	}
}

// negative holds where the key is absent or none of the wanted values agrees.
func negative(agrees func(want, value string) bool) holds {
	return func(value string, present bool, wanted []string) bool {
		return !positive(agrees)(value, present, wanted)
	}
}

func number(text string) float64 {
	n, _ := strconv.ParseFloat(text, 64) // a text that is no number compares as 0
	return n
}

// Wildcard tells whether value matches a pattern in which * stands for any
// text and ? for one character. It takes time in proportion to the product of
// the lengths at worst.
func Wildcard(pattern, value string) bool {
	p, v, star, resume := 0, 0, -1, 0
	for v < len(value) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, v
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == value[v]):
			p++
			v++
		case star >= 0: // let the last * take one character more
			resume++
			p, v = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
