package local

// This file is about properties of resources: those that are run, ignored and refused.

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hl7lake/internal/testing/altered"
	"hl7lake/local/resource"
	"hl7lake/local/template"
	"hl7lake/local/wire"
)

// surprise is a property that no resource type has.
const surprise = "SurpriseOfTheTest"

// registered is a lake with its services, which are empty and have no store.
func registered(t *testing.T) *Lake {
	t.Helper()
	l := newLake(Options{}, nil)
	l.register()
	t.Cleanup(l.closeServices)
	return l
}

// eachResource calls do for each resource of the committed templates of every
// environment, and of dev with a twin of its tables.
func eachResource(t *testing.T, do func(r *template.Resource)) {
	t.Helper()
	const dev = "../test/snapshots/dev"
	for _, folder := range []string{dev, "../test/snapshots/prod", altered.Together(t, dev, "../test/testdata/dev-deidentified")} {
		assembly, err := Load(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, stack := range assembly.Stacks {
			for _, r := range stack.Resources {
				do(r)
			}
		}
	}
}

// objects calls do with every object in value, the value itself first, and with its path.
func objects(path string, value any, do func(path string, object map[string]any)) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			objects(path, item, do)
		}
	case map[string]any:
		do(path, value)
		for _, name := range slices.Sorted(maps.Keys(value)) {
			objects(strings.TrimPrefix(path+"."+name, "."), value[name], do)
		}
	}
}

// below reports whether a path is one of those given or is below it.
func below(path string, ends []string) bool {
	return slices.ContainsFunc(ends, func(end string) bool { return path == end || strings.HasPrefix(path, end+".") })
}

func text(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestAPropertyThatIsNotRunIsRefusedInEveryResourceAtEveryLevel adds one to each object
// in each resource of the templates.
func TestAPropertyThatIsNotRunIsRefusedInEveryResourceAtEveryLevel(t *testing.T) {
	free := map[string][]string{ // where a template may have anything, or has a grammar of its own
		"AWS::Lambda::Function":  {"Environment.Variables"},
		"AWS::SNS::Subscription": {"FilterPolicy"},
		"AWS::KMS::Key":          {"KeyPolicy"},
		"AWS::IAM::Role":         {"Policies.PolicyDocument", "AssumeRolePolicyDocument"},

		"AWS::Cognito::IdentityPoolRoleAttachment": {"Roles"},
		"AWS::Cognito::IdentityPoolPrincipalTag":   {"PrincipalTags"},
	}
	kinds := map[string]resource.Type{}
	for _, s := range registered(t).types() {
		kinds[s.Name] = s
	}
	tried := 0
	eachResource(t, func(r *template.Resource) {
		s, run := kinds[r.Type]
		if !run {
			return
		}
		properties, err := r.Properties()
		if err != nil {
			t.Fatal(err)
		}
		ends := slices.Concat(free[r.Type], slices.Collect(maps.Keys(s.Ignored)), []string{"PolicyDocument"})
		objects("", properties, func(path string, object map[string]any) {
			if below(path, ends) {
				return
			}
			object[surprise] = map[string]any{"x": 1}
			err := s.Check(text(t, properties))
			if want := "property " + strings.TrimPrefix(path+"."+surprise, ".") + " is not run"; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s (%s): got %v, want %s", r.LogicalID, r.Type, err, want)
			}
			delete(object, surprise)
			tried++
		})
		if err := s.Check(text(t, properties)); err != nil {
			t.Errorf("%s (%s): without a surprise: %v", r.LogicalID, r.Type, err)
		}
	})
	if tried < 200 {
		t.Errorf("only %d objects were tried", tried)
	}
}

// TestWhatIsIgnoredIsInTheTemplatesAndSaysWhy checks that the tables of ignored
// properties hold only what is needed.
func TestWhatIsIgnoredIsInTheTemplatesAndSaysWhy(t *testing.T) {
	used, types := map[string]bool{}, registered(t).types()
	eachResource(t, func(r *template.Resource) {
		used[r.Type] = true
		properties, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range types {
			if s.Name == r.Type {
				for _, path := range s.Ignored.Given(properties) {
					used[r.Type+" "+path] = true
				}
			}
		}
	})
	tables := map[string]wire.Ignored{"": ignoredTypes()}
	for _, s := range types {
		tables[s.Name+" "] = s.Ignored
		if !used[s.Name] {
			t.Errorf("no template has an %s, which is run", s.Name)
		}
		if _, both := ignoredTypes()[s.Name]; both {
			t.Errorf("%s is both run and ignored", s.Name)
		}
	}
	for prefix, table := range tables {
		for name, reason := range table {
			if !used[prefix+name] {
				t.Errorf("no template has the %s%s that is ignored", prefix, name)
			}
			if len(strings.Fields(reason)) < 4 || len(reason) > 120 {
				t.Errorf("%s%s is ignored because %q, which explains little to a person", prefix, name, reason)
			}
		}
	}
}

// TestAMalformedPolicyIsRefusedWhereverItStands adds an element to every object of every
// policy document in the templates, also of those in texts.
func TestAMalformedPolicyIsRefusedWhereverItStands(t *testing.T) {
	tried, asText := 0, 0
	eachResource(t, func(r *template.Resource) {
		properties, err := r.Properties()
		if err != nil {
			t.Fatal(err)
		}
		objects("", properties, func(path string, object map[string]any) {
			for name, value := range object {
				document, is := value.(map[string]any)
				written, isText := value.(string)
				if isText && json.Unmarshal([]byte(written), &document) == nil && document["Statement"] != nil {
					is, asText = true, asText+1
				}
				if !is || document["Statement"] == nil {
					continue
				}
				objects(name, document, func(inner string, member map[string]any) {
					member["$jsii.map"] = map[string]any{}
					object[name] = document
					if isText {
						object[name] = string(text(t, document))
					}
					if err := checkDocuments(r.Type, "", properties); err == nil || !strings.Contains(err.Error(), "jsii.map") {
						t.Errorf("%s (%s) %s %s: got %v", r.LogicalID, r.Type, path, inner, err)
					}
					delete(member, "$jsii.map")
					object[name] = value
					tried++
				})
			}
		})
		if err := checkDocuments(r.Type, "", properties); err != nil {
			t.Errorf("%s (%s): %v", r.LogicalID, r.Type, err)
		}
	})
	if tried < 200 || asText < 2 {
		t.Errorf("only %d objects were tried, in %d texts", tried, asText)
	}
}

func TestWhatAWSWouldNotDeployIsRefusedInAnyType(t *testing.T) {
	for name, test := range map[string]struct{ resourceType, properties, want string }{
		"an X-Ray policy of jsii's": {
			"AWS::XRay::ResourcePolicy",
			`{"PolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"sns.amazonaws.com\"},\"Action\":\"xray:*\",\"Resource\":\"*\",\"Condition\":{\"$jsii.map\":{}}}]}"}`,
			"property PolicyDocument: malformed policy document: Statement[0].Condition: there is no operator $jsii.map",
		},
		"a logs policy that is no JSON": {"AWS::Logs::ResourcePolicy", `{"PolicyDocument":"Allow all"}`, "property PolicyDocument: malformed policy document: it is no JSON"},
		"a trust in nobody": {
			"AWS::IAM::Role", `{"AssumeRolePolicyDocument":{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole"}}}`,
			"property AssumeRolePolicyDocument: malformed policy document: Statement[0]: Principal",
		},
		"a key for nobody": {"AWS::KMS::Key", `{"KeyPolicy":{}}`, "property KeyPolicy: malformed"},
		"an inner policy with a principal": {
			"AWS::IAM::Role", `{"Policies":[{"PolicyDocument":{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}}]}`,
			"property Policies.PolicyDocument: malformed policy document: Statement[0]: an identity policy",
		},
		"a policy under another name": {"AWS::ECR::Repository", `{"RepositoryPolicyText":{"Statement":[]}}`, "property RepositoryPolicyText: malformed"},
		"jsii's wrapper in an object": {"AWS::CloudWatch::Alarm", `{"Dimensions":[{"$jsii.map":{"a":1}}]}`, "property Dimensions.$jsii.map"},
		"jsii's wrapper in a text":    {"AWS::CloudWatch::Dashboard", `{"DashboardBody":"{\"widgets\":[{\"$jsii.map\":{}}]}"}`, "property DashboardBody.widgets.$jsii.map"},
	} {
		t.Run(name, func(t *testing.T) {
			var properties map[string]any
			if err := json.Unmarshal([]byte(test.properties), &properties); err != nil {
				t.Fatal(err)
			}
			if err := checkDocuments(test.resourceType, "", properties); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// refused returns the error with which a lake of one template with these resources
// refuses to start.
func refused(t *testing.T, resources string) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "One.template.json"), []byte(`{"Resources":{`+resources+`}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	assembly, err := Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	l := registered(t)
	l.assembly = assembly
	if err = l.provision(); err == nil {
		t.Fatalf("nothing is refused of %s", resources)
	}
	return err.Error()
}

func TestARefusalNamesResourceTypeAndProperty(t *testing.T) {
	for resources, want := range map[string]string{
		`"Store":{"Type":"AWS::EFS::FileSystem"}`: "One/Store: NotImplemented: the resource type AWS::EFS::FileSystem is not run by the local lake",
		`"Lake":{"Type":"AWS::S3::Bucket","Properties":{"LifecycleConfiguration":{"Rules":[{"Status":"Enabled","TagFilters":[]}]}}}`: "One/Lake: AWS::S3::Bucket: NotImplemented: property LifecycleConfiguration.Rules.TagFilters is not run by the local lake",
		`"Readers":{"Type":"AWS::IAM::Role","Properties":{"ManagedPolicyArns":[]}}`:                                                  "One/Readers: AWS::IAM::Role: NotImplemented: property ManagedPolicyArns is not run",
		`"Traces":{"Type":"AWS::XRay::ResourcePolicy","Properties":{"PolicyDocument":"{\"Version\":\"2012-10-17\"}"}}`:               "One/Traces: AWS::XRay::ResourcePolicy: property PolicyDocument: malformed policy document: Statement",
	} {
		if got := refused(t, resources); !strings.Contains(got, want) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
