package stacks

import (
	"strings"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// accept records, in the template, beside the resource, why a finding of cdk-nag is no fault there. The rule is named as
// cdk-nag names it; with appliesTo, only the findings about these are accepted, each given as it is or, between slashes, as
// a regular expression. What belongs to the construct is included.
func accept(resource constructs.IConstruct, rule, reason string, appliesTo ...string) {
	suppression := &cdknag.NagPackSuppression{Id: &rule, Reason: &reason}
	if len(appliesTo) > 0 {
		var about []any
		for _, each := range appliesTo {
			if strings.HasPrefix(each, "/") {
				about = append(about, &cdknag.RegexAppliesTo{Regex: &each})
				continue
			}
			about = append(about, each)
		}
		suppression.AppliesTo = &about
	}
	cdknag.NagSuppressions_AddResourceSuppressions(resource, &[]*cdknag.NagPackSuppression{suppression}, new(true))
}
