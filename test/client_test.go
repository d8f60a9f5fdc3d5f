package test

import (
	"slices"
	"testing"
)

// TestWhoSignsInOnCognitosPagesGetsTheClaimsThatOpenTheLake looks at every application
// for people. Which attributes its ID tokens hold depends on the scopes. With openid
// alone or with profile, they hold all that the application may read. With other scopes
// beside openid, they hold only what those stand for (Amazon Cognito Developer Guide,
// Scopes, M2M, and resource servers).
func TestWhoSignsInOnCognitosPagesGetsTheClaimsThatOpenTheLake(t *testing.T) {
	for env, assembly := range assemblies {
		clients := 0
		for name, resource := range assembly["FrontDoor"].template.Resources {
			flows := stringsOf(resource.Properties["AllowedOAuthFlows"])
			if resource.Type != "AWS::Cognito::UserPoolClient" || !slices.Contains(flows, "code") && !slices.Contains(flows, "implicit") {
				continue
			}
			clients++
			scopes := stringsOf(resource.Properties["AllowedOAuthScopes"])
			if !slices.Equal(scopes, []string{"openid"}) && !slices.Contains(scopes, "profile") {
				t.Errorf("%s %s: with the scopes %q, ID tokens have no custom:read and custom:write", env, name, scopes)
			}
			readable := stringsOf(resource.Properties["ReadAttributes"])
			for _, claim := range []string{"custom:read", "custom:read2", "custom:read3", "custom:read4", "custom:write", "custom:operate"} {
				if !slices.Contains(readable, claim) {
					t.Errorf("%s %s may read %q only, not %s", env, name, readable, claim)
				}
			}
		}
		if clients == 0 {
			t.Errorf("%s: nobody signs in there", env)
		}
	}
}
