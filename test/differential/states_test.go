package differential_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"hl7lake/local"
	"hl7lake/local/states"
	"hl7lake/local/wire"
)

// workflow is one case: a definition and its input.
type workflow struct{ name, definition, input string }

const workflowRole = "arn:aws:iam::123456789012:role/Workflow"

func compareStates(t *testing.T, moto *server, functions *functions, agree verdict) {
	service := states.New(allow, functions)
	t.Cleanup(service.Close)
	local := serve(t, service)
	type pair struct{ ours, motos string }
	all := append(workflows(), ofTheLake(t)...)
	answers := make([]pair, len(all))
	var running sync.WaitGroup // they wait between retries, so together they take no longer than the longest
	for i, w := range all {
		running.Go(func() { answers[i].ours = runLocally(t, service, local, w) })
		running.Go(func() { answers[i].motos = runOnMoto(t, moto, i, w) })
	}
	running.Wait()
	for i, w := range all {
		agree(w.name+" "+w.definition+" on "+w.input, answers[i].ours, answers[i].motos)
	}
}

// runLocally says in words how the execution ended.
func runLocally(t *testing.T, service *states.Service, local *server, w workflow) string {
	arn := wire.ARN("states", "stateMachine:"+w.name)
	err := service.Add(arn, states.StateMachine{StateMachineType: "EXPRESS", RoleArn: workflowRole, DefinitionString: w.definition})
	if refused := new(states.DefinitionError); errors.As(err, &refused) {
		return "InvalidDefinition"
	}
	address, parseErr := url.Parse(local.url)
	if err = errors.Join(err, parseErr); err != nil {
		return err.Error()
	}
	config := local.config()
	config.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(transport *http.Transport) {
		transport.Proxy = http.ProxyURL(address) // the SDK asks for another host: see package states
	})
	out, err := sfn.NewFromConfig(config).StartSyncExecution(t.Context(), &sfn.StartSyncExecutionInput{StateMachineArn: &arn, Input: &w.input})
	if err != nil {
		return code(err)
	}
	return ending(string(out.Status), out.Output, out.Error, out.Cause)
}

// runOnMoto does the same as a standard workflow, since moto has no StartSyncExecution.
// The language is the same.
func runOnMoto(t *testing.T, moto *server, n int, w workflow) string {
	config := moto.config()
	// Moto cannot start an execution in an account that has had one: it copies everything
	// in the account. So each has an account of its own.
	config.APIOptions = append(config.APIOptions, smithyhttp.AddHeaderValue("x-moto-account-id", fmt.Sprintf("%012d", n+1)))
	client := sfn.NewFromConfig(config)
	machine, err := client.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{
		Name: aws.String(fmt.Sprintf("workflow-%d", n)), Definition: &w.definition, RoleArn: aws.String(workflowRole),
	})
	if err != nil {
		return code(err)
	}
	started, err := client.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: machine.StateMachineArn, Input: &w.input})
	if err != nil {
		return code(err)
	}
	for {
		out, err := client.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: started.ExecutionArn})
		if err != nil {
			return code(err)
		}
		if out.Status != types.ExecutionStatusRunning {
			return ending(string(out.Status), out.Output, out.Error, out.Cause)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// ending is how an execution ended. Causes are for people, and are compared only if they
// are a function's own.
func ending(status string, output, name, cause *string) string {
	text := status
	if output != nil {
		var value any
		if err := json.Unmarshal([]byte(*output), &value); err != nil {
			return "an output that is not JSON: " + *output
		}
		sorted, err := json.Marshal(value)
		if err != nil {
			return err.Error()
		}
		text += " " + string(sorted)
	}
	if name != nil && *name != "" {
		text += " " + *name
	}
	if cause != nil && strings.HasPrefix(*cause, "{") {
		text += " " + *cause
	}
	return text
}

// only is a machine with one state.
func only(state string) string { return `{"StartAt":"S","States":{"S":` + state + `}}` }

func functionARN(name string) string { return wire.ARN("lambda", "function:"+name) }

// echoes begins a state whose function answers what it is given: the state's own input,
// or its Parameters.
const echoes = `"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:echo"`

// workflows are a few of each state, path, error name, retrier and catcher that the local
// lake runs.
func workflows() []workflow {
	return append(append(dataFlows(), choices()...), failures()...)
}

// ofTheLake are the workflow of the committed template, with functions that succeed and
// with functions that fail in the ways that it catches.
func ofTheLake(t *testing.T) (all []workflow) {
	t.Helper()
	assembly, err := local.Load("../snapshots/dev")
	if err != nil {
		t.Fatal(err)
	}
	for _, machine := range assembly.OfType("AWS::StepFunctions::StateMachine") {
		properties, err := machine.Properties()
		if err != nil {
			t.Fatal(err)
		}
		definition := properties["DefinitionString"].(string)
		invoking := func(definition, function, instead string) string {
			text := regexp.MustCompile(`arn:aws:lambda:[^"]*`+function+`[^"]*`).ReplaceAllString(definition, functionARN(instead))
			if text == definition {
				t.Fatalf("the workflow invokes no function %s: %s", function, definition)
			}
			return text
		}
		for _, parse := range []string{"echo", "fails-ParseError", "fails-Other"} {
			text := invoking(invoking(definition, "Prepare", "echo"), "Parse", parse)
			all = append(all, workflow{"lake-" + parse, text, `{"attributes":{"id":"1"},"body":"MSH"}`})
		}
		// A workflow whose first step fails shows which messages skip that step.
		for _, tidy := range []string{`true`, `false`, `"true"`, `null`} {
			text := invoking(invoking(definition, "Prepare", "fails-ParseError"), "Parse", "echo")
			all = append(all, workflow{"lake-tidy-" + tidy, text, `{"attributes":{"id":"1"},"body":"MSH","tidy":` + tidy + `}`})
		}
	}
	return all
}

// dataFlows pass data through paths.
func dataFlows() (all []workflow) {
	invoke := `"Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"` + functionARN("echo") + `"`
	for i, c := range [][2]string{
		{`{` + echoes + `,"Parameters":{"r":1},"End":true}`, `{"a":1}`},
		{`{` + echoes + `,"End":true}`, `{"a":1.5,"b":[true,null,"x"]}`},
		{`{` + echoes + `,"InputPath":"$.a.b","End":true}`, `{"a":{"b":[1,2]}}`},
		{`{` + echoes + `,"InputPath":null,"End":true}`, `{"a":1}`},
		{`{` + echoes + `,"OutputPath":"$.a","End":true}`, `{"a":"x"}`},
		{`{` + echoes + `,"OutputPath":null,"End":true}`, `{"a":1}`},
		{`{` + echoes + `,"OutputPath":"$.a[1]['b c']","End":true}`, `{"a":[0,{"b c":7}]}`},
		{`{` + echoes + `,"OutputPath":"$.a[0]","End":true}`, `{"a":[1,2,3]}`},
		{`{` + echoes + `,"Parameters":{"k":"v","n":{"x.$":"$.a","l":[{"y.$":"$"}]}},"End":true}`, `{"a":1}`},
		{`{` + echoes + `,"InputPath":"$.b","Parameters":{"x.$":"$.c","y.$":"$$.Execution.Input.a"},"End":true}`, `{"a":1,"b":{"c":2}}`},
		{`{` + echoes + `,"Parameters":{"r":5},"ResultPath":"$.x.y","End":true}`, `{"a":1}`},
		{`{` + echoes + `,"Parameters":{"r":5},"ResultPath":"$.a","End":true}`, `{"a":1,"b":2}`},
		{`{` + echoes + `,"Parameters":{"r":5},"ResultPath":null,"End":true}`, `{"a":1}`},
		{`{` + echoes + `,"InputPath":"$.a","ResultPath":"$.r","End":true}`, `{"a":1,"b":2}`},
		{`{` + echoes + `,"Parameters":{"s.$":"$$.State.Name","r.$":"$$.Execution.RoleArn"},"End":true}`, `{}`},
		{`{` + echoes + `,"InputPath":"$.a","ResultPath":"$.r","End":true}`, `{"a":{"b":2}}`},
		{`{` + echoes + `,"Parameters":{"p.$":"$.a"},"ResultSelector":{"only.$":"$.p"},"ResultPath":"$.r","End":true}`, `{"a":1}`},
		{`{` + echoes + `,"ResultPath":null,"OutputPath":"$.a","End":true}`, `{"a":1}`},
		{`{"Type":"Task",` + invoke + `,"Payload":{"p.$":"$.a"}},"ResultSelector":{"s.$":"$.StatusCode","p.$":"$.Payload","v.$":"$.ExecutedVersion"},"End":true}`, `{"a":1}`},
		{`{"Type":"Task",` + invoke + `,"Payload.$":"$"},"OutputPath":"$.Payload","End":true}`, `{"a":{"b":[1,"x"]}}`},
	} {
		all = append(all, workflow{fmt.Sprintf("data-%d", i), only(c[0]), c[1]})
	}
	return all
}

// choices ask every operator that is run for something that holds and something that does
// not.
func choices() (all []workflow) {
	for i, c := range [][2]string{
		{`"BooleanEquals":true`, `true`}, {`"BooleanEquals":false`, `true`}, {`"BooleanEquals":true`, `"true"`}, {`"IsPresent":true`, `null`},
	} {
		definition := `{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$.a",` + c[0] + `,"Next":"Yes"}],"Default":"No"},
			"Yes":{` + echoes + `,"Parameters":{"is":true},"End":true},"No":{` + echoes + `,"Parameters":{"is":false},"End":true}}}`
		all = append(all, workflow{fmt.Sprintf("choice-%d", i), definition, `{"a":` + c[1] + `,"b":"y","c":7}`})
	}
	for i, rule := range []string{
		`"And":[{"Variable":"$.a","BooleanEquals":true},{"Variable":"$.b","BooleanEquals":false}]`,
		`"And":[{"Variable":"$.a","BooleanEquals":true},{"Variable":"$.b","BooleanEquals":true}]`,
		`"And":[{"Variable":"$.absent","IsPresent":true},{"Variable":"$.absent","BooleanEquals":true}]`,
		`"Variable":"$.absent","IsPresent":false`,
	} {
		definition := `{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{` + rule + `,"Next":"Yes"}],"Default":"No"},
			"Yes":{` + echoes + `,"Parameters":{"is":true},"End":true},"No":{` + echoes + `,"End":true}}}`
		all = append(all, workflow{fmt.Sprintf("rule-%d", i), definition, `{"a":true,"b":false}`})
	}
	return all
}

// failures end executions, are caught, or are retried.
func failures() (all []workflow) {
	task := func(function, more string) string {
		return `{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"` + functionARN(function) + `"},"End":true` + more + `}`
	}
	caught := func(function, names, retry string) string {
		return `{"StartAt":"T","States":{"T":` + task(function, retry+`,"Catch":[{"ErrorEquals":`+names+`,"ResultPath":"$.caught","Next":"C"}]`) +
			`,"C":{` + echoes + `,"Parameters":{"error.$":"$.caught.Error","a.$":"$.a"},"End":true}}}`
	}
	direct := func(function string) string {
		return only(`{"Type":"Task","Resource":"` + functionARN(function) + `","End":true}`)
	}
	for i, definition := range []string{
		only(`{"Type":"Fail","Error":"E","Cause":"C"}`),
		only(`{"Type":"Fail"}`),
		only(`{"Type":"Fail","ErrorPath":"$.e","CausePath":"$.c"}`),
		only(`{` + echoes + `,"InputPath":"$.nowhere","End":true}`),
		only(`{` + echoes + `,"Parameters":{"x.$":"$.nowhere"},"End":true}`),
		only(`{` + echoes + `,"OutputPath":"$.nowhere","End":true}`),
		only(`{` + echoes + `,"ResultPath":"$.a.b","End":true}`),
		only(`{"Type":"Choice","Choices":[{"Variable":"$.a","BooleanEquals":true,"Next":"S"}]}`),
		only(`{"Type":"Choice","Choices":[{"Variable":"$.nowhere","BooleanEquals":true,"Next":"S"}]}`),
		`{"StartAt":"S","TimeoutSeconds":1,"States":{"S":` + task("fails-E", `,"Retry":[{"ErrorEquals":["E"],"IntervalSeconds":20}]`) + `}}`,
		only(task("fails-ParseError", "")),
		only(task("dies", "")),
		only(task("absent", "")),
		only(task("throttled", "")),
		direct("fails-ParseError"), direct("dies"), direct("absent"), direct("throttled"),
		only(task("fails-E", `,"Retry":[{"ErrorEquals":["E"],"MaxAttempts":2,"IntervalSeconds":1,"BackoffRate":1}]`)),
		// With back-off: after one second and two, one and three, one and one; and one
		// attempt too few.
		only(task("third-1-2", `,"Retry":[{"ErrorEquals":["States.ALL"]}],"OutputPath":"$.Payload"`)),
		only(task("third-1-3", `,"Retry":[{"ErrorEquals":["E"],"IntervalSeconds":1,"BackoffRate":3,"MaxAttempts":2}],"OutputPath":"$.Payload"`)),
		only(task("third-1-1", `,"Retry":[{"ErrorEquals":["E"],"IntervalSeconds":1,"BackoffRate":9,"MaxDelaySeconds":1}],"OutputPath":"$.Payload"`)),
		only(task("third-0-0", `,"Retry":[{"ErrorEquals":["E"],"IntervalSeconds":1,"MaxAttempts":1}],"OutputPath":"$.Payload"`)),
		only(task("fails-E", `,"Retry":[{"ErrorEquals":["X"],"MaxAttempts":9}]`)),
		caught("fails-E", `["E"]`, ""),
		caught("fails-E", `["X","E"]`, ""),
		caught("fails-E", `["X"]`, ""),
		caught("fails-E", `["States.ALL"]`, ""),
		caught("fails-E", `["States.TaskFailed"]`, ""),
		caught("fails-E", `["States.Timeout"]`, ""),
		caught("dies", `["States.ALL"]`, ""),
		caught("absent", `["Lambda.ResourceNotFoundException"]`, ""),
		caught("throttled", `["Lambda.TooManyRequestsException"]`, ""),
		caught("throttled", `["States.ALL"]`, `,"Retry":[{"ErrorEquals":["Lambda.TooManyRequestsException"],"MaxAttempts":2,"IntervalSeconds":1,"BackoffRate":2}]`),
		caught("fails-E", `["States.ALL"]`, `,"Retry":[{"ErrorEquals":["E"],"MaxAttempts":1,"IntervalSeconds":1}]`),
		`{"StartAt":"T","States":{"T":` + task("fails-E", `,"Catch":[{"ErrorEquals":["States.ALL"],"Next":"F"}]`) + `,"F":{"Type":"Fail","ErrorPath":"$.Error","CausePath":"$.Cause"}}}`,
		// Refused at creation.
		`{"StartAt":"X","States":{"S":{"Type":"Fail"}}}`,
		only(`{` + echoes + `,"Next":"X"}`),
		only(`{"Type":"Dance","End":true}`),
		only(`{` + echoes + `}`),
		`{"States":{"S":{"Type":"Fail"}}}`,
	} {
		all = append(all, workflow{fmt.Sprintf("failure-%d", i), definition, `{"a":1,"e":"Err","c":"why"}`})
	}
	return all
}
