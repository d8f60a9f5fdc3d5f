package local

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hl7lake/local/template"
)

// environments are the folders of the committed templates.
func environments() []string { return []string{"../test/snapshots/dev", "../test/snapshots/prod"} }

// oneResource is an assembly of a single resource.
func oneResource(t *testing.T, resourceType string, properties any) *template.Resource {
	t.Helper()
	folder := t.TempDir()
	text, err := json.Marshal(map[string]any{"Resources": map[string]any{"Subject": map[string]any{
		"Type": resourceType, "Properties": properties, "Metadata": map[string]any{packageKey: "hl7lake/lambdas/writer"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "stack.template.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	assembly, err := template.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	return assembly.OfType(resourceType)[0]
}

// decode has the provisioner read a resource's properties. There is no lake behind it: what
// comes after reading ends in a panic, which counts as read.
func decode(add provisioner, r *template.Resource) (err error) {
	defer func() {
		if recover() != nil {
			err = nil
		}
	}()
	return add(&Lake{}, r)
}

// free are the objects whose members have names of the user's, and those that are ignored
// as a whole: in these, as in the condition of a policy, an unknown name is no error.
var free = []string{
	"AWS::Lambda::Function Environment.Variables", "AWS::Cognito::IdentityPoolPrincipalTag PrincipalTags", "AWS::SNS::Subscription FilterPolicy",
	"AWS::ApiGatewayV2::Stage AccessLogSettings", "AWS::ApiGatewayV2::Stage RouteSettings",
	"AWS::Cognito::UserPool AccountRecoverySetting", "AWS::Cognito::UserPool UserPoolAddOns", "AWS::Cognito::UserPool VerificationMessageTemplate",
	"AWS::DynamoDB::Table PointInTimeRecoverySpecification", "AWS::DynamoDB::Table SSESpecification",
	"AWS::Lambda::Function Code", "AWS::S3::Bucket BucketEncryption", "AWS::S3::Bucket LoggingConfiguration",
	"AWS::S3::Bucket ObjectLockConfiguration", "AWS::S3::Bucket OwnershipControls",
	"AWS::S3::Bucket PublicAccessBlockConfiguration", "AWS::S3::Bucket Tags",
	"AWS::S3::Bucket LifecycleConfiguration.Rules.AbortIncompleteMultipartUpload",
	"AWS::S3::Bucket LifecycleConfiguration.Rules.NoncurrentVersionExpiration",
	"AWS::S3::Bucket LifecycleConfiguration.Rules.Transitions",
	"AWS::StepFunctions::StateMachine LoggingConfiguration", "AWS::StepFunctions::StateMachine TracingConfiguration",
}

// eachObject calls visit with every object in a value and the path to it, lists not counted.
func eachObject(path string, value any, visit func(path string, object map[string]any)) {
	switch value := value.(type) {
	case map[string]any:
		visit(path, value)
		for name, member := range value {
			eachObject(strings.TrimPrefix(path+"."+name, "."), member, visit)
		}
	case []any:
		for _, member := range value {
			eachObject(path, member, visit)
		}
	}
}

func TestAPropertyThatIsNotKnownIsRefusedByNameForEveryTypeThatIsRun(t *testing.T) {
	const unknown = "NotThere"
	for _, folder := range environments() {
		assembly, err := template.Load(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range steps(map[string]string{}) {
			objects := 0
			for _, r := range assembly.OfType(s.resourceType) {
				properties, err := r.Properties()
				if err != nil {
					t.Fatal(err)
				}
				if err := decode(s.add, oneResource(t, r.Type, properties)); err != nil {
					t.Errorf("%s: as it is: %v", r.LogicalID, err)
				}
				eachObject("", properties, func(path string, object map[string]any) {
					if strings.Contains(path, ".Condition.") || slices.ContainsFunc(free, func(f string) bool { return strings.HasPrefix(r.Type+" "+path+".", f+".") }) {
						return
					}
					objects++
					object[unknown] = "x"
					if err := decode(s.add, oneResource(t, r.Type, properties)); err == nil || !strings.Contains(err.Error(), unknown) {
						if _, isRun := r.Metadata[packageKey]; isRun || r.Type != "AWS::Lambda::Function" {
							t.Errorf("%s (%s): %s in %q is not refused: %v", r.LogicalID, r.Type, unknown, path, err)
						}
					}
					delete(object, unknown)
				})
			}
			if objects == 0 {
				t.Logf("%s has no %s", folder, s.resourceType)
			}
		}
	}
}

func TestAPolicyThatAWSWouldRefuseStopsTheStart(t *testing.T) {
	const wrapped = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"xray:PutTraceSegments","Resource":"*",
		"Principal":{"Service":"sns.amazonaws.com"},"Condition":{"StringEquals":{"$jsii.map":{"aws:SourceAccount":"123456789012"}}}}]}`
	var object any
	if err := json.Unmarshal([]byte(wrapped), &object); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		resourceType string
		properties   any
		want         string
	}{
		"in the text of a type that is not run": {"AWS::XRay::ResourcePolicy", map[string]any{"PolicyDocument": wrapped}, "PolicyDocument: malformed policy: Statement[0].Condition.StringEquals.$jsii.map"},
		"as an object":                          {"AWS::SQS::QueuePolicy", map[string]any{"PolicyDocument": object}, "$jsii.map"},
		"a key's":                               {"AWS::KMS::Key", map[string]any{"KeyPolicy": object}, "KeyPolicy: malformed policy"},
		"a text that is no JSON":                {"AWS::Logs::ResourcePolicy", map[string]any{"PolicyDocument": "{"}, "the text is no JSON object"},
		"in the JSON of a custom resource":      {"Custom::AWS", map[string]any{"Create": fmt.Sprintf(`{"policy":%q}`, wrapped)}, "Create.policy: malformed policy"},
		"of who may take a role": {"AWS::IAM::Role", map[string]any{"AssumeRolePolicyDocument": map[string]any{"Statement": []any{}}},
			"AssumeRolePolicyDocument: malformed policy: Statement"},
	} {
		r := oneResource(t, test.resourceType, test.properties)
		assembly := &template.Assembly{Stacks: []*template.Stack{r.Stack}}
		if err := deployable(assembly); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
	for _, folder := range environments() {
		assembly, err := template.Load(folder)
		if err != nil {
			t.Fatal(err)
		}
		if err := deployable(assembly); err != nil {
			t.Errorf("%s: %v", folder, err)
		}
	}
}
