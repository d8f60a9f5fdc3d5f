package httpapi

import (
	"strings"

	"hl7lake/local/resource"
	"hl7lake/local/template"
	"hl7lake/local/wire"
)

// Dialect is that of API Gateway. None of its own operations is run.
func (s *Service) Dialect() wire.Dialect { return wire.Speaks("apigateway") }

// Resources are the resource types that are run.
func (s *Service) Resources() []resource.Type {
	return []resource.Type{
		resource.Of("AWS::ApiGatewayV2::Api", identifyAPI, func(r *resource.Resource, a Api) error {
			return s.AddApi(r.PhysicalID, a)
		}),
		resource.Of("AWS::ApiGatewayV2::Authorizer", identifyAuthorizer, func(r *resource.Resource, a Authorizer) error {
			return s.AddAuthorizer(r.PhysicalID, a)
		}),
		resource.Of("AWS::ApiGatewayV2::Integration", nil, func(r *resource.Resource, i Integration) error {
			return s.AddIntegration(r.PhysicalID, i)
		}),
		resource.Of("AWS::ApiGatewayV2::Route", nil, func(_ *resource.Resource, route Route) error {
			return s.AddRoute(route)
		}),
		resource.Of("AWS::ApiGatewayV2::Stage", nil, func(_ *resource.Resource, stage Stage) error {
			return s.AddStage(stage)
		}),
	}
}

func identifyAPI(r *template.Resource) (string, template.Attributes) {
	id := strings.ToLower(r.Token(10))
	return id, template.Attributes{"ApiId": id, "ApiEndpoint": "https://" + id + ".execute-api." + wire.Region + ".amazonaws.com"}
}

func identifyAuthorizer(r *template.Resource) (string, template.Attributes) {
	id := r.Token(10)
	return id, template.Attributes{"AuthorizerId": id}
}
