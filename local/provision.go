package local

import (
	"slices"

	"hl7lake/local/lambda"
	"hl7lake/local/resource"
	"hl7lake/local/template"
	"hl7lake/local/wire"
)

// LeftOut is a resource, or a property of one, that the templates ask for and that is not
// run here.
type LeftOut = resource.LeftOut

// ignoredTypes are the resource types that are not run at all, with the reason. Only
// their policy documents are checked.
func ignoredTypes() wire.Ignored {
	return wire.Ignored{
		"AWS::Athena::NamedQuery":     "there is no Athena here; `lake sql` asks the tables' files",
		"AWS::Athena::WorkGroup":      "there is no Athena here; `lake sql` asks the tables' files",
		"AWS::CloudTrail::Trail":      "who called what is not recorded here",
		"AWS::CloudWatch::Alarm":      "nothing is measured that an alarm could watch",
		"AWS::CloudWatch::Dashboard":  "nothing is measured that a dashboard could show",
		"AWS::Glue::Database":         "`lake sql` makes views of the tables' files itself",
		"AWS::Glue::Table":            "`lake sql` makes views of the tables' files itself",
		"AWS::IAM::ManagedPolicy":     "there are no roles of people here to which an operator could attach it",
		"AWS::Logs::MetricFilter":     "nothing is measured from logs here",
		"AWS::Logs::QueryDefinition":  "the logs are files, which grep can search",
		"AWS::XRay::ResourcePolicy":   "nothing is traced here",
		"Custom::S3AutoDeleteObjects": "it empties a bucket before its stack is deleted; here the data folder is deleted",
	}
}

// provision makes every resource of the assembly, and records those of ignored types.
// First it checks for what AWS would refuse at deployment, before anything is made.
func (l *Lake) provision() error {
	types := l.types()
	if err := l.knowTypes(types); err != nil {
		return err
	}
	if err := checkPolicies(l.assembly); err != nil {
		return err
	}
	for _, t := range types {
		for _, r := range l.assembly.OfType(t.Name) {
			leftOut, err := t.Make(r)
			if err != nil {
				return err
			}
			l.notRun = append(l.notRun, leftOut...)
		}
	}
	return nil
}

// knowTypes refuses a resource whose type is neither run nor ignored by name, and records
// those that are ignored.
func (l *Lake) knowTypes(run []resource.Type) error {
	ignored := ignoredTypes()
	for _, stack := range l.assembly.Stacks {
		for _, r := range stack.Resources {
			if slices.ContainsFunc(run, func(t resource.Type) bool { return t.Name == r.Type }) {
				continue
			}
			reason, is := ignored[r.Type]
			if !is {
				return r.Fail("", wire.Unsupported("the resource type "+r.Type))
			}
			l.notRun = append(l.notRun, resource.Leave(r, "", reason))
		}
	}
	return nil
}

// packagesOf lists the packages of the functions that can be run here.
func packagesOf(a *template.Assembly) (packages []string) {
	for _, r := range a.OfType("AWS::Lambda::Function") {
		if p, ours := lambda.Package(r); ours {
			packages = append(packages, p)
		}
	}
	return packages
}
