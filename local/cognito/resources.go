package cognito

import (
	"strings"

	"hl7lake/local/resource"
	"hl7lake/local/template"
	"hl7lake/local/wire"
)

// Dialect is that of Cognito user pools.
func (s *Service) Dialect() wire.Dialect { return wire.Speaks("cognito-idp") }

// Resources are the resource types that are run.
func (s *Service) Resources() []resource.Type {
	return []resource.Type{
		resource.Of("AWS::Cognito::UserPool", identifyPool, func(r *resource.Resource, p UserPool) error {
			return s.AddUserPool(r.PhysicalID, p)
		}),
		resource.Of("AWS::Cognito::UserPoolDomain", identifyDomain, func(r *resource.Resource, d UserPoolDomain) error {
			d.Domain = r.PhysicalID // the value of Ref, and so of the outputs
			return s.AddUserPoolDomain(d)
		}),
		resource.Of("AWS::Cognito::UserPoolResourceServer", nil, func(_ *resource.Resource, server UserPoolResourceServer) error {
			return s.AddUserPoolResourceServer(server)
		}),
		resource.Of("AWS::Cognito::UserPoolClient", identifyClient, func(r *resource.Resource, c UserPoolClient) error {
			return s.AddUserPoolClient(r.PhysicalID, c)
		}),
	}
}

func identifyPool(r *template.Resource) (string, template.Attributes) {
	id := wire.Region + "_" + r.Token(9)
	provider := "cognito-idp." + wire.Region + ".amazonaws.com/" + id
	return id, template.Attributes{
		"Arn": wire.ARN("cognito-idp", "userpool/"+id), "UserPoolId": id,
		"ProviderName": provider, "ProviderURL": "https://" + provider,
	}
}

func identifyDomain(r *template.Resource) (string, template.Attributes) {
	return r.Name("Domain", 63), nil
}

func identifyClient(r *template.Resource) (string, template.Attributes) {
	id := strings.ToLower(r.Token(26))
	return id, template.Attributes{"ClientId": id}
}
