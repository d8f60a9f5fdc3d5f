package states_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"hl7lake/local/states"
	"hl7lake/local/wire"
)

const (
	machineARN = "arn:aws:states:us-east-1:123456789012:stateMachine:Staging"
	roleARN    = "arn:aws:iam::123456789012:role/Workflow"
)

// functions answers for Lambda, by function ARN.
type functions map[string]func(ctx context.Context, payload []byte) (output, functionError string, err error)

func (f functions) Invoke(ctx context.Context, arn string, payload []byte) ([]byte, string, error) {
	function, known := f[arn]
	if !known {
		return nil, "", &wire.Error{Status: 404, Code: "ResourceNotFoundException", Message: "Function not found: " + arn}
	}
	output, functionError, err := function(ctx, payload)
	return []byte(output), functionError, err
}

func function(name string) string { return wire.ARN("lambda", "function:"+name) }

func allow(context.Context, string, string, map[string]string) error { return nil }

// service runs a definition behind HTTP.
func service(t *testing.T, definition string, f functions) *httptest.Server {
	t.Helper()
	s := states.New(allow, f)
	t.Cleanup(s.Close)
	if err := s.Add(machineARN, machine(t, definition)); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server
}

func machine(t *testing.T, definition string) states.StateMachine {
	t.Helper()
	properties, err := json.Marshal(map[string]any{
		"StateMachineType": "EXPRESS", "RoleArn": roleARN, "DefinitionString": definition,
		"TracingConfiguration": map[string]any{"Enabled": true},
	})
	if err != nil {
		t.Fatal(err)
	}
	var m states.StateMachine
	if err := json.Unmarshal(properties, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// client is the SDK's, which uses the server as its proxy.
func client(t *testing.T, server *httptest.Server) *sfn.Client {
	t.Helper()
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return sfn.New(sfn.Options{
		Region: wire.Region, BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		HTTPClient: awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.Proxy = func(r *http.Request) (*url.URL, error) { return address, nil }
		}),
	})
}

func execute(t *testing.T, server *httptest.Server, input string) *sfn.StartSyncExecutionOutput {
	t.Helper()
	output, err := client(t, server).StartSyncExecution(t.Context(), &sfn.StartSyncExecutionInput{
		StateMachineArn: aws.String(machineARN), Input: &input,
	})
	if err != nil {
		t.Fatal(err)
	}
	return output
}

// staging is the templates' workflow: two functions and where errors go.
const staging = `{"StartAt":"Prepare","TimeoutSeconds":60,"States":{
	"Prepare":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Next":"Parse","OutputPath":"$.Payload",
		"TimeoutSeconds":25,"Parameters":{"FunctionName":"arn:aws:lambda:us-east-1:123456789012:function:prepare","Payload.$":"$"}},
	"Parse":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","End":true,"OutputPath":"$.Payload",
		"Parameters":{"FunctionName":"parse","Payload.$":"$"},
		"Catch":[{"ErrorEquals":["ParseError"],"Next":"MessageRefused"},{"ErrorEquals":["States.ALL"],"Next":"StepBroken"}]},
	"MessageRefused":{"Type":"Fail","ErrorPath":"$.Error","CausePath":"$.Cause"},
	"StepBroken":{"Type":"Fail","Error":"Broken","Cause":"a step"}}}`

func TestTheResultOfOneFunctionIsTheEventOfTheNext(t *testing.T) {
	server := service(t, staging, functions{
		function("prepare"): func(ctx context.Context, payload []byte) (string, string, error) {
			if got := wire.Caller(ctx); got != roleARN {
				t.Errorf("the function is invoked by %q, want the machine's role", got)
			}
			return `{"prepared":` + string(payload) + `}`, "", nil
		},
		function("parse"): func(_ context.Context, payload []byte) (string, string, error) {
			return `{"parsed":` + string(payload) + `}`, "", nil
		},
	})
	output := execute(t, server, `{"a":1.50,"b":"<&>"}`)
	want := `{"parsed":{"prepared":{"a":1.50,"b":"<&>"}}}`
	if output.Status != types.SyncExecutionStatusSucceeded || aws.ToString(output.Output) != want {
		t.Errorf("got %s %s (%s), want %s", output.Status, aws.ToString(output.Output), aws.ToString(output.Error), want)
	}
}

func TestAFunctionsErrorEndsTheExecutionWithItsNameAndAnswer(t *testing.T) {
	answer := `{"errorMessage":"code=no-header","errorType":"ParseError"}`
	server := service(t, staging, functions{
		function("prepare"): func(context.Context, []byte) (string, string, error) { return `{}`, "", nil },
		function("parse"):   func(context.Context, []byte) (string, string, error) { return answer, "Unhandled", nil },
	})
	output := execute(t, server, `{}`)
	if output.Status != types.SyncExecutionStatusFailed || aws.ToString(output.Error) != "ParseError" || aws.ToString(output.Cause) != answer {
		t.Errorf("got %s, error %q, cause %q", output.Status, aws.ToString(output.Error), aws.ToString(output.Cause))
	}
}

func TestARequestThatCannotStartIsRefusedByName(t *testing.T) {
	server := service(t, staging, nil)
	for name, test := range map[string]struct {
		input *sfn.StartSyncExecutionInput
		want  string
	}{
		"unknown machine": {&sfn.StartSyncExecutionInput{StateMachineArn: aws.String(machineARN + "X")}, "StateMachineDoesNotExist"},
		"not JSON":        {&sfn.StartSyncExecutionInput{StateMachineArn: aws.String(machineARN), Input: aws.String("{")}, "InvalidExecutionInput"},
		"too large": {&sfn.StartSyncExecutionInput{StateMachineArn: aws.String(machineARN),
			Input: aws.String(`"` + strings.Repeat("x", states.MaxData) + `"`)}, "ValidationException"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client(t, server).StartSyncExecution(t.Context(), test.input)
			var refused interface{ ErrorCode() string }
			if !errors.As(err, &refused) || refused.ErrorCode() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestACallerWithoutThePermissionIsRefused(t *testing.T) {
	denied := errors.Join(&wire.Error{Status: 400, Code: "AccessDeniedException", Message: "no"})
	s := states.New(func(_ context.Context, action, resource string, _ map[string]string) error {
		if action != "states:StartSyncExecution" || resource != machineARN {
			t.Errorf("asked for %s on %s", action, resource)
		}
		return denied
	}, functions{})
	defer s.Close()
	server := httptest.NewServer(s)
	defer server.Close()
	_, err := client(t, server).StartSyncExecution(t.Context(), &sfn.StartSyncExecutionInput{StateMachineArn: aws.String(machineARN)})
	if err == nil || !strings.Contains(err.Error(), "AccessDeniedException") {
		t.Errorf("got %v", err)
	}
}

// TestAnSDKWithTwoVariablesReachesTheService runs itself again in a process in which only
// the environment points to the service, like that of a function.
func TestAnSDKWithTwoVariablesReachesTheService(t *testing.T) {
	if os.Getenv("STATES_TEST_CHILD") != "" {
		settings, err := config.LoadDefaultConfig(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		output, err := sfn.NewFromConfig(settings).StartSyncExecution(t.Context(), &sfn.StartSyncExecutionInput{StateMachineArn: aws.String(machineARN)})
		if err != nil || output.Status != types.SyncExecutionStatusSucceeded {
			t.Fatalf("got %+v, %v", output, err)
		}
		return
	}
	server := service(t, only(`{"Type":"Task","Resource":"`+function("echo")+`","End":true}`), echo())
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), "STATES_TEST_CHILD=1", "AWS_REGION="+wire.Region, "AWS_ACCESS_KEY_ID=id",
		"AWS_SECRET_ACCESS_KEY=secret", "AWS_ENDPOINT_URL="+server.URL, "HTTP_PROXY="+server.URL)
	if output, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

func TestTheLongestInputAndNameAreTakenAndNoLongerOnes(t *testing.T) {
	sdk := client(t, service(t, only(`{"Type":"Fail"}`), nil))
	for _, test := range []struct{ input, name, refusal string }{
		{strings.Repeat(" ", states.MaxData-2) + "{}", strings.Repeat("n", 80), ""},
		{strings.Repeat(" ", states.MaxData-1) + "{}", "n", "ValidationException"},
		{"{}", strings.Repeat("n", 81), "InvalidName"},
	} {
		_, err := sdk.StartSyncExecution(t.Context(), &sfn.StartSyncExecutionInput{
			StateMachineArn: aws.String(machineARN), Input: &test.input, Name: &test.name,
		})
		if (err == nil) != (test.refusal == "") || err != nil && !strings.Contains(err.Error(), test.refusal) {
			t.Errorf("%d bytes of input, a name of %d: %v", len(test.input), len(test.name), err)
		}
	}
}
