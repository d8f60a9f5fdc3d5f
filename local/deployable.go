package local

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"hl7lake/local/iam"
	"hl7lake/local/template"
)

// deployable returns an error for the first policy, of any resource and also of those that
// are not run here, that AWS would refuse when the stack is deployed. Policies stand in
// properties as objects, and for some types as texts that hold JSON.
func deployable(assembly *template.Assembly) error {
	for _, stack := range assembly.Stacks {
		for _, r := range stack.Resources {
			properties, err := r.Properties()
			if err != nil {
				return err
			}
			if err := checkPolicies(r.Type, "", "", properties); err != nil {
				return r.Fail("", err)
			}
		}
	}
	return nil
}

// checkPolicies looks for policies in a property's value: what is where a policy belongs,
// and what looks like one, wherever it is.
func checkPolicies(resourceType, path, name string, value any) error {
	belongs := slices.Contains([]string{"PolicyDocument", "AssumeRolePolicyDocument", "KeyPolicy"}, name)
	switch value := value.(type) {
	case string:
		var parsed map[string]any
		if err := json.Unmarshal([]byte(value), &parsed); err == nil {
			return checkPolicies(resourceType, path, name, parsed)
		} else if belongs {
			return fmt.Errorf("property %s: the text is no JSON object", path)
		}
	case map[string]any:
		if _, looksLikeOne := value["Statement"]; belongs || looksLikeOne {
			document, err := json.Marshal(value)
			if err == nil {
				err = iam.Check(document, policyKind(resourceType, name))
			}
			if err != nil {
				return fmt.Errorf("property %s: %w", path, err)
			}
			return nil
		}
		for _, key := range slices.Sorted(maps.Keys(value)) {
			if err := checkPolicies(resourceType, strings.TrimPrefix(path+"."+key, "."), key, value[key]); err != nil {
				return err
			}
		}
	case []any:
		for i, member := range value {
			if err := checkPolicies(resourceType, fmt.Sprintf("%s[%d]", path, i), "", member); err != nil {
				return err
			}
		}
	}
	return nil
}

// policyKind says by which rules a policy is written.
func policyKind(resourceType, property string) iam.Kind {
	switch {
	case property == "AssumeRolePolicyDocument":
		return iam.TrustPolicy
	case strings.HasPrefix(resourceType, "AWS::IAM::"):
		return iam.IdentityPolicy
	}
	return iam.ResourcePolicy
}
