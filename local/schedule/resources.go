package schedule

import (
	"hl7lake/local/resource"
	"hl7lake/local/template"
	"hl7lake/local/wire"
)

// Dialect is that of EventBridge. None of its operations is run.
func (s *Service) Dialect() wire.Dialect { return wire.Speaks("events") }

// Resources are the resource types that are run.
func (s *Service) Resources() []resource.Type {
	return []resource.Type{
		resource.Of("AWS::Events::Rule", identify, func(r *resource.Resource, rule Rule) error {
			return s.Add(r.Attributes["Arn"], rule)
		}),
	}
}

func identify(r *template.Resource) (string, template.Attributes) {
	name := r.Name("Name", 64)
	return name, template.Attributes{"Arn": wire.ARN("events", "rule/"+name)}
}
