package lambda

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"hl7lake/local/wire"
)

// Functions are those that can be run, by name.
func (s *Service) Functions() (all []Function) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, f := range s.functions {
		all = append(all, f.Function)
	}
	slices.SortFunc(all, func(a, b Function) int { return cmp.Compare(a.FunctionName, b.FunctionName) })
	return all
}

// LogGroup returns where a function logs: the group that the template names, or Lambda's
// own for it (AWS Lambda Developer Guide, Configuring CloudWatch log groups).
func (f Function) LogGroup() string {
	return cmp.Or(f.LoggingConfig.LogGroup, "/aws/lambda/"+f.FunctionName)
}

// configuration is what Lambda says about a function: the parts of FunctionConfiguration
// that mean something here.
type configuration struct {
	FunctionName, FunctionArn, Role, PackageType, Version, State string

	MemorySize, Timeout int
	Environment         struct{ Variables map[string]string }
	TracingConfig       struct{ Mode string }
	LoggingConfig       struct{ LogFormat, LogGroup, SystemLogLevel string }
}

func describe(f Function) configuration {
	c := configuration{FunctionName: f.FunctionName, FunctionArn: ARN(f.FunctionName), Role: f.Role, PackageType: "Zip", Version: "$LATEST",
		State: "Active", MemorySize: f.MemorySize, Timeout: f.Timeout}
	c.Environment.Variables = f.Environment.Variables
	c.TracingConfig.Mode = cmp.Or(f.TracingConfig.Mode, "PassThrough")
	c.LoggingConfig.LogFormat, c.LoggingConfig.LogGroup, c.LoggingConfig.SystemLogLevel = "JSON", f.LogGroup(), f.LoggingConfig.SystemLogLevel
	return c
}

// describes answers the operations that read, and reports whether the request is one of
// them: ListFunctions, GetFunctionConfiguration and ListEventSourceMappings
// (https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html). Lists have one
// page.
func (s *Service) describes(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet {
		return false
	}
	var answer any
	var err error
	path := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/2015-03-31/"), "/")
	switch name, one := strings.CutSuffix(strings.TrimPrefix(path, "functions/"), "/configuration"); {
	case path == "functions":
		answer, err = s.described(r.Context(), "")
	case one:
		answer, err = s.described(r.Context(), name)
	case path == "event-source-mappings":
		answer, err = s.describedSources(r.Context(), r.URL.Query().Get("FunctionName"), r.URL.Query().Get("EventSourceArn"))
	default:
		return false
	}
	if err != nil {
		refuse(w, err)
		return true
	}
	w.Header().Set("Content-Type", "application/json")
	wire.WriteJSON(w, http.StatusOK, answer)
	return true
}

// described returns the configuration of the function of that name or ARN, or for no name
// the list of all.
func (s *Service) described(ctx context.Context, name string) (any, error) {
	if name == "" {
		if err := s.config.Authorize(ctx, "lambda:ListFunctions", "*", nil); err != nil {
			return nil, err
		}
		list := []configuration{}
		for _, f := range s.Functions() {
			list = append(list, describe(f))
		}
		return map[string]any{"Functions": list}, nil
	}
	if !strings.HasPrefix(name, "arn:") {
		name = ARN(name)
	}
	if err := s.config.Authorize(ctx, "lambda:GetFunctionConfiguration", name, nil); err != nil {
		return nil, err
	}
	f, err := s.function(name)
	if err != nil {
		return nil, err
	}
	return describe(f.Function), nil
}

// sourceConfiguration is what Lambda says about a queue that feeds a function: the parts
// of EventSourceMappingConfiguration that mean something here.
type sourceConfiguration struct {
	UUID, EventSourceArn, FunctionArn, State, StateTransitionReason string

	BatchSize     int
	ScalingConfig struct{ MaximumConcurrency int }
}

// describedSources returns the queues that feed functions: those of a function, given by
// its name or ARN, and of a queue, given by its ARN. An empty text means any.
func (s *Service) describedSources(ctx context.Context, functionName, queueARN string) (any, error) {
	if err := s.config.Authorize(ctx, "lambda:ListEventSourceMappings", "*", nil); err != nil {
		return nil, err
	}
	if functionName != "" && !strings.HasPrefix(functionName, "arn:") {
		functionName = ARN(functionName)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := []sourceConfiguration{}
	for arn, f := range s.functions {
		for _, m := range f.sources {
			if functionName != "" && functionName != arn || queueARN != "" && queueARN != m.EventSourceArn {
				continue
			}
			c := sourceConfiguration{
				UUID:           uuid.NewSHA1(uuid.NameSpaceURL, []byte(m.EventSourceArn+" "+arn)).String(),
				EventSourceArn: m.EventSourceArn, FunctionArn: arn,
				State: "Enabled", StateTransitionReason: "USER_INITIATED", BatchSize: *m.BatchSize,
			}
			c.ScalingConfig.MaximumConcurrency = m.pollers()
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b sourceConfiguration) int { return cmp.Compare(a.UUID, b.UUID) })
	return map[string]any{"EventSourceMappings": list}, nil
}
