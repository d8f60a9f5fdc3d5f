package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// account is what one examination knows about the AWS account. The first probe,
// credentials, fills it in; the others run after it.
type account struct {
	configuration aws.Config
	partition     string // of ARNs; "aws" until known
	number        string // "" until known
	unusable      bool   // there are no credentials, or AWS does not accept them
}

func accountOf(c aws.Config) *account { return &account{configuration: c, partition: "aws"} }

// arn returns the ARN of a resource in the account and its region, with "*" for an
// account that is not known.
func (a *account) arn(service, resource string) string {
	number := a.number
	if number == "" {
		number = "*"
	}
	return strings.Join([]string{"arn", a.partition, service, a.configuration.Region, number, resource}, ":")
}

// asked returns a probe that calls AWS. It is skipped if the credentials cannot be used:
// every such probe would fail in the same way, some only after a long search for other
// credentials.
func (a *account) asked(name string, look func(context.Context) (Finding, error)) Probe {
	return Probe{Name: name, Look: func(ctx context.Context) (Finding, error) {
		if a.unusable {
			return Finding{Verdict: Skip, Text: "not asked without region and credentials"}, nil
		}
		return look(ctx)
	}}
}

// credentials tells whose credentials these are. It fails if the account is not the
// wanted one; "" accepts any account.
func (a *account) credentials(ctx context.Context, want string) (Finding, error) {
	region := a.configuration.Region
	if region == "" {
		a.unusable = true
		return Finding{Verdict: Fail, Text: "no region is set", Next: "Set AWS_REGION, or the region of the profile."}, nil
	}
	if a.configuration.Credentials == nil {
		a.unusable = true
		return noCredentials(), nil
	}
	if _, err := a.configuration.Credentials.Retrieve(ctx); err != nil {
		a.unusable = true
		return noCredentials(), nil // without credentials, the error lists all places that were searched
	}
	out, err := sts.NewFromConfig(a.configuration).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		problem, answered := errors.AsType[smithy.APIError](err)
		a.unusable = answered && rejected(problem.ErrorCode())
		return Finding{}, err
	}
	a.number = aws.ToString(out.Account)
	if parts := strings.Split(aws.ToString(out.Arn), ":"); len(parts) > 1 {
		a.partition = parts[1]
	}
	if want != "" && a.number != want {
		return Finding{Verdict: Fail, Text: fmt.Sprintf("of account %s, and the lake is in %s", a.number, want),
			Next: "Set AWS_PROFILE to one of the lake's account."}, nil
	}
	return Finding{Verdict: OK, Text: "account " + a.number + ", region " + region}, nil
}

func noCredentials() Finding {
	return Finding{Verdict: Fail, Text: "no AWS credentials are found",
		Next: "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; after `aws sso login` where the profile needs it."}
}
