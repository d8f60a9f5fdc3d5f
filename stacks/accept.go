package stacks

import (
	"strings"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// accept records, in the template next to the resource, why a finding of cdk-nag is not a
// fault there. The rule has cdk-nag's name. With appliesTo, only the findings about these
// are accepted, each given as it is or, between slashes, as a regular expression. The
// construct's children are included.
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
