package template_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/local/cognito"
	"hl7lake/local/resource"
	"hl7lake/local/s3"
	"hl7lake/local/sns"
	"hl7lake/local/sqs"
	"hl7lake/local/template"
)

// folder writes templates, by file name, to a folder of their own.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// identities are those of some services' resources.
func identities() template.Identities {
	all := template.Identities{}
	for _, service := range []interface{ Resources() []resource.Type }{
		new(sns.Service), new(sqs.Service), new(s3.Service), new(cognito.Service),
	} {
		for _, r := range service.Resources() {
			all[r.Name] = r.Identify
		}
	}
	return all
}

func load(t *testing.T, files map[string]string) *template.Assembly {
	t.Helper()
	a, err := template.Load(folder(t, files), identities())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestIntrinsicsAreComputedAsCloudFormationDoes(t *testing.T) {
	for name, test := range map[string]struct{ value, want string }{
		"a plain value":          {`{"a":[1,true,"x"]}`, `{"a":[1,true,"x"]}`},
		"Ref of a topic":         {`{"Ref":"Hub"}`, `"arn:aws:sns:us-east-1:123456789012:hub"`},
		"Ref of a parameter":     {`{"Ref":"Stage"}`, `"blue"`},
		"Ref of the region":      {`{"Ref":"AWS::Region"}`, `"us-east-1"`},
		"GetAtt":                 {`{"Fn::GetAtt":["Dead","Arn"]}`, `"arn:aws:sqs:us-east-1:123456789012:dead"`},
		"GetAtt in one text":     {`{"Fn::GetAtt":"Dead.QueueName"}`, `"dead"`},
		"Join of what is nested": {`{"Fn::Join":["-",["a",{"Ref":"Stage"},3]]}`, `"a-blue-3"`},
		"Sub":                    {`{"Fn::Sub":"${Stage}/${Dead.QueueName}/${!Kept}/${AWS::Partition}"}`, `"blue/dead/${Kept}/aws"`},
		"Sub with variables":     {`{"Fn::Sub":["${x}-${Stage}",{"x":{"Ref":"Stage"}}]}`, `"blue-blue"`},
		"Select of a Split":      {`{"Fn::Select":["1",{"Fn::Split":[":","a:b:c"]}]}`, `"b"`},
		"Base64":                 {`{"Fn::Base64":"ab"}`, `"YWI="`},
		"NoValue in a map":       {`{"kept":1,"gone":{"Ref":"AWS::NoValue"}}`, `{"kept":1}`},
		"NoValue in a list":      {`[{"Ref":"AWS::NoValue"},2]`, `[2]`},
		"an output of another stack": {
			`{"Fn::GetStackOutput":{"StackName":"other","OutputName":"Name","Region":{"Ref":"AWS::Region"}}}`, `"from-other"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := load(t, map[string]string{
				"one.template.json": `{
					"Parameters": {"Stage": {"Type": "String", "Default": "blue"}},
					"Resources": {
						"Hub": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "hub"}},
						"Dead": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}},
						"Subject": {"Type": "Custom::Test", "Properties": {"value": ` + test.value + `}}}}`,
				"other.template.json": `{"Resources": {}, "Outputs": {"Name": {"Value": "from-other"}}}`,
			})
			got, err := a.OfType("Custom::Test")[0].Properties()
			if err != nil {
				t.Fatal(err)
			}
			var want any
			if err := json.Unmarshal([]byte(test.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got["value"]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAddressesAreReplacedWhereATextBeginsWithOne(t *testing.T) {
	a := load(t, map[string]string{"one.template.json": `{"Resources":{"Fn":{"Type":"AWS::Lambda::Function","Properties":{
		"Environment":{"Variables":{"A":{"Fn::Join":["",["https://","there","/pages"]]},"B":"see https://there"}},"List":["https://there","https://elsewhere"]}}},
		"Outputs":{"Url":{"Value":"https://there/x"}}}`})
	a.Relocate(map[string]string{"https://there": "http://here:1"})
	text, err := a.Stacks[0].Resources[0].JSON()
	const want = `{"Environment":{"Variables":{"A":"http://here:1/pages","B":"see https://there"}},"List":["http://here:1","https://elsewhere"]}`
	if err != nil || string(text) != want {
		t.Errorf("got %s, %v", text, err)
	}
	outputs, err := a.Outputs()
	if err != nil || outputs["one"]["Url"] != "http://here:1/x" {
		t.Errorf("got %v, %v", outputs, err)
	}
}

func TestAnErrorNamesTheStackTheResourceAndTheProperty(t *testing.T) {
	for name, test := range map[string]struct{ value, says string }{
		"an unknown function":     {`{"Fn::Transform":{}}`, "Fn::Transform"},
		"an unknown resource":     {`{"Ref":"Nowhere"}`, "Nowhere"},
		"an unknown attribute":    {`{"Fn::GetAtt":["Subject","Shoe"]}`, "Shoe"},
		"an unknown stack":        {`{"Fn::GetStackOutput":{"StackName":"gone","OutputName":"x"}}`, "gone"},
		"a Select past the end":   {`{"Fn::Select":[5,["a"]]}`, "5"},
		"a Join without a list":   {`{"Fn::Join":["-","a"]}`, "Fn::Join"},
		"something deep in a map": {`{"a":[{"b":{"Ref":"Nowhere"}}]}`, "[0]: b"},
	} {
		t.Run(name, func(t *testing.T) {
			a := load(t, map[string]string{"one.template.json": `{"Resources": {
				"Subject": {"Type": "Custom::Test", "Properties": {"value": ` + test.value + `}}}}`})
			_, err := a.OfType("Custom::Test")[0].Properties()
			var placed *template.Error
			if !errors.As(err, &placed) {
				t.Fatalf("got %v", err)
			}
			if placed.Stack != "one" || placed.Resource != "Subject" || placed.Property != "value" {
				t.Errorf("placed at %+v", placed)
			}
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("%q does not name %s", err, test.says)
			}
		})
	}
}

func TestAnAttributeOfAResourceThatIsNotRunIsRefusedByName(t *testing.T) {
	for name, test := range map[string]struct{ template, want string }{
		"a condition":              {`{"Resources":{"Hub":{"Type":"AWS::SNS::Topic","Condition":"Big"}}}`, "one/Hub/Condition"},
		"a misspelt attribute":     {`{"Resources":{"Hub":{"Type":"AWS::SNS::Topic","Propertys":{}}}}`, "one/Hub/Propertys"},
		"a macro":                  {`{"Transform":"AWS::Serverless-2016-10-31","Resources":{}}`, "one/Transform"},
		"what CloudFormation does": {`{"Resources":{"Hub":{"Type":"AWS::SNS::Topic","DependsOn":[],"DeletionPolicy":"Retain","UpdateReplacePolicy":"Retain"}}}`, ""},
	} {
		_, err := template.Load(folder(t, map[string]string{"one.template.json": test.template}), nil)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

func TestAManifestNamesTheStacks(t *testing.T) {
	a := load(t, map[string]string{
		"manifest.json": `{"artifacts": {
			"Core": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "Core.template.json", "stackName": "lake-core"}},
			"Core.assets": {"type": "cdk:asset-manifest", "properties": {"file": "Core.assets.json"}},
			"Bare": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "Bare.template.json"}}}}`,
		"Core.template.json": `{"Resources": {}, "Outputs": {"A": {"Value": 1}}}`,
		"Bare.template.json": `{"Resources": {}}`,
	})
	got, err := a.Outputs()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]map[string]string{"Bare": {}, "lake-core": {"A": "1"}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAFolderWithoutTemplatesSaysWhatToDo(t *testing.T) {
	_, err := template.Load(t.TempDir(), nil)
	if err == nil || !strings.Contains(err.Error(), "cdk synth") {
		t.Errorf("got %v", err)
	}
}

func TestPhysicalIDsAreTheSameAtEveryStartAndFitTheService(t *testing.T) {
	const text = `{"Resources": {
		"TheVeryLongLogicalIdOfABucketThatIsMoreThanSixtyThreeCharactersLong": {"Type": "AWS::S3::Bucket"},
		"Users": {"Type": "AWS::Cognito::UserPool"}}}`
	first := load(t, map[string]string{"stack.template.json": text})
	second := load(t, map[string]string{"stack.template.json": text})
	for i, r := range first.Stacks[0].Resources {
		if again := second.Stacks[0].Resources[i]; r.PhysicalID != again.PhysicalID {
			t.Errorf("%s is %s, then %s", r.LogicalID, r.PhysicalID, again.PhysicalID)
		}
	}
	bucket := first.OfType("AWS::S3::Bucket")[0].PhysicalID
	if len(bucket) > 63 || bucket != strings.ToLower(bucket) {
		t.Errorf("%s is no name for a bucket", bucket)
	}
	pool := first.OfType("AWS::Cognito::UserPool")[0]
	if !strings.HasPrefix(pool.Attributes["ProviderURL"], "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_") {
		t.Errorf("the issuer is %s", pool.Attributes["ProviderURL"])
	}
}
