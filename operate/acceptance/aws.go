package acceptance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"hl7lake/client"
	"hl7lake/internal/contract"
	"hl7lake/operate"
)

// machine gets a token for a machine client of the pool, and asks for a message with an
// id that nobody was given. It writes nothing, because a machine client belongs to a real
// institution.
func (c *check) machine(ctx context.Context) error {
	pool, err := c.connection.Outputs.Get(client.OutputPool)
	if err != nil {
		return err
	}
	api := cognito.NewFromConfig(c.configuration)
	pages := cognito.NewListUserPoolClientsPaginator(api, &cognito.ListUserPoolClientsInput{UserPoolId: &pool})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return c.unlessLocal(err)
		}
		for _, entry := range page.UserPoolClients {
			out, err := api.DescribeUserPoolClient(ctx, &cognito.DescribeUserPoolClientInput{UserPoolId: &pool, ClientId: entry.ClientId})
			if err != nil {
				return c.unlessLocal(err)
			}
			if slices.Contains(out.UserPoolClient.AllowedOAuthFlows, types.OAuthFlowTypeClientCredentials) {
				return c.machineToken(ctx, out.UserPoolClient)
			}
		}
	}
	return skipped("the environment has no client for machines")
}

func (c *check) machineToken(ctx context.Context, machine *types.UserPoolClientType) error {
	tokens, err := c.connection.Machine(aws.ToString(machine.ClientId), aws.ToString(machine.ClientSecret))
	if err != nil {
		return err
	}
	token, err := tokens(ctx)
	if err != nil {
		return err
	}
	base, err := c.connection.Outputs.Get(client.OutputAPI)
	if err != nil {
		return err
	}
	address := strings.TrimSuffix(base, "/") + "/messages/01a20501-9bd9-7ec2-8ff9-1df215e91332"
	status, _, err := c.request(ctx, http.MethodGet, address, "Bearer "+token, "", nil)
	if err == nil && status != http.StatusNotFound && status != http.StatusForbidden {
		err = fmt.Errorf("the API answered %d, want 404, or 403 for a machine that may not read", status)
	}
	return err
}

// identities reads the staged JSON from S3 with the credentials of the identity pool. The
// reader must be allowed to, the stranger must be denied.
func (c *check) identities(ctx context.Context) error {
	object, ok := c.staged.Find(client.Staging)
	if !ok {
		return errors.New("there is no JSON to read: the message was not staged")
	}
	for _, who := range []string{reader, stranger} {
		credentials, err := c.identity(ctx, who)
		if err != nil {
			return c.unlessLocal(err)
		}
		configuration := c.configuration
		configuration.Credentials = credentials
		out, err := s3.NewFromConfig(configuration, func(o *s3.Options) { o.UsePathStyle = c.connection.Endpoint != "" }).
			GetObject(ctx, &s3.GetObjectInput{Bucket: &object.Bucket, Key: &object.Key})
		if err == nil {
			_ = out.Body.Close() // only that it may be read matters
		}
		problem, denied := errors.AsType[smithy.APIError](err)
		denied = denied && problem.ErrorCode() == "AccessDenied"
		switch {
		case who == stranger && err == nil:
			return errors.New("a stranger may read the institution's JSON in S3")
		case who == stranger && denied:
		case err != nil:
			return err
		}
	}
	return nil
}

func (c *check) identity(ctx context.Context, who string) (aws.CredentialsProvider, error) {
	source, ok := c.tokens[who]
	if !ok {
		return nil, errors.New("the step needs a user that could not be made")
	}
	token, err := source(ctx)
	if err != nil {
		return nil, err
	}
	pool, err := c.connection.Outputs.Get(contract.OutputIdentityPool)
	if err != nil {
		return nil, err
	}
	users, err := c.connection.Outputs.Get(client.OutputPool)
	if err != nil {
		return nil, err
	}
	configuration := c.configuration
	configuration.Credentials = aws.AnonymousCredentials{}
	api := cognitoidentity.NewFromConfig(configuration)
	logins := map[string]string{fmt.Sprintf("cognito-idp.%s.amazonaws.com/%s", configuration.Region, users): token}
	id, err := api.GetId(ctx, &cognitoidentity.GetIdInput{IdentityPoolId: &pool, Logins: logins})
	if err != nil {
		return nil, err
	}
	out, err := api.GetCredentialsForIdentity(ctx, &cognitoidentity.GetCredentialsForIdentityInput{IdentityId: id.IdentityId, Logins: logins})
	if err != nil {
		return nil, err
	}
	key := *out.Credentials
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{
			AccessKeyID: aws.ToString(key.AccessKeyId), SecretAccessKey: aws.ToString(key.SecretKey), SessionToken: aws.ToString(key.SessionToken),
		}, nil
	}), nil
}

func (c *check) redrive(ctx context.Context) error {
	operator, err := operate.New(c.connection, c.configuration)
	if err != nil {
		return err
	}
	letters := 0
	if err := operator.Redrive(ctx, operate.RedriveOptions{DryRun: true}, func(operate.DeadLetter) { letters++ }); err != nil {
		return err
	}
	if letters > 0 {
		return fmt.Errorf("%d dead letters: lake redrive --dry-run shows them", letters)
	}
	return nil
}

func (c *check) metrics(ctx context.Context) error {
	out, err := cloudwatch.NewFromConfig(c.configuration).ListMetrics(ctx, &cloudwatch.ListMetricsInput{Namespace: new("hl7lake")})
	if err != nil {
		return c.unlessLocal(err)
	}
	if len(out.Metrics) == 0 {
		return errors.New("no metric in the namespace hl7lake: those of a new lake take some minutes")
	}
	return nil
}
