package lambda

import (
	"net/http"

	"hl7lake/internal/contract"
	"hl7lake/local/resource"
	"hl7lake/local/template"
	"hl7lake/local/wire"
)

// Package returns the folder of a function's program, relative to the module's root, from
// the metadata of its resource. A function that names none, such as the CDK's own that
// empties buckets, is not run.
func Package(r *template.Resource) (folder string, ours bool) {
	folder, ours = r.Metadata[contract.PackageMetadata].(string)
	return folder, ours
}

// Dialect is Lambda's.
func (s *Service) Dialect() wire.Dialect {
	d := wire.Speaks("lambda")
	d.Denied.Status = http.StatusForbidden
	return d
}

// Resources are the resource types that are run.
func (s *Service) Resources() []resource.Type {
	return []resource.Type{
		resource.Of("AWS::Lambda::Function", identify, s.addFunction),
		resource.Of("AWS::Lambda::EventInvokeConfig", nil, func(_ *resource.Resource, c EventInvokeConfig) error {
			return s.Configure(c)
		}),
		resource.Of("AWS::Lambda::EventSourceMapping", nil, func(_ *resource.Resource, m EventSourceMapping) error {
			return s.Map(m)
		}),
	}
}

func identify(r *template.Resource) (string, template.Attributes) {
	name := r.Name("FunctionName", 64)
	return name, template.Attributes{"Arn": ARN(name)}
}

func (s *Service) addFunction(r *resource.Resource, f Function) error {
	folder, ours := Package(r.Resource)
	if !ours {
		r.LeaveOut("", "it helps a deployment only: its program is CDK's own")
		return nil
	}
	f.FunctionName, f.Package = r.PhysicalID, folder
	if !MemoryIsBounded {
		r.LeaveOut("MemorySize", "a function may take any memory, since that of a process is known on Linux only")
	}
	s.Add(f, s.config.Program(folder))
	return nil
}
