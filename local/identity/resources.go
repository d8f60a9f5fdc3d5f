package identity

import (
	"github.com/google/uuid"

	"hl7lake/local/resource"
	"hl7lake/local/template"
	"hl7lake/local/wire"
)

// Dialect is that of Cognito identity pools.
func (s *Service) Dialect() wire.Dialect { return wire.Speaks("cognito-identity") }

// Resources are the resource types that are run.
func (s *Service) Resources() []resource.Type {
	return []resource.Type{
		resource.Of("AWS::Cognito::IdentityPool", identify, func(r *resource.Resource, p Pool) error {
			return s.AddPool(r.PhysicalID, p)
		}),
		resource.Of("AWS::Cognito::IdentityPoolRoleAttachment", nil, func(_ *resource.Resource, roles Roles) error {
			return s.AttachRoles(roles)
		}),
		resource.Of("AWS::Cognito::IdentityPoolPrincipalTag", nil, func(_ *resource.Resource, tags PrincipalTag) error {
			return s.MapTags(tags)
		}),
	}
}

func identify(r *template.Resource) (string, template.Attributes) {
	id := wire.Region + ":" + uuid.NewSHA1(uuid.NameSpaceURL, []byte(r.Path())).String()
	return id, template.Attributes{"Name": r.Name("IdentityPoolName", 128)}
}
