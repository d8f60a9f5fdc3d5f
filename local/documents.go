package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"hl7lake/local/iam"
	"hl7lake/local/template"
)

// checkPolicies refuses what AWS would refuse at deployment: a malformed policy document
// in any property of any resource, as an object or as a text, and what jsii leaves of an
// object that was taken for a text.
func checkPolicies(a *template.Assembly) error {
	for _, stack := range a.Stacks {
		for _, r := range stack.Resources {
			properties, err := r.Properties()
			if err != nil {
				return err
			}
			if err := checkDocuments(r.Type, "", properties); err != nil {
				return r.Fail("", fmt.Errorf("%s: %w", r.Type, err))
			}
		}
	}
	return nil
}

// isDocument reports whether the property at a path always holds a policy document.
func isDocument(path string) bool {
	name := path[strings.LastIndexByte(path, '.')+1:]
	return name == "PolicyDocument" || name == "AssumeRolePolicyDocument" || name == "KeyPolicy"
}

// checkDocuments checks every policy document in the value of the property at a path. A
// document is recognized by its property's name or, under any other name, by its
// statements.
func checkDocuments(resourceType, path string, value any) error {
	switch value := value.(type) {
	case string:
		return checkText(resourceType, path, value)
	case []any:
		for _, item := range value {
			if err := checkDocuments(resourceType, path, item); err != nil {
				return err
			}
		}
	case map[string]any:
		if _, has := value["Statement"]; has || isDocument(path) {
			text, err := json.Marshal(value)
			if err != nil {
				return err
			}
			return check(resourceType, path, string(text))
		}
		for _, member := range slices.Sorted(maps.Keys(value)) {
			below := strings.TrimPrefix(path+"."+member, ".")
			if strings.HasPrefix(member, "$jsii") {
				return errors.New("property " + below + " is a wrapper of jsii's, not CloudFormation")
			}
			if err := checkDocuments(resourceType, below, value[member]); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkText checks a text that is a policy document, or that should be one.
func checkText(resourceType, path, text string) error {
	var value any
	err := json.Unmarshal([]byte(text), &value)
	object, isObject := value.(map[string]any)
	_, hasStatements := object["Statement"]
	switch {
	case isDocument(path), hasStatements:
		return check(resourceType, path, text)
	case err != nil || !isObject:
		if strings.Contains(text, "$jsii.") {
			return errors.New("property " + path + " holds a wrapper of jsii's")
		}
		return nil
	}
	return checkDocuments(resourceType, path, object)
}

// check compares the text of a document with the grammar.
func check(resourceType, path, text string) error {
	if err := iam.Check([]byte(text), kindOf(resourceType, path)); err != nil {
		return fmt.Errorf("property %s: %w", path, err)
	}
	return nil
}

// kindOf says what a document in a property belongs to.
func kindOf(resourceType, path string) iam.Kind {
	switch {
	case path == "AssumeRolePolicyDocument":
		return iam.TrustPolicy
	case strings.HasPrefix(resourceType, "AWS::IAM::"):
		return iam.IdentityPolicy
	}
	return iam.ResourcePolicy
}
