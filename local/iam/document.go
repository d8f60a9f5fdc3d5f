package iam

import (
	"encoding/json"
	"fmt"
)

// Document is a policy document
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html).
type Document struct {
	Version   string // 2012-10-17
	Id        string
	Statement []Statement
}

// Statement is one statement of a policy document. A member that IAM lets be
// one text or a list is a list here.
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
	if err := json.Unmarshal(data, &value); err != nil {
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

// principals are who a resource policy's statement speaks of: by kind (AWS,
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

// check refuses what this package does not evaluate, so that no statement is
// taken for something it does not say.
func (s Statement) check() error {
	if s.Effect != "Allow" && s.Effect != "Deny" {
		return fmt.Errorf("the effect %q is neither Allow nor Deny", s.Effect)
	}
	if s.NotPrincipal != nil {
		return fmt.Errorf("NotPrincipal is not evaluated by the local lake")
	}
	for operator := range s.Condition {
		if _, known := conditionOperator(operator); !known {
			return fmt.Errorf("the condition operator %s is not evaluated by the local lake", operator)
		}
	}
	return nil
}

// Allow is a document of one statement that lets a service do an action to a
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
	return Document{Statement: []Statement{s}}
}
