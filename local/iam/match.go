package iam

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// matches reports whether the statement applies to the action, in lower case, on the
// resource under these condition keys.
func (s *statement) matches(action, resource string, keys values) bool {
	named := func(pattern string) bool {
		expanded, has := expand(pattern, keys)
		return has && (pattern == "*" || likeARN(expanded, resource))
	}
	called := func(pattern string) bool { return Wildcard(pattern, action) }
	return included(s.actions, s.notActions, called) && included(s.Resource, s.NotResource, named) && s.conditionsHold(keys)
}

// included reports whether one of a list of patterns matches or, if the statement has the
// list of exceptions instead, none of those.
func included(patterns, exceptions []string, matches func(pattern string) bool) bool {
	if len(exceptions) > 0 {
		return !slices.ContainsFunc(exceptions, matches)
	}
	return slices.ContainsFunc(patterns, matches)
}

// expand replaces variables in a pattern, such as ${aws:PrincipalTag/read}, by the values
// of condition keys, or by the default that the variable gives: ${aws:PrincipalTag/read,
// 'none'}
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html).
// With a variable that has no value, the pattern matches nothing. The same holds for a
// value that would be a wildcard here, which no tag holds.
func expand(pattern string, keys values) (expanded string, has bool) {
	for {
		before, rest, found := strings.Cut(pattern, "${")
		if !found {
			return expanded + pattern, true
		}
		variable, after, closed := strings.Cut(rest, "}")
		name, fallback, _ := strings.Cut(variable, ", ")
		value := strings.Trim(fallback, "'")
		if given, known := keys.of(name); known && len(given) == 1 && given[0] != "" {
			value = given[0]
		}
		if !closed || value == "" || strings.ContainsAny(value, "*?$") {
			return "", false
		}
		expanded, pattern = expanded+before+value, after
	}
}

// names reports whether the statement of a resource policy applies to the caller, an ARN
// or a service's name, or to the caller's whole account. A statement for everybody
// applies to services too
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html).
func (s *statement) names(caller string) (named, delegated bool) {
	if slices.Contains(s.Principal["Service"], caller) {
		return true, false
	}
	for _, principal := range s.Principal["AWS"] {
		switch {
		case principal == "*" || principal == caller:
			named = true
		case account(caller) != "":
			in := account(caller)
			delegated = delegated || principal == in || principal == "arn:aws:iam::"+in+":root"
		}
	}
	return named, delegated
}

func (s *statement) conditionsHold(keys values) bool {
	for operator, conditions := range s.Condition {
		holds, _ := conditionOperator(operator)
		for key, wanted := range conditions {
			given, present := keys.of(key)
			if !holds(given, present, expandAll(wanted, keys)) {
				return false
			}
		}
	}
	return true
}

// expandAll expands the values of a condition and drops those that have no value.
func expandAll(texts []string, keys values) (all []string) {
	for _, value := range texts {
		if expanded, has := expand(value, keys); has {
			all = append(all, expanded)
		}
	}
	return all
}

// values are the condition keys of a request. Most keys have one value.
type values map[string][]string

// single makes values of keys that have one each.
func single(keys map[string]string) values {
	all := make(values, len(keys))
	for key, value := range keys {
		all[key] = []string{value}
	}
	return all
}

// of finds a condition key; their names ignore case.
func (v values) of(name string) ([]string, bool) {
	for key, found := range v {
		if strings.EqualFold(key, name) {
			return found, true
		}
	}
	return nil, false
}

// holds decides a condition for one value of a key, which may be absent from the request.
type holds func(value string, present bool, wanted []string) bool

// holdsForAll decides a condition for all values of a key.
type holdsForAll func(given []string, present bool, wanted []string) bool

// conditionOperator returns what an operator means
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html).
// For a key with several values, ForAnyValue needs one that matches and ForAllValues
// needs all to match, so that an absent key satisfies only the second
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html).
func conditionOperator(name string) (holdsForAll, bool) {
	base, ifExists := strings.CutSuffix(name, "IfExists")
	base, anyValue := strings.CutPrefix(base, "ForAnyValue:")
	base, allValues := strings.CutPrefix(base, "ForAllValues:")
	operator, known := baseOperator(base)
	if !known || anyValue && allValues || base == "Null" && base != name { // which supports neither
		return nil, false
	}
	return func(given []string, present bool, wanted []string) bool {
		one := func(value string) bool { return operator(value, true, wanted) }
		switch {
		case !present && ifExists:
			return true
		case anyValue:
			return slices.ContainsFunc(given, one)
		case allValues:
			return !slices.ContainsFunc(given, func(value string) bool { return !one(value) })
		case !present || len(given) == 0:
			return operator("", false, wanted)
		}
		return operator(given[0], true, wanted)
	}, true
}

func baseOperator(name string) (holds, bool) {
	switch name {
	case "StringEquals":
		return positive(equal), true
	case "StringEqualsIgnoreCase":
		return positive(strings.EqualFold), true
	case "StringLike":
		return positive(Wildcard), true
	case "StringNotEquals":
		return negative(equal), true
	case "StringNotLike":
		return negative(Wildcard), true
	case "ArnEquals", "ArnLike": // AWS evaluates both in the same way
		return positive(likeARN), true
	case "ArnNotEquals", "ArnNotLike":
		return negative(likeARN), true
	case "Bool":
		return positive(strings.EqualFold), true
	case "Null":
		return func(_ string, present bool, wanted []string) bool {
			return positive(strings.EqualFold)(strconv.FormatBool(!present), true, wanted)
		}, true
	case "NumericLessThan":
		return numeric(func(value, want float64) bool { return value < want }), true
	case "NumericLessThanEquals":
		return numeric(func(value, want float64) bool { return value <= want }), true
	case "NumericGreaterThan":
		return numeric(func(value, want float64) bool { return value > want }), true
	case "NumericGreaterThanEquals":
		return numeric(func(value, want float64) bool { return value >= want }), true
	}
	return nil, false
}

// positive holds if the key is present and one of the wanted values matches.
func positive(agrees func(want, value string) bool) holds {
	return func(value string, present bool, wanted []string) bool {
		return present && slices.ContainsFunc(wanted, func(want string) bool { return agrees(want, value) })
	}
}

// negative holds if the key is absent or none of the wanted values matches.
func negative(agrees func(want, value string) bool) holds {
	return func(value string, present bool, wanted []string) bool {
		return !positive(agrees)(value, present, wanted)
	}
}

// numeric holds if both sides are numbers and compare like that. A text that is not a
// number compares with none.
func numeric(compares func(value, want float64) bool) holds {
	return positive(func(want, value string) bool {
		w, wantErr := strconv.ParseFloat(want, 64)
		v, valueErr := strconv.ParseFloat(value, 64)
		return wantErr == nil && valueErr == nil && compares(v, w)
	})
}

func equal(want, value string) bool { return want == value }

// arnParts is how many parts an ARN has, separated by colons. The last part may hold
// colons itself.
const arnParts = 6

// likeARN reports whether an ARN matches a pattern part by part: a wildcard stands for
// text within its part only.
func likeARN(pattern, arn string) bool {
	patterns, parts := strings.SplitN(pattern, ":", arnParts), strings.SplitN(arn, ":", arnParts)
	if len(patterns) < arnParts || len(parts) < arnParts {
		return false
	}
	return slices.EqualFunc(patterns, parts, Wildcard)
}

// Wildcard reports whether value matches a pattern in which * stands for any text and ?
// for one character. In the worst case its time is proportional to the product of the
// lengths.
func Wildcard(pattern, value string) bool {
	p, v, star, resume := 0, 0, -1, 0
	for v < len(value) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, v
			p++
		case p < len(pattern) && pattern[p] == '?':
			_, size := utf8.DecodeRuneInString(value[v:])
			p, v = p+1, v+size
		case p < len(pattern) && pattern[p] == value[v]:
			p++
			v++
		case star >= 0: // let the last * take one more character
			resume++
			p, v = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
