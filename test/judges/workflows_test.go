package judges

import (
	"encoding/json"
	"fmt"
	"testing"

	"hl7lake/local/template"
)

const aslValidator = "asl-validator"

// TestASLValidatorTakesEveryWorkflow asks asl-validator, which checks a state machine
// against the Amazon States Language (https://states-language.net/spec.html). Step
// Functions refuses at deployment what breaks it.
func TestASLValidatorTakesEveryWorkflow(t *testing.T) {
	hear(t, aslValidator, judgeWorkflows(t, environments(t, *snapshots)))
}

func judgeWorkflows(t *testing.T, all []environment) verdict {
	t.Helper()
	var subjects []subject
	var findings []finding
	each(t, all, func(place string, r *template.Resource, properties map[string]any) {
		if r.Type != "AWS::StepFunctions::StateMachine" {
			return
		}
		definition := properties["Definition"]
		if text, isText := properties["DefinitionString"].(string); isText {
			if err := json.Unmarshal([]byte(text), &definition); err != nil {
				findings = append(findings, finding{place, "no JSON", "DefinitionString: " + err.Error()})
				return
			}
		}
		if _, isObject := definition.(map[string]any); !isObject {
			findings = append(findings, finding{place, "no definition", "the machine has no readable definition"})
			return
		}
		subjects = append(subjects, subject{Place: place, Document: definition})
	})
	says := askNode(t, "workflows.mjs", aslValidator, fmt.Sprintf("states of %d machines", len(subjects)), subjects)
	says.findings = append(says.findings, findings...)
	return says
}

func TestASLValidatorRefusesBrokenWorkflows(t *testing.T) {
	cases := map[string]wrong{}
	for name, test := range map[string]struct{ definition, want string }{
		"nothing wrong":                   {`{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}`, ""},
		"a dangling Next":                 {`{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}`, "MISSING_TRANSITION_TARGET"},
		"a state without an end":          {`{"StartAt": "A", "States": {"A": {"Type": "Pass"}}}`, "MISSING_TERMINAL_STATE"},
		"a first state that is not there": {`{"StartAt": "B", "States": {"A": {"Type": "Succeed"}}}`, "MISSING_TRANSITION_TARGET"},
		"an end and a next state": {`{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B", "End": true},
			"B": {"Type": "Succeed"}}}`, "TERMINAL_STATE_WITH_NEXT"},
		"a wait of two durations": {`{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 1, "SecondsPath": "$.s",
			"End": true}}}`, "WAIT_DURATION"},
		"no state to start at":    {`{"States": {"A": {"Type": "Succeed"}}}`, "StartAt"},
		"an unknown type":         {`{"StartAt": "A", "States": {"A": {"Type": "Job", "End": true}}}`, "SCHEMA_VALIDATION_FAILED"},
		"a task without resource": {`{"StartAt": "A", "States": {"A": {"Type": "Task", "End": true}}}`, "SCHEMA_VALIDATION_FAILED"},
		"an unreachable state": {`{"StartAt": "A", "States": {"A": {"Type": "Succeed"}, "B": {"Type": "Succeed"}}}`,
			"not reachable"},
		"a path that is none": {`{"StartAt": "A", "States": {"A": {"Type": "Pass", "InputPath": "a..[", "End": true}}}`,
			"SCHEMA_VALIDATION_FAILED"},
		"no JSON":       {`{"StartAt": `, "no JSON"},
		"no definition": {`[]`, "no definition"},
	} {
		text, err := json.Marshal(test.definition)
		if err != nil {
			t.Fatal(err)
		}
		cases[name] = wrong{`{"Type": "AWS::StepFunctions::StateMachine", "Properties":
			{"RoleArn": "arn:aws:iam::123456789012:role/r", "DefinitionString": ` + string(text) + `}}`, test.want}
	}
	mustRefuse(t, judgeWorkflows, cases)
}
