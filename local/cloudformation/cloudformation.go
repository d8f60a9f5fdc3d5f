// Package cloudformation answers questions about the stacks that a lake runs. A client
// asks them to find an API's address among a stack's outputs, or a user pool among its
// resources. It only reads: what runs is what was in the templates at the start, and
// nothing is deployed here.
package cloudformation

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"

	"hl7lake/local/resource"
	"hl7lake/local/template"
	"hl7lake/local/wire"
)

const namespace = "http://cloudformation.amazonaws.com/doc/2010-05-15/"

// complete is the status of every stack and resource: it runs.
const complete = "CREATE_COMPLETE"

// Outputs are those of all stacks: by stack name, then by output name.
type Outputs func() (map[string]map[string]string, error)

// Stacks are all stacks. They do not change after the service was first asked.
type Stacks func() []*template.Stack

// Service has the reading operations of AWS CloudFormation.
type Service struct {
	http.Handler
	stacks    Stacks
	outputs   Outputs
	authorize wire.Authorize
	started   time.Time
}

// New returns a service for the stacks, in the Query protocol (AWS CloudFormation API
// Reference).
func New(stacks Stacks, outputs Outputs, authorize wire.Authorize) *Service {
	s := &Service{stacks: stacks, outputs: outputs, authorize: authorize, started: time.Now()}
	s.Handler = wire.Query(namespace, map[string]wire.QueryOperation{
		"DescribeStacks":         s.describeStacks,
		"DescribeStackResource":  s.describeStackResource,
		"DescribeStackResources": s.describeStackResources,
		"ListStackResources":     s.listStackResources,
		"ListStacks":             s.listStacks,
		"GetTemplate":            s.getTemplate,
	})
	return s
}

// Dialect is that of CloudFormation.
func (s *Service) Dialect() wire.Dialect { return wire.SpeaksQuery("cloudformation") }

// Resources returns none: the service only answers questions about the stacks.
func (s *Service) Resources() []resource.Type { return nil }

// id returns a stack's ARN, which stays the same after a restart.
func id(stack *template.Stack) string {
	return wire.ARN("cloudformation", "stack/"+stack.Name+"/"+uuid.NewSHA1(uuid.NameSpaceURL, []byte(namespace+stack.Name)).String())
}

// allowed checks that the caller may perform an action, then finds the stack of that name
// or ARN.
func (s *Service) allowed(ctx context.Context, action, name string) (*template.Stack, error) {
	if name == "" {
		return nil, wire.Errorf("ValidationError", "StackName is required")
	}
	at := slices.IndexFunc(s.stacks(), func(stack *template.Stack) bool { return stack.Name == name || id(stack) == name })
	resource := wire.ARN("cloudformation", "stack/"+name+"/*")
	if at >= 0 {
		resource = id(s.stacks()[at])
	}
	if err := s.authorize(ctx, "cloudformation:"+action, resource, nil); err != nil {
		return nil, err
	}
	if at < 0 {
		// "If the stack doesn't exist, a ValidationError is returned" (DescribeStacks).
		return nil, wire.Errorf("ValidationError", "Stack with id %s does not exist", name)
	}
	return s.stacks()[at], nil
}

type outputMember struct{ OutputKey, OutputValue string }

type stackMember struct {
	StackID         string `xml:"StackId"`
	StackName       string
	CreationTime    string
	StackStatus     string
	DisableRollback bool
	Outputs         []outputMember `xml:"Outputs>member"`
	Capabilities    []string       `xml:"Capabilities>member"`
}

type stackList struct {
	Stacks []stackMember `xml:"Stacks>member"`
}

// describeStacks describes one stack, or all.
func (s *Service) describeStacks(ctx context.Context, form url.Values) (any, error) {
	stacks := s.stacks()
	if name := form.Get("StackName"); name != "" {
		stack, err := s.allowed(ctx, "DescribeStacks", name)
		if err != nil {
			return nil, err
		}
		stacks = []*template.Stack{stack}
	} else if err := s.authorize(ctx, "cloudformation:DescribeStacks", "*", nil); err != nil {
		return nil, err
	}
	outputs, err := s.outputs()
	if err != nil {
		return nil, err
	}
	var list stackList
	for _, stack := range stacks {
		member := stackMember{
			StackID: id(stack), StackName: stack.Name, CreationTime: s.time(), StackStatus: complete, Capabilities: []string{"CAPABILITY_IAM"},
		}
		for key, value := range outputs[stack.Name] {
			member.Outputs = append(member.Outputs, outputMember{key, value})
		}
		slices.SortFunc(member.Outputs, func(a, b outputMember) int {
			if a.OutputKey < b.OutputKey {
				return -1
			}
			return 1
		})
		list.Stacks = append(list.Stacks, member)
	}
	return list, nil
}

type summaryList struct {
	StackSummaries []summary `xml:"StackSummaries>member"`
}

type summary struct {
	StackID      string `xml:"StackId"`
	StackName    string
	CreationTime string
	StackStatus  string
}

// listStacks lists the stacks that are in one of the given states.
func (s *Service) listStacks(ctx context.Context, form url.Values) (any, error) {
	if err := s.authorize(ctx, "cloudformation:ListStacks", "*", nil); err != nil {
		return nil, err
	}
	var list summaryList
	if form.Has("StackStatusFilter.member.1") && !among(form, "StackStatusFilter.member.", complete) {
		return list, nil
	}
	for _, stack := range s.stacks() {
		list.StackSummaries = append(list.StackSummaries, summary{id(stack), stack.Name, s.time(), complete})
	}
	return list, nil
}

// among reports whether a member of a list of the form has the value.
func among(form url.Values, prefix, value string) bool {
	for name, values := range form {
		if len(name) > len(prefix) && name[:len(prefix)] == prefix && slices.Contains(values, value) {
			return true
		}
	}
	return false
}

// time returns when the stacks were made: at the lake's start.
func (s *Service) time() string { return s.started.UTC().Format("2006-01-02T15:04:05.000Z") }

type templateBody struct {
	TemplateBody    string
	StagesAvailable []string `xml:"StagesAvailable>member"`
}

// getTemplate returns a stack's template as it was read.
func (s *Service) getTemplate(ctx context.Context, form url.Values) (any, error) {
	stack, err := s.allowed(ctx, "GetTemplate", form.Get("StackName"))
	if err != nil {
		return nil, err
	}
	return templateBody{string(stack.Text), []string{"Original", "Processed"}}, nil
}

// metadata returns a resource's Metadata as JSON text; empty if it has none.
func metadata(r *template.Resource) (string, error) {
	if r.Metadata == nil {
		return "", nil
	}
	text, err := json.Marshal(r.Metadata)
	return string(text), err
}
