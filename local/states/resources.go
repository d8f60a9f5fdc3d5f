package states

import (
	"hl7lake/local/resource"
	"hl7lake/local/template"
	"hl7lake/local/wire"
)

// Dialect is that of Step Functions.
func (s *Service) Dialect() wire.Dialect {
	d := wire.Speaks("states")
	d.Failed.Name = "InternalServerError"
	return d
}

// Resources are the resource types that are run.
func (s *Service) Resources() []resource.Type {
	return []resource.Type{
		resource.Of("AWS::StepFunctions::StateMachine", identify, func(r *resource.Resource, m StateMachine) error {
			return s.Add(r.PhysicalID, m)
		}),
	}
}

func identify(r *template.Resource) (string, template.Attributes) {
	name := r.Name("StateMachineName", 80)
	arn := wire.ARN("states", "stateMachine:"+name)
	return arn, template.Attributes{"Arn": arn, "Name": name}
}
