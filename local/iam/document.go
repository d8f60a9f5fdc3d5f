package iam

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Document is a policy document
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html).
type Document struct {
	Version   string // the policy language's; only 2012-10-17 has variables
	Id        string
	Statement []Statement
}

// Statement is one statement of a policy document. A member that IAM allows to be one
// text or a list is a list here.
type Statement struct {
	Sid          string
	Effect       string // Allow or Deny
	Principal    principals
	NotPrincipal json.RawMessage
	Action       texts
	NotAction    texts
	Resource     texts
	NotResource  texts
	Condition    map[string]map[string]texts // operator, key, values
}

// texts is one text or a list of them. Booleans and numbers, which conditions
// may hold, are read as their text.
type texts []string

// UnmarshalJSON reads a scalar or a list of scalars.
func (t *texts) UnmarshalJSON(data []byte) error {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber() // 123456789012 is an account's id, not 1.23456789012e+11
	if err := decoder.Decode(&value); err != nil {
		return err
	}
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	*t = make(texts, len(list))
	for i, item := range list {
		(*t)[i] = fmt.Sprint(item)
	}
	return nil
}

// principals are those that a resource policy's statement applies to: by kind (AWS,
// Service), or everybody ("*").
type principals map[string]texts

// UnmarshalJSON reads "*" or an object of kinds.
func (p *principals) UnmarshalJSON(data []byte) error {
	if string(data) == `"*"` {
		*p = principals{"AWS": {"*"}}
		return nil
	}
	return json.Unmarshal(data, (*map[string]texts)(p))
}

// check refuses what this package does not evaluate, so that no statement is taken to
// mean something else. version is the document's version.
func (s Statement) check(version string) error {
	if s.Effect != "Allow" && s.Effect != "Deny" {
		return fmt.Errorf("the effect %q is neither Allow nor Deny", s.Effect)
	}
	if s.NotPrincipal != nil {
		return fmt.Errorf("NotPrincipal is not evaluated by the local lake")
	}
	for kind, names := range s.Principal {
		if slices.Contains(names, "") { // it would name a caller who signs nothing
			return fmt.Errorf("a principal of the kind %s is empty", kind)
		}
	}
	for _, resource := range slices.Concat(s.Resource, s.NotResource) {
		if resource != "*" && strings.Count(resource, ":") < arnParts-1 {
			return fmt.Errorf("the resource %s is neither * nor an ARN of six parts", resource)
		}
		if err := checkVariables(resource, version); err != nil {
			return err
		}
	}
	for operator, keys := range s.Condition {
		if err := checkCondition(operator, keys, version); err != nil {
			return err
		}
	}
	return nil
}

func checkCondition(operator string, keys map[string]texts, version string) error {
	if _, known := conditionOperator(operator); !known {
		return fmt.Errorf("the condition operator %s is not evaluated by the local lake", operator)
	}
	arns := strings.Contains(operator, "Arn")
	for _, value := range slices.Concat(slices.Collect(maps.Values(keys))...) {
		variable := strings.Contains(value, "${")
		switch {
		case variable && !arns && !strings.Contains(operator, "String"):
			return fmt.Errorf("%s takes no policy variable, such as in %s", operator, value)
		case arns && !variable && strings.Count(value, ":") < arnParts-1:
			return fmt.Errorf("%s takes an ARN of six parts, which %s is not", operator, value)
		}
		if err := checkVariables(value, version); err != nil {
			return err
		}
	}
	return nil
}

// checkVariables refuses variables that only the newest version knows, in an older one,
// and those that stand for a special character
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html).
func checkVariables(text, version string) error {
	if strings.Contains(text, "${") && version != "2012-10-17" {
		return fmt.Errorf("%s holds a policy variable, for which the policy needs the version 2012-10-17", text)
	}
	for _, special := range []string{"${*}", "${?}", "${$}"} {
		if strings.Contains(text, special) {
			return fmt.Errorf("the policy variable %s is not evaluated by the local lake", special)
		}
	}
	return nil
}

// Allow returns a document of one statement that lets a service perform an action on a
// resource under conditions: operator, key, value.
func Allow(service, action, resource string, conditions map[string]map[string]string) Document {
	s := Statement{
		Effect: "Allow", Principal: principals{"Service": {service}},
		Action: texts{action}, Resource: texts{resource}, Condition: map[string]map[string]texts{},
	}
	for operator, keys := range conditions {
		s.Condition[operator] = map[string]texts{}
		for key, value := range keys {
			s.Condition[operator][key] = texts{value}
		}
	}
	return Document{Version: "2012-10-17", Statement: []Statement{s}}
}
