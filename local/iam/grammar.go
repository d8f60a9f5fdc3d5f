package iam

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Kind is where a policy stands, which decides on the elements that its statements have.
type Kind int

// The kinds of policies (IAM User Guide, Policies and permissions in IAM).
const (
	AnyPolicy      Kind = iota // what all kinds have in common
	IdentityPolicy             // of a role: it names resources and no principal
	ResourcePolicy             // of a bucket, a key and the like: it names principals
	TrustPolicy                // of who may take a role: it names principals and no resource
)

// A GrammarError says what a policy document has that AWS refuses when it is created.
type GrammarError struct {
	Place  string // such as Statement[0].Condition
	Reason string
}

func (e *GrammarError) Error() string {
	return "malformed policy: " + strings.TrimPrefix(e.Place+": ", ": ") + e.Reason
}

// Check holds a policy document against the grammar of the policy language, as AWS does
// when a policy is created (IAM User Guide, Grammar of the IAM JSON policy language). The
// error is a [*GrammarError].
func Check(document []byte, kind Kind) error {
	var policy map[string]json.RawMessage
	if err := json.Unmarshal(document, &policy); err != nil {
		return &GrammarError{"", "it is no JSON object"}
	}
	for _, name := range slices.Sorted(maps.Keys(policy)) {
		if !slices.Contains([]string{"Version", "Id", "Statement"}, name) {
			return &GrammarError{name, "no element of a policy"}
		}
	}
	if version, given := policy["Version"]; given {
		if v := text(version); v != "2012-10-17" && v != "2008-10-17" {
			return &GrammarError{"Version", "no version of the policy language"}
		}
	}
	var statements []json.RawMessage
	if json.Unmarshal(policy["Statement"], &statements) != nil {
		statements = []json.RawMessage{policy["Statement"]}
	}
	if len(statements) == 0 {
		return &GrammarError{"Statement", "there is none"}
	}
	sids := map[string]bool{}
	for i, statement := range statements {
		place := fmt.Sprintf("Statement[%d]", i)
		if err := checkStatement(statement, place, kind); err != nil {
			return err
		}
		var named struct{ Sid string }
		_ = json.Unmarshal(statement, &named) // checkStatement has read it
		if named.Sid != "" && sids[named.Sid] {
			return &GrammarError{place + ".Sid", "another statement has it"}
		}
		sids[named.Sid] = true
	}
	return nil
}

// text returns a JSON string, empty for anything else.
func text(raw json.RawMessage) (s string) {
	_ = json.Unmarshal(raw, &s) // what is no string is no text
	return s
}

func checkStatement(raw json.RawMessage, place string, kind Kind) error {
	var s map[string]json.RawMessage
	if json.Unmarshal(raw, &s) != nil || s == nil {
		return &GrammarError{place, "it is no object"}
	}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		check, known := elements()[name]
		if !known {
			return &GrammarError{place + "." + name, "no element of a statement"}
		}
		if err := check(s[name], place+"."+name); err != nil {
			return err
		}
	}
	if s["Effect"] == nil {
		return &GrammarError{place + ".Effect", "it is missing"}
	}
	for _, element := range []string{"Action", "Principal", "Resource"} {
		given := 0
		for _, name := range []string{element, "Not" + element} {
			if s[name] != nil {
				given++
			}
		}
		may, must := kind.has(element)
		switch {
		case given > 1:
			return &GrammarError{place, element + " and Not" + element + " exclude each other"}
		case given > 0 && !may:
			return &GrammarError{place + "." + element, "a policy of this kind has none"}
		case given == 0 && must:
			return &GrammarError{place + "." + element, "it is missing"}
		}
	}
	return nil
}

// has reports whether statements of a kind may, and must, have an element.
func (k Kind) has(element string) (may, must bool) {
	switch {
	case element == "Action":
		return true, true
	case k == AnyPolicy:
		return true, false
	case element == "Principal":
		return k != IdentityPolicy, k != IdentityPolicy
	}
	return k != TrustPolicy, k == IdentityPolicy // some services' policies leave their own resource out
}

// elements are what a statement may have, each with what its value must be.
func elements() map[string]func(json.RawMessage, string) error {
	return map[string]func(json.RawMessage, string) error{
		"Sid": func(raw json.RawMessage, place string) error { return matching(raw, place, `^.*$`) },
		"Effect": func(raw json.RawMessage, place string) error {
			if e := text(raw); e != "Allow" && e != "Deny" {
				return &GrammarError{place, "it is neither Allow nor Deny"}
			}
			return nil
		},
		"Action":       checkActions,
		"NotAction":    checkActions,
		"Resource":     checkResources,
		"NotResource":  checkResources,
		"Principal":    checkPrincipals,
		"NotPrincipal": checkPrincipals,
		"Condition":    checkConditions,
	}
}

func checkActions(raw json.RawMessage, place string) error {
	return matching(raw, place, `^(\*|[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+)$`)
}

func checkResources(raw json.RawMessage, place string) error {
	return matching(raw, place, `^(\*|arn:[^:]+:[^:]*:[^:]*:[^:]*:.+|\$\{.+)$`)
}

// matching checks one text or a list of them against a pattern.
func matching(raw json.RawMessage, place, pattern string) error {
	var list []string
	if json.Unmarshal(raw, &list) != nil {
		var one string
		if json.Unmarshal(raw, &one) != nil {
			return &GrammarError{place, "it is neither a text nor a list of texts"}
		}
		list = []string{one}
	}
	if len(list) == 0 {
		return &GrammarError{place, "it is empty"}
	}
	shape := regexp.MustCompile(pattern)
	for _, each := range list {
		if !shape.MatchString(each) {
			return &GrammarError{place, "a value is not of its form"}
		}
	}
	return nil
}

func checkPrincipals(raw json.RawMessage, place string) error {
	if text(raw) == "*" {
		return nil
	}
	var kinds map[string]json.RawMessage
	if json.Unmarshal(raw, &kinds) != nil || len(kinds) == 0 {
		return &GrammarError{place, "it is neither * nor an object of principals"}
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		if !slices.Contains([]string{"AWS", "Service", "Federated", "CanonicalUser"}, kind) {
			return &GrammarError{place + "." + kind, "no kind of principal"}
		}
		if err := matching(kinds[kind], place+"."+kind, `^\S+$`); err != nil {
			return err
		}
	}
	return nil
}

func checkConditions(raw json.RawMessage, place string) error {
	var operators map[string]json.RawMessage
	if json.Unmarshal(raw, &operators) != nil || operators == nil {
		return &GrammarError{place, "it is no object"}
	}
	for _, operator := range slices.Sorted(maps.Keys(operators)) {
		at := place + "." + operator
		if !isOperator(operator) {
			return &GrammarError{at, "no condition operator"}
		}
		var keys map[string]any
		if json.Unmarshal(operators[operator], &keys) != nil || len(keys) == 0 {
			return &GrammarError{at, "it is no object of condition keys"}
		}
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			if !isValues(keys[key]) {
				return &GrammarError{at + "." + key, "it is neither a value nor a list of values"}
			}
		}
	}
	return nil
}

// isOperator reports whether IAM has a condition operator of that name (IAM User Guide,
// IAM JSON policy elements: Condition operators), evaluated here or not.
func isOperator(name string) bool {
	name = strings.TrimPrefix(strings.TrimPrefix(name, "ForAllValues:"), "ForAnyValue:")
	if name == "Null" {
		return true
	}
	name = strings.TrimSuffix(name, "IfExists")
	for family, suffixes := range map[string]string{
		"String":  "Equals NotEquals EqualsIgnoreCase NotEqualsIgnoreCase Like NotLike",
		"Numeric": "Equals NotEquals LessThan LessThanEquals GreaterThan GreaterThanEquals",
		"Date":    "Equals NotEquals LessThan LessThanEquals GreaterThan GreaterThanEquals",
		"Arn":     "Equals NotEquals Like NotLike",
	} {
		if suffix, is := strings.CutPrefix(name, family); is && slices.Contains(strings.Fields(suffixes), suffix) {
			return true
		}
	}
	return slices.Contains([]string{"Bool", "BinaryEquals", "IpAddress", "NotIpAddress"}, name)
}

// isValues reports whether a condition's value is a text, a number or a boolean, or a list
// of these.
func isValues(value any) bool {
	switch value := value.(type) {
	case []any:
		return !slices.ContainsFunc(value, func(member any) bool {
			_, isList := member.([]any)
			return isList || !isValues(member)
		})
	case string, float64, bool:
		return true
	}
	return false
}
