package cloudformation_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"hl7lake/internal/testing/answer"
	"hl7lake/local"
	"hl7lake/local/cloudformation"
	"hl7lake/local/template"
	"hl7lake/local/wire"
)

const (
	folder = "../../test/snapshots/dev"
	core   = "hl7lake-dev-core"
)

// client returns the SDK for the committed templates of dev, and what was asked of the
// policies.
func client(t *testing.T) (*cfn.Client, *template.Assembly, *[]string) {
	t.Helper()
	assembly, err := local.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	asked := new([]string)
	server := httptest.NewServer(cloudformation.New(func() []*template.Stack { return assembly.Stacks }, assembly.Outputs, func(_ context.Context, action, resource string, _ map[string]string) error {
		*asked = append(*asked, action+" "+resource)
		return nil
	}))
	t.Cleanup(server.Close)
	return cfn.New(cfn.Options{Region: wire.Region, BaseEndpoint: &server.URL, RetryMaxAttempts: 1, HTTPClient: answer.Whole{},
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")}), assembly, asked
}

func TestAllStacksAreDescribedWithTheirOutputs(t *testing.T) {
	api, assembly, _ := client(t)
	answer, err := api.DescribeStacks(t.Context(), &cfn.DescribeStacksInput{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]map[string]string{}
	for _, stack := range answer.Stacks {
		if stack.StackStatus != types.StackStatusCreateComplete || stack.CreationTime == nil || !strings.Contains(*stack.StackId, ":stack/"+*stack.StackName+"/") {
			t.Errorf("stack %+v", stack)
		}
		got[*stack.StackName] = map[string]string{}
		for _, output := range stack.Outputs {
			got[*stack.StackName][*output.OutputKey] = *output.OutputValue
		}
	}
	want, err := assembly.Outputs()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) != len(assembly.Stacks) {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	listed, err := api.ListStacks(t.Context(), &cfn.ListStacksInput{StackStatusFilter: []types.StackStatus{types.StackStatusCreateComplete}})
	if err != nil || len(listed.StackSummaries) != len(assembly.Stacks) {
		t.Errorf("%v: %+v", err, listed)
	}
	listed, err = api.ListStacks(t.Context(), &cfn.ListStacksInput{StackStatusFilter: []types.StackStatus{types.StackStatusDeleteComplete}})
	if err != nil || len(listed.StackSummaries) != 0 {
		t.Errorf("%v: %+v", err, listed)
	}
}

func TestAStackIsFoundByItsNameAndItsARN(t *testing.T) {
	api, _, asked := client(t)
	byName, err := api.DescribeStacks(t.Context(), &cfn.DescribeStacksInput{StackName: aws.String(core)})
	if err != nil {
		t.Fatal(err)
	}
	arn := byName.Stacks[0].StackId
	byARN, err := api.DescribeStacks(t.Context(), &cfn.DescribeStacksInput{StackName: arn})
	if err != nil || len(byARN.Stacks) != 1 || *byARN.Stacks[0].StackName != core {
		t.Errorf("%v: %+v", err, byARN)
	}
	want := "cloudformation:DescribeStacks " + *arn
	if diff := cmp.Diff([]string{want, want}, *asked); diff != "" {
		t.Errorf("asked of the policies (-want +got):\n%s", diff)
	}
}

func TestEveryWayToTheResourcesTellsTheSame(t *testing.T) {
	api, assembly, _ := client(t)
	at := slices.IndexFunc(assembly.Stacks, func(s *template.Stack) bool { return s.Name == core })
	want := map[string]string{}
	for _, r := range assembly.Stacks[at].Resources {
		want[r.LogicalID] = r.Type + " " + r.PhysicalID
	}
	listed, err := api.ListStackResources(t.Context(), &cfn.ListStackResourcesInput{StackName: aws.String(core)})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range listed.StackResourceSummaries {
		got[*r.LogicalResourceId] = *r.ResourceType + " " + *r.PhysicalResourceId
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ListStackResources (-want +got):\n%s", diff)
	}
	table := *listed.StackResourceSummaries[slices.IndexFunc(listed.StackResourceSummaries, func(r types.StackResourceSummary) bool {
		return *r.ResourceType == "AWS::DynamoDB::Table"
	})].PhysicalResourceId
	described, err := api.DescribeStackResources(t.Context(), &cfn.DescribeStackResourcesInput{PhysicalResourceId: &table})
	if err != nil {
		t.Fatal(err)
	}
	clear(got)
	for _, r := range described.StackResources {
		got[*r.LogicalResourceId] = *r.ResourceType + " " + *r.PhysicalResourceId
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("DescribeStackResources (-want +got):\n%s", diff)
	}
	for logical, each := range want {
		one, err := api.DescribeStackResource(t.Context(), &cfn.DescribeStackResourceInput{StackName: aws.String(core), LogicalResourceId: &logical})
		if err != nil {
			t.Fatal(err)
		}
		if d := one.StackResourceDetail; *d.ResourceType+" "+*d.PhysicalResourceId != each || d.LastUpdatedTimestamp == nil {
			t.Errorf("DescribeStackResource: %+v, want %s", d, each)
		}
	}
}

func TestATemplateIsGivenAsItWasRead(t *testing.T) {
	api, _, _ := client(t)
	answer, err := api.GetTemplate(t.Context(), &cfn.GetTemplateInput{StackName: aws.String(core)})
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(folder + "/Core.template.json")
	if err != nil {
		t.Fatal(err)
	}
	if *answer.TemplateBody != string(want) {
		t.Errorf("got %d bytes, want %d", len(*answer.TemplateBody), len(want))
	}
}

func TestWhatDoesNotExistIsAValidationErrorThatNamesIt(t *testing.T) {
	api, _, _ := client(t)
	for want, call := range map[string]func() error{
		"Stack with id none does not exist": func() error {
			_, err := api.DescribeStacks(t.Context(), &cfn.DescribeStacksInput{StackName: aws.String("none")})
			return err
		},
		"Resource Nothing does not exist for stack " + core: func() error {
			_, err := api.DescribeStackResource(t.Context(), &cfn.DescribeStackResourceInput{StackName: aws.String(core), LogicalResourceId: aws.String("Nothing")})
			return err
		},
		"Stack for nothing does not exist": func() error {
			_, err := api.DescribeStackResources(t.Context(), &cfn.DescribeStackResourcesInput{PhysicalResourceId: aws.String("nothing")})
			return err
		},
		"either StackName or PhysicalResourceId must be given, and not both": func() error {
			_, err := api.DescribeStackResources(t.Context(), &cfn.DescribeStackResourcesInput{})
			return err
		},
	} {
		var refusal smithy.APIError
		if err := call(); !errors.As(err, &refusal) || refusal.ErrorCode() != "ValidationError" || refusal.ErrorMessage() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
