package template

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"hl7lake/local/wire"
)

// noValue stands for AWS::NoValue while a value is resolved. It is removed from the map
// or list that holds it.
type noValue struct{}

// intrinsic computes one function's value from its argument.
type intrinsic func(s *Stack, argument any) (any, error)

// intrinsics are the functions that the CDK writes
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html).
func intrinsics() map[string]intrinsic {
	return map[string]intrinsic{
		"Ref":                (*Stack).ref,
		"Fn::GetAtt":         (*Stack).getAtt,
		"Fn::GetStackOutput": (*Stack).getStackOutput,
		"Fn::Join":           (*Stack).join,
		"Fn::Sub":            (*Stack).sub,
		"Fn::Select":         (*Stack).selectOne,
		"Fn::Split":          (*Stack).split,
		"Fn::Base64":         (*Stack).base64,
	}
}

// resolve returns value with every intrinsic function in it computed, and with the
// addresses of [Assembly.Relocate].
func (s *Stack) resolve(value any) (any, error) {
	resolved, err := s.compute(value)
	if _, absent := resolved.(noValue); absent {
		return nil, err
	}
	return s.assembly.relocated(resolved), err
}

func (s *Stack) compute(value any) (any, error) {
	switch value := value.(type) {
	case map[string]any:
		if name, argument, is := asFunction(value); is {
			return s.call(name, argument)
		}
		return s.computeMap(value)
	case []any:
		return s.computeList(value)
	}
	return value, nil
}

// asFunction recognizes {"Fn::Join": …}, {"Ref": …} and {"Condition": …}: an object with
// one key that only a function has.
func asFunction(object map[string]any) (name string, argument any, is bool) {
	if len(object) != 1 {
		return "", nil, false
	}
	for name, argument = range object {
		is = name == "Ref" || strings.HasPrefix(name, "Fn::")
	}
	return name, argument, is
}

func (s *Stack) call(name string, argument any) (any, error) {
	function, known := intrinsics()[name]
	if !known {
		return nil, fmt.Errorf("the intrinsic function %s is not run by the local lake", name)
	}
	value, err := function(s, argument)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return value, nil
}

func (s *Stack) computeMap(object map[string]any) (any, error) {
	resolved := make(map[string]any, len(object))
	for key, member := range object {
		value, err := s.compute(member)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		if _, absent := value.(noValue); !absent {
			resolved[key] = value
		}
	}
	return resolved, nil
}

func (s *Stack) computeList(list []any) (any, error) {
	resolved := make([]any, 0, len(list))
	for i, member := range list {
		value, err := s.compute(member)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		if _, absent := value.(noValue); !absent {
			resolved = append(resolved, value)
		}
	}
	return resolved, nil
}

func (s *Stack) ref(argument any) (any, error) {
	name, _ := argument.(string)
	switch name {
	case "AWS::Region":
		return wire.Region, nil
	case "AWS::AccountId":
		return wire.Account, nil
	case "AWS::Partition":
		return "aws", nil
	case "AWS::URLSuffix":
		return "amazonaws.com", nil
	case "AWS::StackName":
		return s.Name, nil
	case "AWS::StackId":
		return wire.ARN("cloudformation", "stack/"+s.Name+"/"+digest(s.Name, 12)), nil
	case "AWS::NoValue":
		return noValue{}, nil
	}
	if r, known := s.resource(name); known {
		return r.PhysicalID, nil
	}
	if p, known := s.params[name]; known {
		return p.Default, nil
	}
	return nil, fmt.Errorf("there is no resource or parameter %q", name)
}

func (s *Stack) getAtt(argument any) (any, error) {
	var logicalID, attribute string
	switch argument := argument.(type) {
	case string:
		logicalID, attribute, _ = strings.Cut(argument, ".")
	case []any:
		if len(argument) == 2 {
			logicalID, _ = argument[0].(string)
			attribute, _ = argument[1].(string)
		}
	}
	r, known := s.resource(logicalID)
	if !known {
		return nil, fmt.Errorf("there is no resource %q", logicalID)
	}
	value, known := r.Attributes[attribute]
	if !known {
		return nil, fmt.Errorf("the attribute %s of %s (%s) is not known to the local lake", attribute, logicalID, r.Type)
	}
	return value, nil
}

// getStackOutput is a weak reference to another stack
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getstackoutput.html).
func (s *Stack) getStackOutput(argument any) (any, error) {
	object, _ := argument.(map[string]any)
	resolved, err := s.computeMap(object)
	if err != nil {
		return nil, err
	}
	fields := resolved.(map[string]any)
	stackName, _ := fields["StackName"].(string)
	outputName, _ := fields["OutputName"].(string)
	producer, known := s.assembly.stack(stackName)
	if !known {
		return nil, fmt.Errorf("there is no stack %q beside this one", stackName)
	}
	return producer.output(outputName)
}

func (s *Stack) join(argument any) (any, error) {
	parts, err := s.arguments(argument, 2)
	if err != nil {
		return nil, err
	}
	separator, _ := parts[0].(string)
	values, isList := parts[1].([]any)
	if !isList {
		return nil, fmt.Errorf("the second argument is not a list")
	}
	texts := make([]string, len(values))
	for i, value := range values {
		texts[i] = text(value)
	}
	return strings.Join(texts, separator), nil
}

var subVariable = regexp.MustCompile(`\$\{(!?)([^}]+)\}`)

func (s *Stack) sub(argument any) (any, error) {
	pattern, variables := argument, map[string]any{}
	if list, isList := argument.([]any); isList && len(list) == 2 {
		resolved, err := s.compute(list[1])
		if err != nil {
			return nil, err
		}
		pattern = list[0]
		variables, _ = resolved.(map[string]any)
	}
	format, isText := pattern.(string)
	if !isText {
		return nil, fmt.Errorf("the pattern is not a text")
	}
	var failure error
	replaced := subVariable.ReplaceAllStringFunc(format, func(found string) string {
		match := subVariable.FindStringSubmatch(found)
		value, err := s.variable(match[1], match[2], variables)
		if err != nil {
			failure = err
		}
		return value
	})
	return replaced, failure
}

// variable is the value of ${name} in Fn::Sub; ${!name} is kept as ${name}.
func (s *Stack) variable(literal, name string, variables map[string]any) (string, error) {
	if literal != "" {
		return "${" + name + "}", nil
	}
	if value, given := variables[name]; given {
		return text(value), nil
	}
	if strings.Contains(name, ".") {
		value, err := s.getAtt(name)
		return text(value), err
	}
	value, err := s.ref(name)
	return text(value), err
}

func (s *Stack) selectOne(argument any) (any, error) {
	parts, err := s.arguments(argument, 2)
	if err != nil {
		return nil, err
	}
	index, err := strconv.Atoi(text(parts[0]))
	list, isList := parts[1].([]any)
	if err != nil || !isList || index < 0 || index >= len(list) {
		return nil, fmt.Errorf("there is no item %v in the list", parts[0])
	}
	return list[index], nil
}

func (s *Stack) split(argument any) (any, error) {
	parts, err := s.arguments(argument, 2)
	if err != nil {
		return nil, err
	}
	var list []any
	for part := range strings.SplitSeq(text(parts[1]), text(parts[0])) {
		list = append(list, part)
	}
	return list, nil
}

func (s *Stack) base64(argument any) (any, error) {
	value, err := s.compute(argument)
	return base64.StdEncoding.EncodeToString([]byte(text(value))), err
}

// arguments resolves a function's list of arguments and checks their number.
func (s *Stack) arguments(argument any, count int) ([]any, error) {
	value, err := s.compute(argument)
	if err != nil {
		return nil, err
	}
	list, _ := value.([]any)
	if len(list) != count {
		return nil, fmt.Errorf("%d arguments are wanted", count)
	}
	return list, nil
}

// text writes a scalar as CloudFormation does inside Fn::Join and Fn::Sub.
func text(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case nil, noValue:
		return ""
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}
