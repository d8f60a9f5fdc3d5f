package states

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Definition is a state machine in the Amazon States Language
// (https://states-language.net/spec.html), checked: every state that it names exists, and
// everything in it can be run here.
type Definition struct {
	Comment        string
	QueryLanguage  string // JSONPath if empty; nothing else is run
	Version        string
	StartAt        string
	States         map[string]*State
	TimeoutSeconds int // for the whole execution; 0: none but the service's own
}

// State is one state. Its type decides which fields it may have.
type State struct {
	Type          string
	Comment       string
	QueryLanguage string
	Next          string
	End           bool

	InputPath      path
	Parameters     payload
	ResultSelector payload
	ResultPath     path
	OutputPath     path

	Resource       string // Task
	TimeoutSeconds int    // Task; 0: none of its own
	Retry          []Retrier
	Catch          []Catcher

	Choices []Rule // Choice
	Default string

	Error, Cause         string // Fail
	ErrorPath, CausePath path
}

// Retrier says after which errors a state is tried again, and when.
type Retrier struct {
	ErrorEquals     []string
	IntervalSeconds *int // 1 where nil
	MaxAttempts     *int // 3 where nil
	BackoffRate     *float64
	MaxDelaySeconds *int
	JitterStrategy  string // FULL, NONE or empty
	Comment         string
}

// Catcher says which state follows after which errors.
type Catcher struct {
	ErrorEquals []string
	Next        string
	ResultPath  path
	Comment     string
}

// Load parses and checks a definition. An error names the state and the field
// that is wrong, or that is not run here.
func Load(definition []byte) (*Definition, error) {
	d := new(Definition)
	decoder := json.NewDecoder(bytes.NewReader(definition))
	decoder.DisallowUnknownFields()
	var outer struct {
		*Definition
		States map[string]json.RawMessage
	}
	outer.Definition = d
	if err := decoder.Decode(&outer); err != nil {
		return nil, &DefinitionError{Err: err}
	}
	d.States = make(map[string]*State, len(outer.States))
	for name, text := range outer.States {
		state := new(State)
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(state); err != nil {
			return nil, &DefinitionError{State: name, Err: err}
		}
		d.States[name] = state
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	return d, nil
}

// DefinitionError says what in a definition is wrong or not run here.
type DefinitionError struct {
	State string // empty if no single state is at fault
	Err   error
}

func (e *DefinitionError) Error() string {
	if e.State == "" {
		return fmt.Sprintf("state machine definition: %v", e.Err)
	}
	return fmt.Sprintf("state machine definition, state %q: %v", e.State, e.Err)
}

// Unwrap returns what is wrong.
func (e *DefinitionError) Unwrap() error { return e.Err }

func (d *Definition) check() error {
	if d.QueryLanguage != "" && d.QueryLanguage != "JSONPath" {
		return &DefinitionError{Err: fmt.Errorf("QueryLanguage %s is not run by the local lake", d.QueryLanguage)}
	}
	if d.Version != "" && d.Version != "1.0" {
		return &DefinitionError{Err: fmt.Errorf("version %s of the language is unknown", d.Version)}
	}
	if _, known := d.States[d.StartAt]; !known {
		return &DefinitionError{Err: fmt.Errorf("StartAt names the state %q, which is not there", d.StartAt)}
	}
	for name, state := range d.States {
		if err := state.check(d); err != nil {
			return &DefinitionError{State: name, Err: err}
		}
	}
	return nil
}

// fieldsOf lists, by type, the fields that only some types of state may have.
func fieldsOf() map[string][]string {
	io := []string{"InputPath", "OutputPath"}
	return map[string][]string{
		"Task": append([]string{"Parameters", "ResultSelector", "ResultPath", "Resource", "TimeoutSeconds",
			"Retry", "Catch", "Next", "End"}, io...),
		"Choice": append([]string{"Choices", "Default"}, io...),
		"Fail":   {"Error", "Cause", "ErrorPath", "CausePath"},
	}
}

// present names the fields that the state has, except those that every state may have.
func (s *State) present() []string {
	var names []string
	for name, there := range map[string]bool{
		"Next": s.Next != "", "End": s.End, "InputPath": s.InputPath.given, "Parameters": s.Parameters.given,
		"ResultSelector": s.ResultSelector.given, "ResultPath": s.ResultPath.given, "OutputPath": s.OutputPath.given,
		"Resource": s.Resource != "", "TimeoutSeconds": s.TimeoutSeconds != 0, "Retry": s.Retry != nil,
		"Catch": s.Catch != nil, "Choices": s.Choices != nil, "Default": s.Default != "", "Error": s.Error != "", "Cause": s.Cause != "",
		"ErrorPath": s.ErrorPath.given, "CausePath": s.CausePath.given,
	} {
		if there {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (s *State) check(d *Definition) error {
	allowed, known := fieldsOf()[s.Type]
	if !known {
		return fmt.Errorf("type %q is not run by the local lake", s.Type)
	}
	if s.QueryLanguage != "" && s.QueryLanguage != "JSONPath" {
		return fmt.Errorf("QueryLanguage %s is not run by the local lake", s.QueryLanguage)
	}
	for _, name := range s.present() {
		if !slices.Contains(allowed, name) {
			return fmt.Errorf("a %s state has no field %s", s.Type, name)
		}
	}
	if slices.Contains(allowed, "Next") && (s.Next == "") == !s.End {
		return fmt.Errorf("it needs either Next or End")
	}
	if err := s.checkTargets(d); err != nil {
		return err
	}
	switch s.Type {
	case "Task":
		return s.checkTask()
	case "Choice":
		return s.checkChoice(d)
	case "Fail":
		if s.ErrorPath.given && s.Error != "" || s.CausePath.given && s.Cause != "" {
			return fmt.Errorf("a field and its Path cannot both be there")
		}
	}
	return nil
}

// checkTargets checks the states that this one names, and its retriers.
func (s *State) checkTargets(d *Definition) error {
	targets := []string{s.Next, s.Default}
	for _, c := range s.Catch {
		if err := checkErrors(c.ErrorEquals); err != nil {
			return err
		}
		if c.Next == "" {
			return fmt.Errorf("a catcher needs Next")
		}
		if !c.ResultPath.isReference() {
			return fmt.Errorf("ResultPath must be a reference path")
		}
		targets = append(targets, c.Next)
	}
	for _, target := range targets {
		if _, known := d.States[target]; target != "" && !known {
			return fmt.Errorf("it names the state %q, which is not there", target)
		}
	}
	if !s.ResultPath.isReference() {
		return fmt.Errorf("ResultPath must be a reference path")
	}
	for _, r := range s.Retry {
		if err := r.check(); err != nil {
			return err
		}
	}
	return nil
}

func (r Retrier) check() error {
	if err := checkErrors(r.ErrorEquals); err != nil {
		return err
	}
	switch {
	case r.IntervalSeconds != nil && *r.IntervalSeconds < 1:
		return fmt.Errorf("IntervalSeconds must be positive")
	case r.MaxAttempts != nil && *r.MaxAttempts < 0:
		return fmt.Errorf("MaxAttempts must not be negative")
	case r.BackoffRate != nil && *r.BackoffRate < 1:
		return fmt.Errorf("BackoffRate must be 1 or more")
	case r.MaxDelaySeconds != nil && *r.MaxDelaySeconds < 1:
		return fmt.Errorf("MaxDelaySeconds must be positive")
	case !slices.Contains([]string{"", "NONE", "FULL"}, r.JitterStrategy):
		return fmt.Errorf("JitterStrategy %q is unknown", r.JitterStrategy)
	}
	return nil
}

func checkErrors(names []string) error {
	if len(names) == 0 {
		return fmt.Errorf("ErrorEquals must name an error")
	}
	if slices.Contains(names, errAll) && len(names) > 1 {
		return fmt.Errorf("States.ALL must stand alone in ErrorEquals")
	}
	return nil
}

// invokeResource is the optimized Lambda integration, without its partition.
const invokeResource = ":states:::lambda:invoke"

func (s *State) checkTask() error {
	if s.TimeoutSeconds < 0 {
		return fmt.Errorf("TimeoutSeconds must be positive")
	}
	if strings.Contains(s.Resource, ":lambda:") && strings.Contains(s.Resource, ":function:") {
		return nil
	}
	if !strings.HasSuffix(s.Resource, invokeResource) {
		return fmt.Errorf("resource %s is not run by the local lake", s.Resource)
	}
	parameters, isObject := s.Parameters.template.(map[string]any)
	if !isObject {
		return fmt.Errorf("parameters must name the function")
	}
	for name, value := range parameters {
		switch strings.TrimSuffix(name, ".$") {
		case "FunctionName", "Payload":
		case "InvocationType":
			if value != "RequestResponse" {
				return fmt.Errorf("InvocationType %v is not run by the local lake", value)
			}
		default:
			return fmt.Errorf("parameter %s is not run by the local lake", name)
		}
	}
	if parameters["FunctionName"] == nil && parameters["FunctionName.$"] == nil {
		return fmt.Errorf("parameters must name the function")
	}
	return nil
}
