package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity"
	identitytypes "github.com/aws/aws-sdk-go-v2/service/cognitoidentity/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
	"hl7lake/local/wire"
	"hl7lake/operate"
)

// configAs returns an AWS SDK's configuration with the credentials, or without any if
// they are nil.
func (l *lake) configAs(key aws.CredentialsProvider) aws.Config {
	return aws.Config{Region: wire.Region, BaseEndpoint: new(l.URL()), Credentials: key}
}

func code(err error) string {
	problem, _ := errors.AsType[smithy.APIError](err)
	if problem == nil {
		return fmt.Sprint(err)
	}
	return problem.ErrorCode()
}

// session gets credentials from the identity pool for a token.
func (l *lake) session(ctx context.Context, t *testing.T, token string) (*identitytypes.Credentials, error) {
	t.Helper()
	pools := cognitoidentity.NewFromConfig(l.configAs(aws.AnonymousCredentials{}))
	logins := map[string]string{"cognito-idp." + wire.Region + ".amazonaws.com/" + l.output(t, client.OutputPool): token}
	id, err := pools.GetId(ctx, &cognitoidentity.GetIdInput{IdentityPoolId: new(l.output(t, "IdentityPoolId")), Logins: logins})
	if err != nil {
		return nil, err
	}
	out, err := pools.GetCredentialsForIdentity(ctx, &cognitoidentity.GetCredentialsForIdentityInput{IdentityId: id.IdentityId, Logins: logins})
	if err != nil {
		return nil, err
	}
	return out.Credentials, nil
}

// s3As is S3 with a session's credentials, and with that token in place of its own.
func (l *lake) s3As(key *identitytypes.Credentials, token string) *s3.Client {
	provider := credentials.NewStaticCredentialsProvider(*key.AccessKeyId, *key.SecretKey, token)
	return s3.NewFromConfig(l.configAs(provider), func(o *s3.Options) { o.UsePathStyle = true })
}

func TestTheIdentityPoolOpensAnInstitutionsObjectsToItsReadersOnly(t *testing.T) {
	l := start(t)
	admin := l.admin(t)
	receipt, err := l.client(t, admin).Send(t.Context(), client.Message{Body: []byte("MSH|^~\\&|A|B|||2026||ADT^A01|IDENTITY|P|2.5\rPID|1||1\r")})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), *patience)
	defer cancel()
	history, err := l.client(t, admin).Wait(ctx, receipt.ID)
	if err != nil {
		t.Fatal(err)
	}
	object, _ := history.Find(client.Staging)
	get := func(key *identitytypes.Credentials, token string) error {
		out, err := l.s3As(key, token).GetObject(t.Context(), &s3.GetObjectInput{Bucket: &object.Bucket, Key: &object.Key})
		if err == nil {
			_ = out.Body.Close()
		}
		return err
	}
	for _, test := range []struct {
		name string
		user client.User
		want string
	}{
		{"reader", client.User{Read: client.Institutions{scenario.Institution}}, ""},
		{"stranger", client.User{Read: client.Institutions{"elsewhere"}}, "AccessDenied"},
		{"writer", client.User{Write: scenario.Institution}, "AccessDenied"},
		{"reader-of-several", client.User{Read: client.Institutions{"elsewhere", "lakeside", scenario.Institution}}, ""},
		{"reader-of-others", client.User{Read: client.Institutions{"elsewhere", "lakeside", "a", "b"}}, "AccessDenied"},
	} {
		test.user.Email = test.name + "-of-identities@example.org"
		token, err := l.user(t, test.user)(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		key, err := l.session(t.Context(), t, token)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if left := time.Until(*key.Expiration); left < 59*time.Minute || left > time.Hour {
			t.Errorf("%s: the credentials are good for %v", test.name, left)
		}
		if got := get(key, *key.SessionToken); (got == nil) != (test.want == "") || got != nil && code(got) != test.want {
			t.Errorf("%s: %v, want %q", test.name, got, test.want)
		}
		if got := code(get(key, "another")); got != "InvalidToken" {
			t.Errorf("%s, with another session's token: %s", test.name, got)
		}
	}
	if _, err := l.session(t.Context(), t, "none"); code(err) != "NotAuthorizedException" {
		t.Errorf("a token that is none: %v", err)
	}
}

// TestADisabledUserGetsNothingNewAndKeepsTheTokenUntilItExpires: the API verifies a token
// and asks nobody, as that of AWS.
func TestADisabledUserGetsNothingNewAndKeepsTheTokenUntilItExpires(t *testing.T) {
	l := start(t)
	user := client.User{Email: "leaving@example.org", Read: client.Institutions{"elsewhere", scenario.Institution}, Write: "elsewhere"}
	signIn := l.user(t, user)
	token, err := signIn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := l.client(t, client.Token(token))
	send := func(control string) (string, error) {
		receipt, err := c.Send(t.Context(), client.Message{Body: []byte("MSH|^~\\&|A|B|||2026||ADT^A01|" + control + "|P|2.5\rPID|1||1\r")})
		return receipt.ID, err
	}
	id, err := send("LEAVING-1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.session(t.Context(), t, token); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second) // a token tells whole seconds: whoever signed in in this one counts as signed out, too
	if err := l.pool.Disable(t.Context(), user.Email); err != nil {
		t.Fatal(err)
	}
	if _, err := l.session(t.Context(), t, token); code(err) != "NotAuthorizedException" {
		t.Errorf("credentials for S3: %v", err)
	}
	if _, err := c.History(t.Context(), id); err != nil {
		t.Errorf("the token that was given out before: %v", err)
	}
	if _, err := send("LEAVING-2"); err != nil {
		t.Errorf("the token that was given out before: %v", err)
	}
	if err := l.pool.Enable(t.Context(), user.Email); err != nil {
		t.Fatal(err)
	}
	if _, err := l.session(t.Context(), t, token); code(err) != "NotAuthorizedException" {
		t.Errorf("credentials for S3, by a token from before: %v", err)
	}
}

func TestAUserReadsTheMessagesOfSeveralInstitutionsAndOfNoOther(t *testing.T) {
	l := start(t)
	send := func(owner string) string {
		t.Helper()
		sender := l.client(t, l.user(t, client.User{Email: "sender-for-" + owner + "@example.org", Write: owner}))
		receipt, err := sender.Send(t.Context(), client.Message{Body: []byte("MSH|^~\\&|A|B|||2026||ADT^A01|SEVERAL|P|2.5\rPID|1||1\r")})
		if err != nil {
			t.Fatal(err)
		}
		return receipt.ID
	}
	reader := l.client(t, l.user(t, client.User{Email: "of-two@example.org", Read: client.Institutions{"several-a", "several-b"}}))
	for owner, want := range map[string]string{"several-a": "", "several-b": "", "several-c": "not-found"} {
		_, err := reader.History(t.Context(), send(owner))
		got := ""
		if problem, ok := errors.AsType[*client.Problem](err); ok {
			got = problem.Code
		} else if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("a message of %s: %q, want %q", owner, got, want)
		}
	}
}

func TestWhoSignsIsTold(t *testing.T) {
	l := start(t)
	out, err := sts.NewFromConfig(l.config()).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || *out.Account != wire.Account || *out.Arn != "arn:aws:iam::"+wire.Account+":root" {
		t.Errorf("%+v, %v", out, err)
	}
	unknown := credentials.NewStaticCredentialsProvider("AKIANOBODY", "x", "")
	if _, err := sts.NewFromConfig(l.configAs(unknown)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); code(err) != "InvalidClientTokenId" {
		t.Errorf("an unknown key: %v", err)
	}
}

// The SDKs read the answers, each in the protocol of its service.
func TestWhatIsNotRunIsToldInTheProtocolOfItsService(t *testing.T) {
	l := start(t)
	config := l.config()
	for name, test := range map[string]struct {
		call func() error
		want string
	}{
		"CBOR": {func() error {
			_, err := cloudwatch.NewFromConfig(config).ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
			return err
		}, "monitoring: ListMetrics is not run by the local lake"},
		"Query": {func() error {
			_, err := sts.NewFromConfig(config).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
			return err
		}, "GetSessionToken is not run by the local lake"},
		"JSON": {func() error {
			_, err := sqs.NewFromConfig(config).ListQueueTags(t.Context(), &sqs.ListQueueTagsInput{QueueUrl: new("http://127.0.0.1/q")})
			return err
		}, "AmazonSQS.ListQueueTags is not run by the local lake"},
	} {
		err := test.call()
		if err == nil || !operate.NotRunLocally(err) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
}

func TestAPresignedAddressIsGoodForItsTimeAndAsItWasSigned(t *testing.T) {
	l := start(t)
	const content = "MSH|^~\\&|A|B|||2026||ADT^A01|PRESIGNED|P|2.5\rPID|1||1\r"
	admin := l.client(t, l.admin(t))
	receipt, err := admin.Send(t.Context(), client.Message{Body: []byte(content)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), *patience)
	defer cancel()
	history, err := admin.Wait(ctx, receipt.ID)
	if err != nil {
		t.Fatal(err)
	}
	object, _ := history.Find(client.Ingestion)
	sign := func(good time.Duration) string {
		t.Helper()
		signed, err := s3.NewPresignClient(l.s3()).PresignGetObject(t.Context(), &s3.GetObjectInput{
			Bucket: &object.Bucket, Key: &object.Key, ResponseContentType: new("text/plain"),
		}, s3.WithPresignExpires(good))
		if err != nil {
			t.Fatal(err)
		}
		return signed.URL
	}
	fetch := func(address string) (int, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(body)
	}
	short := sign(time.Second)
	if status, body := fetch(sign(time.Minute)); status != 200 || body != content {
		t.Errorf("as it was signed: %d %s", status, body)
	}
	for name, change := range map[string][2]string{
		"another object":    {"ingestion/", "staging/"},
		"another type":      {"text%2Fplain", "text%2Fhtml"},
		"for longer":        {"X-Amz-Expires=60", "X-Amz-Expires=600"},
		"another signature": {"X-Amz-Signature=", "X-Amz-Signature=0"},
	} {
		address := sign(time.Minute)
		changed := strings.Replace(address, change[0], change[1], 1)
		if changed == address {
			t.Fatalf("%s: %s is not in %s", name, change[0], address)
		}
		if status, body := fetch(changed); status != 403 || !strings.Contains(body, "SignatureDoesNotMatch") {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	time.Sleep(2100 * time.Millisecond) // the signature's time is in whole seconds
	if status, body := fetch(short); status != 403 || !strings.Contains(body, "Request has expired") {
		t.Errorf("after its time: %d %s", status, body)
	}
}
