package sqs

import (
	"net/http"

	"hl7lake/local/resource"
	"hl7lake/local/template"
	"hl7lake/local/wire"
)

// Dialect is that of SQS.
func (s *Service) Dialect() wire.Dialect {
	d := wire.SpeaksQuery("sqs")
	d.Denied = wire.Code{Status: http.StatusForbidden, Name: "AccessDenied"}
	return d
}

// Resources are the resource types that are run.
func (s *Service) Resources() []resource.Type {
	return []resource.Type{
		resource.Of("AWS::SQS::Queue", identify, func(r *resource.Resource, q Queue) error {
			return s.Add(r.Attributes["QueueName"], q)
		}),
	}
}

func identify(r *template.Resource) (string, template.Attributes) {
	name := r.Name("QueueName", 80)
	url := "https://sqs." + wire.Region + ".amazonaws.com/" + wire.Account + "/" + name
	return url, template.Attributes{"Arn": ARN(name), "QueueName": name, "QueueUrl": url}
}
