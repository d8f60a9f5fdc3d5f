package e2e_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"hl7lake/client"
)

// TestAnOperatorFindsFunctionsAndSubscriptionsAsOnAWS asks what the runbook asks, with
// the SDK for Go.
func TestAnOperatorFindsFunctionsAndSubscriptionsAsOnAWS(t *testing.T) {
	l := start(t)
	functions, err := l.lambda().ListFunctions(t.Context(), &awslambda.ListFunctionsInput{})
	if err != nil {
		t.Fatal(err)
	}
	groups := map[string]string{}
	for _, f := range functions.Functions {
		groups[*f.FunctionName] = aws.ToString(f.LoggingConfig.LogGroup)
		one, err := l.lambda().GetFunctionConfiguration(t.Context(), &awslambda.GetFunctionConfigurationInput{FunctionName: f.FunctionArn})
		if err != nil || *one.FunctionName != *f.FunctionName || *one.Role != *f.Role || *one.Timeout != *f.Timeout || len(one.Environment.Variables) == 0 {
			t.Errorf("%v: %+v, listed as %+v", err, one, f)
		}
	}
	for _, name := range []string{"Ingest", "Messages", "Reconcile", "Writer", "Trigger", "Prepare", "Parse", "Index", "Reindex", "Search"} {
		of := slices.DeleteFunc(slices.Collect(maps.Keys(groups)), func(f string) bool { return !strings.Contains(f, name+"Function") })
		if len(of) != 1 || !strings.Contains(groups[of[0]], name+"Logs") {
			t.Errorf("the function %s: %v, of %v", name, of, groups)
		}
	}
	if _, err := l.lambda().GetFunctionConfiguration(t.Context(), &awslambda.GetFunctionConfigurationInput{FunctionName: aws.String("none")}); err == nil ||
		!strings.Contains(err.Error(), "ResourceNotFoundException") {
		t.Errorf("a function that is not there: %v", err)
	}

	sources, err := l.lambda().ListEventSourceMappings(t.Context(), &awslambda.ListEventSourceMappingsInput{})
	if err != nil || len(sources.EventSourceMappings) != 1 {
		t.Fatalf("%v: %+v", err, sources)
	}
	deferred := sources.EventSourceMappings[0]
	if aws.ToString(deferred.State) != "Enabled" || !strings.Contains(aws.ToString(deferred.FunctionArn), "TriggerFunction") ||
		!strings.Contains(aws.ToString(deferred.EventSourceArn), "Deferred") {
		t.Errorf("trigger is fed by %+v", deferred)
	}

	topics := sns.NewFromConfig(l.config())
	all, err := topics.ListSubscriptions(t.Context(), &sns.ListSubscriptionsInput{})
	if err != nil {
		t.Fatal(err)
	}
	hub := l.output(t, client.OutputHub)
	ofHub, err := topics.ListSubscriptionsByTopic(t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: &hub})
	if err != nil || len(ofHub.Subscriptions) < 2 {
		t.Fatalf("%v: %+v", err, ofHub)
	}
	for _, each := range ofHub.Subscriptions {
		if !slices.ContainsFunc(all.Subscriptions, func(s types.Subscription) bool {
			return *s.SubscriptionArn == *each.SubscriptionArn && *s.Endpoint == *each.Endpoint && *s.TopicArn == hub
		}) {
			t.Errorf("%s is not among all", *each.SubscriptionArn)
		}
	}
}

// TestAnOperatorInPythonReadsKeysAndLogs finds a message's line in the log of the
// function that accepted it.
func TestAnOperatorInPythonReadsKeysAndLogs(t *testing.T) {
	python := boto3(t)
	l := start(t)
	receipt, err := l.client(t, l.admin(t)).Send(t.Context(), client.Message{Body: []byte("MSH|^~\\&|APP|HERE|||2026||ADT^A01|1|T|2.5\rPID|1\r")})
	if err != nil {
		t.Fatal(err)
	}
	var found struct{ Keys, Lines []string }
	text := l.python(t, python, "testdata/call_as_operator.py", "hl7lake-dev-core", "IngestFunction", `"`+receipt.ID+`"`)
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		t.Fatal(err)
	}
	if len(found.Keys) == 0 || slices.ContainsFunc(found.Keys, func(state string) bool { return state != "Enabled" }) {
		t.Errorf("the keys of the stack: %v", found.Keys)
	}
	if len(found.Lines) == 0 || slices.ContainsFunc(found.Lines, func(line string) bool { return !strings.Contains(line, receipt.ID) }) {
		t.Errorf("lines of %s: %v", receipt.ID, found.Lines)
	}
}
