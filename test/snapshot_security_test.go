package test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/internal/contract"
)

// statement is one permission of a role.
type statement struct {
	role      string // logical id of the policy, which begins with the function's construct id
	actions   []string
	resources string // as JSON
}

// permissions returns every statement of the roles' own policies in an assembly.
func permissions(t *testing.T, assembly assembly) []statement {
	t.Helper()
	var all []statement
	for _, stack := range assembly {
		for name, resource := range stack.template.Resources {
			if resource.Type != "AWS::IAM::Policy" {
				continue
			}
			document := resource.Properties["PolicyDocument"].(map[string]any)
			for _, each := range document["Statement"].([]any) {
				each := each.(map[string]any)
				resources, err := json.Marshal(each["Resource"])
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, statement{name, stringsOf(each["Action"]), string(resources)})
			}
		}
	}
	if len(all) == 0 {
		t.Fatal("no policies found")
	}
	return all
}

// stringsOf returns a string, or a list of strings, as a list; for an absent property it
// returns nil.
func stringsOf(value any) []string {
	if value == nil {
		return nil
	}
	if one, ok := value.(string); ok {
		return []string{one}
	}
	var list []string
	for _, each := range value.([]any) {
		list = append(list, each.(string))
	}
	return list
}

// clients returns the applications that sign in to the user pool, by logical id.
func clients(t *testing.T, assembly assembly) map[string]*resource {
	t.Helper()
	found := map[string]*resource{}
	for name, resource := range assembly["FrontDoor"].template.Resources {
		if resource.Type == "AWS::Cognito::UserPoolClient" {
			found[name] = resource
		}
	}
	if len(found) == 0 {
		t.Fatal("no clients found")
	}
	return found
}

// TestOnlyTheWriterFillsLakeAndCatalogAndOnlyForgetDeletes knows each permission that
// changes one of the two, or deletes a claim check, and whose it is.
func TestOnlyTheWriterFillsLakeAndCatalogAndOnlyForgetDeletes(t *testing.T) {
	reads := []string{
		"s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention", "s3:GetObjectLegalHold", "s3:ListBucket", "s3:ListBucketVersions",
		"dynamodb:Query", "dynamodb:GetItem",
	}
	want := []string{
		"Forget dynamodb:UpdateItem", "Forget s3:DeleteObject", "Forget s3:DeleteObjectVersion", "Writer dynamodb:UpdateItem", "Writer s3:PutObject",
	}
	for env, assembly := range assemblies {
		var got []string
		for _, permission := range permissions(t, assembly) {
			about := func(resource string) bool { return strings.Contains(permission.resources, resource) }
			for _, action := range permission.actions {
				of, _, _ := strings.Cut(permission.role, "Role")
				deletes := about("ClaimCheckB4EF2317") && strings.HasPrefix(action, "s3:Delete")
				changes := (about("Lake5F1B88EA") || about("Catalog742F25FD")) && !slices.Contains(reads, action)
				if change := of + " " + action; (deletes || changes) && !slices.Contains(got, change) {
					got = append(got, change)
				}
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", env, diff)
		}
	}
}

// TestPermissionsOnEverythingAreThoseThatAWSCannotScope has the list of actions that
// cannot be limited to a resource: X-Ray's, ListQueues of SQS, and those with which Step
// Functions sets up the delivery of its logs (Service Authorization Reference, AWS X-Ray
// and Amazon SQS; Step Functions Developer Guide, Using CloudWatch Logs to log execution
// history).
func TestPermissionsOnEverythingAreThoseThatAWSCannotScope(t *testing.T) {
	unscoped := []string{
		"logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
		"logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
		"sqs:ListQueues", "xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
	}
	for env, assembly := range assemblies {
		for _, permission := range permissions(t, assembly) {
			for _, action := range permission.actions {
				if strings.Contains(action, "*") {
					t.Errorf("%s: %s may do all of %s", env, permission.role, action)
				}
				if permission.resources == `"*"` && !slices.Contains(unscoped, action) {
					t.Errorf("%s: %s may do %s on everything", env, permission.role, action)
				}
			}
		}
	}
}

// TestEveryRouteDemandsAToken but those of the console's files: a browser has no token
// before the page that signs its user in, and they are the same for all.
func TestEveryRouteDemandsAToken(t *testing.T) {
	open := []string{"GET /console", "GET /console/{file+}"}
	want := []string{
		"GET /console",
		"GET /console/{file+}",
		"GET /dead-letters",
		"GET /errors",
		"GET /feeds",
		"GET /messages",
		"GET /messages/{id}",
		"GET /messages/{id}/content",
		"GET /messages/{id}/content/{connector}",
		"GET /messages/{id}/er7",
		"GET /messages/{id}/json",
		"GET /messages/{id}/value",
		"GET /messages/{id}/view",
		"POST /dead-letters/redrive",
		"POST /er7",
		"POST /hl7",
		"POST /messages/replay",
		"POST /messages/{id}/forget",
		"POST /messages/{id}/replay",
		"POST /messages/{protocol}/{format}",
	}
	for env, assembly := range assemblies {
		var got []string
		for name, resource := range assembly["FrontDoor"].template.Resources {
			if resource.Type != "AWS::ApiGatewayV2::Route" {
				continue
			}
			key := resource.Properties["RouteKey"].(string)
			got = append(got, key)
			if slices.Contains(open, key) {
				continue
			}
			if resource.Properties["AuthorizationType"] != "JWT" || resource.Properties["AuthorizerId"] == nil {
				t.Errorf("%s: %s is open", env, name)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", env, diff)
		}
	}
}

func TestUsersCannotChangeTheirOwnInstitution(t *testing.T) {
	for env, assembly := range assemblies {
		for name, client := range clients(t, assembly) {
			if slices.Equal(stringsOf(client.Properties["AllowedOAuthFlows"]), []string{"client_credentials"}) {
				continue // a machine has no attributes
			}
			writable := stringsOf(client.Properties["WriteAttributes"])
			if len(writable) == 0 {
				t.Errorf("%s: %s names no attribute, so every standard attribute is writable", env, name)
			}
			for _, attribute := range writable {
				if strings.HasPrefix(attribute, "custom:") || attribute == "email" {
					t.Errorf("%s: a user of %s may write %s", env, name, attribute)
				}
			}
		}
	}
}

func TestAPasswordTravelsWhereItIsMeantTo(t *testing.T) {
	if settings(t, "prod").PasswordSignIn {
		t.Error("in prod, too")
	}
	for env, assembly := range assemblies {
		for _, flow := range []string{"ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"} {
			travels := false
			for _, client := range clients(t, assembly) {
				travels = travels || slices.Contains(stringsOf(client.Properties["ExplicitAuthFlows"]), flow)
			}
			if want := settings(t, env).PasswordSignIn; travels != want {
				t.Errorf("%s: a password travels by %s: %t", env, flow, travels)
			}
		}
	}
}

func TestWhatCannotBeHandledEndsInADeadLetterQueue(t *testing.T) {
	for env, assembly := range assemblies {
		for id, stack := range assembly {
			subscribed, caught := 0, 0
			for name, resource := range stack.template.Resources {
				switch resource.Type {
				case "AWS::SNS::Subscription":
					if resource.Properties["Protocol"] == "email" {
						continue // notifies a person of an alarm; holds no message
					}
					subscribed++
					if resource.Properties["RedrivePolicy"] == nil {
						t.Errorf("%s %s: %s has no dead-letter queue", env, id, name)
					}
				case "AWS::Lambda::EventInvokeConfig":
					caught++
				case "AWS::SQS::Queue":
					// What a queue hands on to another has as much time left there at
					// least.
					days := 14.0
					if resource.Properties["RedrivePolicy"] != nil {
						days = 7
					}
					if got := resource.Properties["MessageRetentionPeriod"]; got != days*24*3600 {
						t.Errorf("%s %s: %s keeps messages for %v seconds", env, id, name, got)
					}
					if got := resource.Properties["MaximumMessageSize"]; got != 1024*1024.0 {
						t.Errorf("%s %s: %s takes messages of %v bytes", env, id, name, got)
					}
				}
			}
			if subscribed != caught {
				t.Errorf("%s %s: of %d subscribed functions %d have an on-failure destination", env, id, subscribed, caught)
			}
		}
	}
}

func TestTheWorkflowLogsNoMessage(t *testing.T) {
	for env, assembly := range assemblies {
		found := false
		for name, resource := range assembly["StagingER7"].template.Resources {
			if resource.Type != "AWS::StepFunctions::StateMachine" {
				continue
			}
			found = true
			logging := resource.Properties["LoggingConfiguration"].(map[string]any)
			if logging["IncludeExecutionData"] != false {
				t.Errorf("%s: %s logs %v", env, name, logging)
			}
		}
		if !found {
			t.Errorf("%s: no workflow", env)
		}
	}
}

// TestNothingIsLoggedOfWhatWentWellButByTheFunctions checks what docs/bill.md relies on:
// Lambda and Step Functions log failures only.
func TestNothingIsLoggedOfWhatWentWellButByTheFunctions(t *testing.T) {
	for env, assembly := range assemblies {
		for id, stack := range assembly {
			for name, resource := range stack.template.Resources {
				var level, want any
				switch {
				case resource.Type == "AWS::StepFunctions::StateMachine":
					level, want = resource.Properties["LoggingConfiguration"].(map[string]any)["Level"], "ERROR"
				case resource.Metadata[contract.PackageMetadata] != nil:
					level, want = resource.Properties["LoggingConfig"].(map[string]any)["SystemLogLevel"], "WARN"
				}
				if level != want {
					t.Errorf("%s %s: %s logs at %v, want %v", env, id, name, level, want)
				}
			}
		}
	}
}

func TestEveryFunctionNamesItsPackage(t *testing.T) {
	for env, assembly := range assemblies {
		for id, stack := range assembly {
			for name, resource := range stack.template.Resources {
				if resource.Type != "AWS::Lambda::Function" || resource.Properties["Runtime"] != "provided.al2023" {
					continue
				}
				path, _ := resource.Metadata[contract.PackageMetadata].(string)
				if _, err := os.Stat(path); err != nil {
					t.Errorf("%s %s: %s is made from %q: %v", env, id, name, path, err)
				}
			}
		}
	}
}
