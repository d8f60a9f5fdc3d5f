package e2e_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/google/go-cmp/cmp"

	"hl7lake/client"
	"hl7lake/internal/testing/judge"
)

// frontDoor and the logical ids are all that the original design's client must be told.
const (
	frontDoor       = "hl7lake-dev-front-door"
	frontDoorAPI    = "ApiF70053CD"
	frontDoorClient = "UsersClient3B43F2CF"
	frontDoorUsers  = "Users0A0EEA89"
)

// TestAClientFindsTheLakeInCloudFormationAndSignsInAsAnAdministrator does what the
// original design's client does, with the SDK for Go.
func TestAClientFindsTheLakeInCloudFormationAndSignsInAsAnAdministrator(t *testing.T) {
	l := start(t)
	stacks, users := cloudformation.NewFromConfig(l.config()), cip.NewFromConfig(l.config())
	found, err := stacks.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String(frontDoor)})
	if err != nil || len(found.Stacks) != 1 {
		t.Fatalf("%v: %v", err, found)
	}
	outputs := map[string]string{}
	for _, output := range found.Stacks[0].Outputs {
		outputs[*output.OutputKey] = *output.OutputValue
	}
	if diff := cmp.Diff(l.connection.Outputs[frontDoor], outputs); diff != "" {
		t.Errorf("the stack's outputs (-want +got):\n%s", diff)
	}
	physical := map[string]string{}
	for _, logical := range []string{frontDoorUsers, frontDoorClient} {
		detail, err := stacks.DescribeStackResource(t.Context(), &cloudformation.DescribeStackResourceInput{
			StackName: aws.String(frontDoor), LogicalResourceId: aws.String(logical)})
		if err != nil {
			t.Fatal(err)
		}
		physical[logical] = *detail.StackResourceDetail.PhysicalResourceId
	}
	pool, app := physical[frontDoorUsers], physical[frontDoorClient]
	if pool != outputs[client.OutputPool] || app != outputs[client.OutputClient] {
		t.Errorf("the pool is %s and its client %s, want those of %v", pool, app, outputs)
	}

	const name, temporary, chosen = "engine@example.org", "Temporary-1234", "Password-1234!"
	_, err = users.AdminCreateUser(t.Context(), &cip.AdminCreateUserInput{UserPoolId: &pool, Username: aws.String(name),
		TemporaryPassword: aws.String(temporary), MessageAction: types.MessageActionTypeSuppress,
		UserAttributes: []types.AttributeType{{Name: aws.String("email"), Value: aws.String(name)}, {Name: aws.String("custom:write"), Value: aws.String("here")}}})
	if err != nil {
		t.Fatal(err)
	}
	challenge, err := users.AdminInitiateAuth(t.Context(), &cip.AdminInitiateAuthInput{UserPoolId: &pool, ClientId: &app,
		AuthFlow: types.AuthFlowTypeAdminUserPasswordAuth, AuthParameters: map[string]string{"USERNAME": name, "PASSWORD": temporary}})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := users.AdminRespondToAuthChallenge(t.Context(), &cip.AdminRespondToAuthChallengeInput{UserPoolId: &pool, ClientId: &app,
		ChallengeName: challenge.ChallengeName, Session: challenge.Session,
		ChallengeResponses: map[string]string{"USERNAME": name, "NEW_PASSWORD": chosen}})
	if err != nil || answer.AuthenticationResult == nil {
		t.Fatalf("%v: %+v", err, answer)
	}
	posted := l.mustDo(t, request{method: "POST", path: "/er7", contentType: "application/hl7-v2", token: *answer.AuthenticationResult.IdToken,
		body: []byte("MSH|^~\\&|APP|HERE|||2026||ADT^A01|1|T|2.5\rPID|1\r")})
	if posted.status != 201 {
		t.Errorf("posted: %d %s", posted.status, posted.body)
	}
}

// TestAClientInPythonRunsAsItDidOnTheOriginal runs a client like the original design's:
// boto3, then the posts.
func TestAClientInPythonRunsAsItDidOnTheOriginal(t *testing.T) {
	python := boto3(t)
	output := start(t).python(t, python, "testdata/send_as_original.py", frontDoor, frontDoorAPI, frontDoorUsers, frontDoorClient)
	var posts []string
	for line := range strings.Lines(output) {
		var post struct {
			User, Said string
			Status     int
		}
		if err := json.Unmarshal([]byte(line), &post); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		posts = append(posts, strings.TrimSpace(line))
	}
	want := []string{
		`{"user": "admin", "status": 201, "said": "Message ingested"}`,
		`{"user": "reader", "status": 403, "said": "Insufficient privileges to write"}`,
		`{"user": "writer", "status": 409, "said": "Rejected due to being a duplicate"}`,
	}
	if diff := cmp.Diff(want, posts); diff != "" {
		t.Errorf("what was posted (-want +got):\n%s", diff)
	}
}

// python runs a program with the environment of `lake env`, and returns its output.
func (l *lake) python(t *testing.T, python string, arguments ...string) string {
	t.Helper()
	key := l.Credentials()
	command := exec.CommandContext(t.Context(), python, arguments...)
	command.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+l.URL(), "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID="+key.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+key.SecretAccessKey)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.Bytes())
	}
	return string(output)
}

// boto3 returns a Python that has it.
func boto3(t *testing.T) string {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err == nil {
		err = exec.CommandContext(t.Context(), python, "-c", "import boto3").Run()
	}
	if err != nil {
		judge.Missing(t, "boto3", "boto3 is not installed, so no client in Python was tried (pip install boto3): "+err.Error())
	}
	return python
}
