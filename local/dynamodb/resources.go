package dynamodb

import (
	"hl7lake/local/resource"
	"hl7lake/local/template"
	"hl7lake/local/wire"
)

// Dialect is DynamoDB's.
func (s *Service) Dialect() wire.Dialect {
	d := wire.Speaks("dynamodb")
	d.Failed.Name, d.Throttled.Name = "InternalServerError", "ProvisionedThroughputExceededException"
	return d
}

// Resources are the resource types that are run.
func (s *Service) Resources() []resource.Type {
	return []resource.Type{
		resource.Of("AWS::DynamoDB::Table", identify, func(r *resource.Resource, t Table) error {
			t.TableName = r.PhysicalID
			return s.CreateTable(t)
		}),
	}
}

func identify(r *template.Resource) (string, template.Attributes) {
	name := r.Name("TableName", 255)
	return name, template.Attributes{"Arn": wire.ARN("dynamodb", "table/"+name)}
}
