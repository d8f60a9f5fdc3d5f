package test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/stacks"
)

// only returns the one resource of a type in a stack.
func only(t *testing.T, stack stack, resourceType string) *resource {
	t.Helper()
	var found []*resource
	for _, resource := range stack.template.Resources {
		if resource.Type == resourceType {
			found = append(found, resource)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d of %s", len(found), resourceType)
	}
	return found[0]
}

func TestEveryRouteHasItsLimit(t *testing.T) {
	for env, assembly := range assemblies {
		limits := only(t, assembly["FrontDoor"], "AWS::ApiGatewayV2::Stage").Properties["RouteSettings"].(map[string]any)
		for _, resource := range assembly["FrontDoor"].template.Resources {
			if resource.Type != "AWS::ApiGatewayV2::Route" {
				continue
			}
			key := resource.Properties["RouteKey"].(string)
			limit, _ := limits[key].(map[string]any)
			if rate, _ := limit["ThrottlingRateLimit"].(float64); rate <= 0 {
				t.Errorf("%s: %s has no limit: %v", env, key, limit)
			}
		}
	}
}

// TestTheAccessLogHoldsNoContent lists everything that is logged about a request, by API
// Gateway's names (API Gateway Developer Guide, Customize HTTP API access logs). A path
// holds an id; headers hold tokens.
func TestTheAccessLogHoldsNoContent(t *testing.T) {
	allowed := []string{
		"$context.authorizer.claims.client_id", "$context.authorizer.claims.sub", "$context.authorizer.error",
		"$context.error.responseType", "$context.identity.sourceIp", "$context.requestId", "$context.routeKey", "$context.status",
	}
	for env, assembly := range assemblies {
		settings := only(t, assembly["FrontDoor"], "AWS::ApiGatewayV2::Stage").Properties["AccessLogSettings"].(map[string]any)
		var format map[string]string
		if err := json.Unmarshal([]byte(settings["Format"].(string)), &format); err != nil {
			t.Fatal(err)
		}
		var logged []string
		for _, variable := range format {
			logged = append(logged, variable)
		}
		slices.Sort(logged)
		if diff := cmp.Diff(allowed, logged); diff != "" {
			t.Errorf("%s (-allowed +logged):\n%s", env, diff)
		}
	}
}

func TestPeopleNeedASecondFactorInProd(t *testing.T) {
	pool := only(t, assemblies["prod"]["FrontDoor"], "AWS::Cognito::UserPool").Properties
	if pool["MfaConfiguration"] != "ON" || !slices.Equal(stringsOf(pool["EnabledMfas"]), []string{"SOFTWARE_TOKEN_MFA"}) {
		t.Errorf("second factor %v of %v", pool["MfaConfiguration"], pool["EnabledMfas"])
	}
	if pool["UserPoolAddOns"].(map[string]any)["AdvancedSecurityMode"] != "ENFORCED" || pool["UserPoolTier"] != "PLUS" {
		t.Errorf("threat protection is %v on plan %v", pool["UserPoolAddOns"], pool["UserPoolTier"])
	}
}

// TestAMachineMayAskForItsOwnInstitutionOnly checks each machine client's scopes, and
// that it uses client credentials.
func TestAMachineMayAskForItsOwnInstitutionOnly(t *testing.T) {
	for _, env := range stacks.Environments() {
		got := map[string][]string{}
		for _, client := range clients(t, assemblies[env.Name]) {
			if client.Properties["GenerateSecret"] != true {
				continue
			}
			if flows := stringsOf(client.Properties["AllowedOAuthFlows"]); !slices.Equal(flows, []string{"client_credentials"}) {
				t.Errorf("%s: a machine may use %v", env.Name, flows)
			}
			if flows := stringsOf(client.Properties["ExplicitAuthFlows"]); !slices.Equal(flows, []string{"ALLOW_REFRESH_TOKEN_AUTH"}) {
				t.Errorf("%s: users sign in through a machine by %v", env.Name, flows)
			}
			got[client.Properties["ClientName"].(string)] = stringsOf(client.Properties["AllowedOAuthScopes"])
		}
		want := map[string][]string{}
		for _, institution := range env.Institutions {
			scopes := []string{"lake/write." + institution.Name}
			if institution.ReadsBack {
				scopes = append(scopes, "lake/read."+institution.Name)
			}
			want["engine-of-"+institution.Name] = scopes
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", env.Name, diff)
		}
	}
}

// TestASessionReadsTheInstitutionsInItsTags looks at the policy of the identity pool's
// role, in which each tag of a session stands for an institution, and at who may take the
// role.
func TestASessionReadsTheInstitutionsInItsTags(t *testing.T) {
	for env, assembly := range assemblies {
		reads := map[string]int{} // statements that let it read, by tag
		for _, permission := range permissions(t, map[string]stack{"FrontDoor": assembly["FrontDoor"]}) {
			if !strings.HasPrefix(permission.role, "IdentitiesReader") {
				continue
			}
			for _, action := range permission.actions {
				switch action {
				case "s3:GetObject":
					_, rest, _ := strings.Cut(permission.resources, "/protocol=*/source=${aws:PrincipalTag/")
					tag, _, _ := strings.Cut(rest, "}")
					reads[tag]++
					all, tagged := strings.Count(permission.resources, `"/`), strings.Count(permission.resources, "/protocol=*/source=${aws:PrincipalTag/"+tag+"}/*")
					if tagged != 3 || all != tagged {
						t.Errorf("%s: reads %s", env, permission.resources)
					}
				case "s3:ListBucket", "kms:Decrypt":
				default:
					t.Errorf("%s: may do %s", env, action)
				}
			}
		}
		if diff := cmp.Diff(map[string]int{"read": 1, "read2": 1, "read3": 1, "read4": 1}, reads); diff != "" {
			t.Errorf("%s: statements that let it read (-want +got):\n%s", env, diff)
		}
		door := assembly["FrontDoor"]
		if pool := only(t, door, "AWS::Cognito::IdentityPool").Properties; pool["AllowUnauthenticatedIdentities"] != false {
			t.Errorf("%s: anybody gets credentials", env)
		}
		tags, _ := json.Marshal(only(t, door, "AWS::Cognito::IdentityPoolPrincipalTag").Properties["PrincipalTags"])
		if string(tags) != `{"read":"custom:read","read2":"custom:read2","read3":"custom:read3","read4":"custom:read4"}` {
			t.Errorf("%s: tags %s", env, tags)
		}
	}
}

// TestASessionReadsTheTablesOfTheInstitutionsInItsTags looks at the policy that Tables
// adds to the role.
func TestASessionReadsTheTablesOfTheInstitutionsInItsTags(t *testing.T) {
	for env, assembly := range assemblies {
		const folder = `"/*/source=${aws:PrincipalTag/`
		reads := map[string]int{} // statements that let it read, by tag
		for _, permission := range permissions(t, map[string]stack{"Tables": assembly["Tables"]}) {
			if !strings.HasPrefix(permission.role, "Readers") {
				continue
			}
			switch permission.actions[0] {
			case "s3:GetObject":
				_, rest, _ := strings.Cut(permission.resources, folder)
				tag, end, _ := strings.Cut(rest, "}")
				reads[tag]++
				if !strings.HasPrefix(end, `/*"`) || strings.Count(permission.resources, "Files") != 1 {
					t.Errorf("%s: reads %s", env, permission.resources)
				}
			case "s3:ListBucket":
			default:
				t.Errorf("%s: may do %s", env, permission.actions)
			}
		}
		if diff := cmp.Diff(map[string]int{"read": 1, "read2": 1, "read3": 1, "read4": 1}, reads); diff != "" {
			t.Errorf("%s: statements that let it read (-want +got):\n%s", env, diff)
		}
	}
}

// TestSettingsThatNoEnvironmentUsesYet synthesizes an environment with its own domain and
// client certificates.
func TestSettingsThatNoEnvironmentUsesYet(t *testing.T) {
	env := stacks.Dev()
	env.Domain = &stacks.Domain{
		Name: "lake.example.org", CertificateARN: "arn:aws:acm:us-east-1:123456789012:certificate/0",
		TrustStoreBucket: "trust", TrustStoreKey: "senders.pem",
	}
	door := synth(env, filepath.Join(t.TempDir(), "dev"))["FrontDoor"]
	api := only(t, door, "AWS::ApiGatewayV2::Api").Properties
	if api["DisableExecuteApiEndpoint"] != true {
		t.Error("there is a way around client certificates")
	}
	domain := only(t, door, "AWS::ApiGatewayV2::DomainName").Properties
	if got := domain["MutualTlsAuthentication"].(map[string]any)["TruststoreUri"]; got != "s3://trust/senders.pem" {
		t.Errorf("the trust store is %v", got)
	}
	var url struct{ Value string }
	if err := json.Unmarshal(door.template.Outputs["ApiUrl"], &url); err != nil || url.Value != "https://lake.example.org" {
		t.Errorf("clients are told %v, %v", url, err)
	}
}

// TestNoOtherOriginsScriptsMayCall looks at what allows a browser to let another page's
// scripts in (CORS). The console is of the API's own origin, and follows it nowhere.
func TestNoOtherOriginsScriptsMayCall(t *testing.T) {
	for env, assembly := range assemblies {
		for stack, made := range assembly {
			for name, resource := range made.template.Resources {
				if allowed := resource.Properties["CorsConfiguration"]; allowed != nil {
					t.Errorf("%s: %s of %s allows %v", env, name, stack, allowed)
				}
			}
		}
	}
}

// TestTheConsoleSignsInOnPagesThatLeadBackToIt also checks that its client can do nothing
// else than that.
func TestTheConsoleSignsInOnPagesThatLeadBackToIt(t *testing.T) {
	for env, assembly := range assemblies {
		door := assembly["FrontDoor"]
		var page struct{ Value any }
		if err := json.Unmarshal(door.template.Outputs["ConsoleUrl"], &page); err != nil {
			t.Fatal(err)
		}
		found := 0
		for name, client := range clients(t, assembly) {
			if !slices.Equal(stringsOf(client.Properties["AllowedOAuthFlows"]), []string{"code"}) {
				continue
			}
			found++
			for _, property := range []string{"CallbackURLs", "LogoutURLs"} {
				if diff := cmp.Diff([]any{page.Value}, client.Properties[property]); diff != "" {
					t.Errorf("%s: %s of %s (-want +got):\n%s", env, property, name, diff)
				}
			}
			if client.Properties["GenerateSecret"] == true || !slices.Equal(stringsOf(client.Properties["ExplicitAuthFlows"]), []string{"ALLOW_REFRESH_TOKEN_AUTH"}) {
				t.Errorf("%s: %s has a secret, or takes passwords: %v", env, name, client.Properties)
			}
		}
		if text, _ := json.Marshal(page.Value); found != 1 || !strings.HasSuffix(string(text), `"/console"]]}`) {
			t.Errorf("%s: %d clients lead to %s", env, found, text)
		}
	}
}
