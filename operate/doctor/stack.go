package doctor

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"
)

// stack looks at the state of one stack, and at the result of its last drift detection.
// It starts none.
func stack(ctx context.Context, a *account, name string) (Finding, error) {
	out, err := cloudformation.NewFromConfig(a.configuration).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if isNoStack(err) {
		return Finding{Verdict: Fail, Text: name + " does not exist in this account and region",
			Next: "Deploy it, or use the outputs file and the credentials of the lake that is deployed."}, nil
	}
	if err != nil {
		return Finding{}, about(a.stackARN(name), err)
	}
	if len(out.Stacks) != 1 {
		return Finding{}, errors.New("CloudFormation has no stack " + name)
	}
	found := out.Stacks[0]
	verdict, next := judge(found.StackStatus, name)
	if creationFailed(found.StackStatus) && aws.ToBool(found.EnableTerminationProtection) {
		next += " Its protection forbids that until: " +
			"aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name " + name
	}
	text := name + " " + string(found.StackStatus)
	if drift := found.DriftInformation; drift != nil && drift.StackDriftStatus == types.StackDriftStatusDrifted {
		text += ", drifted"
		more := "See what was changed by hand: aws cloudformation describe-stack-resource-drifts --stack-name " + name
		if verdict == OK {
			verdict = Warn
		}
		next = strings.TrimSpace(next + " " + more)
	}
	return Finding{Verdict: verdict, Text: text, Next: next}, nil
}

func (a *account) stackARN(name string) string {
	return a.arn("cloudformation", "stack/"+name+"/*")
}

// creationFailed reports whether a stack can only be deleted.
func creationFailed(status types.StackStatus) bool {
	return status == types.StackStatusRollbackComplete || status == types.StackStatusRollbackFailed
}

// judge says what a stack's status means and what to do about it (CloudFormation user
// guide, "Stack status codes").
func judge(status types.StackStatus, name string) (Verdict, string) {
	events := "The first failure in its events has the cause: aws cloudformation describe-stack-events --stack-name " + name + "."
	if creationFailed(status) {
		return Fail, "Its creation failed. " + events + " npx cdk deploy then deletes it and makes it anew."
	}
	switch status {
	case types.StackStatusCreateComplete, types.StackStatusUpdateComplete, types.StackStatusImportComplete:
		return OK, ""
	case types.StackStatusUpdateRollbackComplete, types.StackStatusImportRollbackComplete:
		return Warn, "It is as before an update that failed. " + events + " Then deploy again."
	case types.StackStatusCreateFailed, types.StackStatusUpdateFailed, types.StackStatusUpdateRollbackFailed:
		return Fail, events + " Then run npx cdk rollback, and deploy again."
	case types.StackStatusReviewInProgress:
		return Fail, "It has a change set and no resource: deploy it."
	case types.StackStatusDeleteFailed, types.StackStatusDeleteComplete:
		return Fail, "It was to be destroyed. " + events + " Destroy it again, or deploy it."
	}
	if strings.HasPrefix(string(status), "DELETE_") || strings.HasPrefix(string(status), "ROLLBACK_") {
		return Fail, "It is on its way out. Wait until it is gone, then deploy."
	}
	if strings.HasSuffix(string(status), "_IN_PROGRESS") {
		return Warn, "Somebody deploys. Wait, and look again."
	}
	return Fail, events
}

// isNoStack reports whether CloudFormation does not know a stack. The code is that of any
// invalid parameter; for a valid name it can have no other reason.
func isNoStack(err error) bool {
	problem, ok := errors.AsType[smithy.APIError](err)
	return ok && problem.ErrorCode() == "ValidationError"
}

// resources returns the names of a stack's resources of the given types, without those
// that were deleted or never made.
func resources(ctx context.Context, a *account, stack string, kinds ...string) ([]string, error) {
	pages := cloudformation.NewListStackResourcesPaginator(cloudformation.NewFromConfig(a.configuration),
		&cloudformation.ListStackResourcesInput{StackName: &stack})
	var names []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, about(a.stackARN(stack), err)
		}
		for _, resource := range page.StackResourceSummaries {
			name := aws.ToString(resource.PhysicalResourceId)
			if name == "" || resource.ResourceStatus == types.ResourceStatusDeleteComplete {
				continue
			}
			for _, kind := range kinds {
				if aws.ToString(resource.ResourceType) == kind {
					names = append(names, name)
				}
			}
		}
	}
	return names, nil
}
