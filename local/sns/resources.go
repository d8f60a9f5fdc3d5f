package sns

import (
	"net/http"

	"hl7lake/local/resource"
	"hl7lake/local/template"
	"hl7lake/local/wire"
)

// Dialect is that of SNS.
func (s *Service) Dialect() wire.Dialect {
	d := wire.SpeaksQuery("sns")
	d.Denied = wire.Code{Status: http.StatusForbidden, Name: "AuthorizationError"}
	d.Throttled.Name = "Throttling"
	return d
}

// Resources are the resource types that are run.
func (s *Service) Resources() []resource.Type {
	return []resource.Type{
		resource.Of("AWS::SNS::Topic", identifyTopic, func(r *resource.Resource, t Topic) error {
			return s.AddTopic(r.PhysicalID, t)
		}),
		resource.Of("AWS::SNS::Subscription", identifySubscription, func(r *resource.Resource, sub Subscription) error {
			if sub.Protocol == "email" {
				r.LeaveOut("", "no mail is sent from here")
				return nil
			}
			sub.SubscriptionArn = r.PhysicalID
			return s.Subscribe(sub)
		}),
	}
}

func identifyTopic(r *template.Resource) (string, template.Attributes) {
	name := r.Name("TopicName", 256)
	arn := wire.ARN("sns", name)
	return arn, template.Attributes{"TopicArn": arn, "TopicName": name}
}

func identifySubscription(r *template.Resource) (string, template.Attributes) {
	arn := wire.ARN("sns", r.Name("", 256))
	return arn, template.Attributes{"Arn": arn}
}
