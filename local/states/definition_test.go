package states_test

import (
	"encoding/json"
	"strings"
	"testing"

	"hl7lake/local/states"
)

func TestWhatIsNotRunIsRefusedByName(t *testing.T) {
	invoke := `"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","End":true`
	for name, test := range map[string]struct{ definition, want string }{
		"Map":                     {only(`{"Type":"Map","Iterator":{},"End":true}`), "Iterator"},
		"Parallel":                {only(`{"Type":"Parallel","End":true}`), `type "Parallel" is not run`},
		"Pass":                    {only(`{"Type":"Pass","End":true}`), `type "Pass" is not run`},
		"Wait":                    {only(`{"Type":"Wait","Seconds":1,"End":true}`), "Seconds"},
		"Succeed":                 {only(`{"Type":"Succeed"}`), `type "Succeed" is not run`},
		"JSONata":                 {`{"QueryLanguage":"JSONata","StartAt":"S","States":{"S":{"Type":"Fail"}}}`, "JSONata"},
		"JSONata in a state":      {only(`{"Type":"Fail","QueryLanguage":"JSONata"}`), "JSONata"},
		"another service":         {only(`{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","End":true}`), "sqs:sendMessage"},
		"a callback":              {only(`{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken","End":true}`), "waitForTaskToken"},
		"an intrinsic function":   {only(`{` + invoke + `,"Parameters":{"x.$":"States.Format('{}', $.a)"}}`), "States.Format"},
		"an intrinsic in Fail":    {only(`{"Type":"Fail","CausePath":"States.Format('{}', $.a)"}`), "States.Format"},
		"a wildcard":              {only(`{"Type":"Choice","InputPath":"$.a[*]"}`), "$.a[*]"},
		"a descent":               {only(`{"Type":"Choice","InputPath":"$..a"}`), "$..a"},
		"a filter":                {only(`{"Type":"Choice","InputPath":"$.a[?(@.b==1)]"}`), "?(@"},
		"a slice":                 {only(`{"Type":"Choice","InputPath":"$.a[0:2]"}`), "[0:2]"},
		"an empty name":           {only(`{"Type":"Choice","InputPath":"$['']"}`), "$['']"},
		"half a quoted name":      {only(`{"Type":"Choice","InputPath":"$[']"}`), "$[']"},
		"a heartbeat":             {only(`{` + invoke + `,"HeartbeatSeconds":3}`), "HeartbeatSeconds"},
		"an asynchronous call":    {only(`{` + invoke + `,"Parameters":{"FunctionName":"f","InvocationType":"Event"}}`), "InvocationType Event"},
		"a qualifier":             {only(`{` + invoke + `,"Parameters":{"FunctionName":"f","Qualifier":"v"}}`), "Qualifier"},
		"an invoke of nothing":    {only(`{` + invoke + `,"Parameters":{"Payload":{}}}`), "must name the function"},
		"a field of another type": {only(`{"Type":"Fail","OutputPath":"$"}`), "no field OutputPath"},
		"neither Next nor End":    {only(`{"Type":"Task"}`), "Next or End"},
		"both Next and End":       {only(`{` + invoke + `,"Next":"S"}`), "Next or End"},
		"a Next to nowhere":       {only(`{"Type":"Task","Next":"X"}`), `"X"`},
		"a Catch to nowhere":      {only(`{` + invoke + `,"Parameters":{"FunctionName":"f"},"Catch":[{"ErrorEquals":["States.ALL"],"Next":"X"}]}`), `"X"`},
		"a choice to nowhere":     {only(`{"Type":"Choice","Choices":[{"Variable":"$.a","IsPresent":true,"Next":"X"}]}`), `"X"`},
		"an unknown comparison":   {only(`{"Type":"Choice","Choices":[{"Variable":"$.a","StringIs":"x","Next":"S"}]}`), "StringIs"},
		"two comparisons":         {only(`{"Type":"Choice","Choices":[{"Variable":"$.a","IsPresent":true,"BooleanEquals":true,"Next":"S"}]}`), "one comparison, not 2"},
		"a mistyped comparison":   {only(`{"Type":"Choice","Choices":[{"Variable":"$.a","BooleanEquals":"x","Next":"S"}]}`), "BooleanEquals"},
		"a comparison of nothing": {only(`{"Type":"Choice","Choices":[{"BooleanEquals":true,"Next":"S"}]}`), "it needs Variable"},
		"no start":                {`{"StartAt":"X","States":{}}`, `state machine definition: StartAt names the state "X"`},
		"a later version":         {`{"Version":"1.1","StartAt":"S","States":{"S":{"Type":"Fail"}}}`, "version 1.1"},
		"ALL among others":        {only(`{` + invoke + `,"Parameters":{"FunctionName":"f"},"Retry":[{"ErrorEquals":["States.ALL","E"]}]}`), "States.ALL must stand alone"},
		"a rate below one":        {only(`{` + invoke + `,"Parameters":{"FunctionName":"f"},"Retry":[{"ErrorEquals":["E"],"BackoffRate":0.5}]}`), "BackoffRate"},
		"a result in the context": {only(`{` + invoke + `,"ResultPath":"$$.x"}`), "reference path"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := states.Load([]byte(test.definition)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestARetriersNumbersHaveTheirLeastValues(t *testing.T) {
	for field, test := range map[string]struct{ refused, taken string }{
		"IntervalSeconds": {"0", "1"},
		"MaxAttempts":     {"-1", "0"},
		"BackoffRate":     {"0.99", "1"},
		"MaxDelaySeconds": {"0", "1"},
		"JitterStrategy":  {`"HALF"`, `"NONE"`},
	} {
		load := func(value string) error {
			_, err := states.Load([]byte(only(`{"Type":"Task","Resource":"` + function("f") + `","End":true,
				"Retry":[{"ErrorEquals":["E"],"` + field + `":` + value + `}]}`)))
			return err
		}
		if err := load(test.refused); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s of %s: %v", field, test.refused, err)
		}
		if err := load(test.taken); err != nil {
			t.Errorf("%s of %s: %v", field, test.taken, err)
		}
	}
}

func TestTheLanguageAndItsVersionMayBeNamed(t *testing.T) {
	if _, err := states.Load([]byte(`{"Version":"1.0","QueryLanguage":"JSONPath","StartAt":"S","States":{"S":{"Type":"Fail"}}}`)); err != nil {
		t.Error(err)
	}
}

func TestAPropertyThatIsNotRunIsRefusedByName(t *testing.T) {
	for properties, want := range map[string]string{
		`{"StateMachineType":"EXPRESS","EncryptionConfiguration":{}}`:        "EncryptionConfiguration",
		`{"StateMachineType":"EXPRESS","DefinitionS3Location":{}}`:           "DefinitionS3Location",
		`{"StateMachineType":"STANDARD","DefinitionString":"{}"}`:            "STANDARD",
		`{"StateMachineType":"EXPRESS","DefinitionSubstitutions":{"a":"b"}}`: "DefinitionSubstitutions",
	} {
		var m states.StateMachine
		err := json.Unmarshal([]byte(properties), &m)
		if err == nil {
			s := states.New(allow, nil)
			err = s.Add(machineARN, m)
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", properties, err)
		}
	}
}

func TestAChoiceTakesTheFirstRuleThatMatches(t *testing.T) {
	input := `{"s":"true","b":true,"z":null}`
	for rule, want := range map[string]bool{
		`"Variable":"$.b","BooleanEquals":true`:                                                    true,
		`"Variable":"$.b","BooleanEquals":false`:                                                   false,
		`"Variable":"$.s","BooleanEquals":true`:                                                    false,
		`"Variable":"$.z","BooleanEquals":false`:                                                   false,
		`"Variable":"$.x","IsPresent":false`:                                                       true,
		`"Variable":"$.z","IsPresent":true`:                                                        true,
		`"And":[{"Variable":"$.b","IsPresent":true},{"Variable":"$.b","BooleanEquals":true}]`:      true,
		`"And":[{"Variable":"$.b","BooleanEquals":true},{"Variable":"$.z","BooleanEquals":true}]`:  false,
		`"And":[{"Variable":"$.b","BooleanEquals":false},{"Variable":"$.b","BooleanEquals":true}]`: false,
		`"And":[{"Variable":"$.x","IsPresent":true},{"Variable":"$.x","BooleanEquals":true}]`:      false,
	} {
		t.Run(rule, func(t *testing.T) {
			got := run(t, `{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{`+rule+`,"Next":"Yes"}],"Default":"No"},
				"Yes":{"Type":"Fail","Error":"Yes"},"No":{"Type":"Fail","Error":"No"}}}`, input, nil)
			if yes := got.Error == "Yes"; yes != want || !yes && got.Error != "No" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// FuzzLoad: whatever a definition says, it is refused or it ends.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{staging, `{}`, only(`{"Type":"Choice","Choices":[{"And":[{"Variable":"$","IsPresent":true}],"Next":"S"}]}`),
		only(`{"Type":"Task","Resource":"` + function("f") + `","Parameters":{"a.$":"$$.State"},"ResultPath":"$.a['b'][0]","End":true}`)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		definition, err := states.Load([]byte(text))
		if (err == nil) != (definition != nil) {
			t.Errorf("a definition and an error: %v", err)
		}
		if err == nil && definition.States[definition.StartAt] == nil {
			t.Error("it has no state to start with")
		}
	})
}
