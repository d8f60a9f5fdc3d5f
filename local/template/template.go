// Package template reads the CloudFormation templates that `cdk synth` writes and
// resolves them as CloudFormation would on deployment. Every resource gets its physical
// id and attributes, and every intrinsic function in a property or output, also across
// stacks, gets its value. So the local lake runs what would be deployed. An intrinsic
// function that is not known here is an error that names it, never a guess.
package template

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Assembly is a set of stacks that refer to one another. Load makes it. After Relocate,
// which may be called once, it does not change and is safe for concurrent use.
type Assembly struct {
	Stacks    []*Stack          // ordered by name
	addresses map[string]string // by the ones in whose place they are; may be nil
}

// Stack is one template under the name it would be deployed with.
type Stack struct {
	Name      string
	Resources []*Resource // ordered by logical id
	Text      []byte      // the template as it is written
	outputs   map[string]output
	params    map[string]parameter
	assembly  *Assembly
}

// Resource is one resource of a template.
type Resource struct {
	Stack      *Stack
	LogicalID  string
	Type       string         // AWS::DynamoDB::Table
	Metadata   map[string]any // as written; may be nil
	PhysicalID string         // what Ref gives
	Attributes map[string]string
	properties map[string]any // with intrinsics
}

type output struct{ Value any }

type parameter struct {
	Default any
}

type document struct {
	Parameters map[string]parameter
	Resources  map[string]definition
	Outputs    map[string]output
	Transform  any
}

// definition is a resource as it is written.
type definition struct {
	Type       string
	Properties map[string]any
	Metadata   map[string]any
	others     []string // attributes that are not known here
}

// UnmarshalJSON reads a definition and records its attributes that do not exist or are
// not run here. The order in which resources are made, and what becomes of them in the
// end, does not concern this package (AWS CloudFormation Template Reference, Resource
// attributes).
func (d *definition) UnmarshalJSON(text []byte) error {
	type plain definition
	if err := json.Unmarshal(text, (*plain)(d)); err != nil {
		return err
	}
	var attributes map[string]json.RawMessage
	if err := json.Unmarshal(text, &attributes); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		switch name {
		case "Type", "Properties", "Metadata", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy":
		default:
			d.others = append(d.others, name)
		}
	}
	return nil
}

// Error says which template could not be used, and where its fault is.
type Error struct {
	Stack    string
	Resource string // logical id; empty if no single resource is at fault
	Property string // empty if no single property is at fault
	Err      error
}

func (e *Error) Error() string {
	place := e.Stack
	for _, part := range []string{e.Resource, e.Property} {
		if part != "" {
			place += "/" + part
		}
	}
	return fmt.Sprintf("template %s: %v", place, e.Err)
}

// Unwrap returns the fault.
func (e *Error) Unwrap() error { return e.Err }

// Load reads the templates in a folder: a cloud assembly (`cdk.out`), whose manifest
// names the stacks, or a folder of <stack>.template.json files. identities gives the
// resources their ids.
func Load(folder string, identities Identities) (*Assembly, error) {
	files, err := templateFiles(folder)
	if err != nil {
		return nil, err
	}
	a := &Assembly{}
	for name, file := range files {
		stack, err := a.read(name, file, identities)
		if err != nil {
			return nil, err
		}
		a.Stacks = append(a.Stacks, stack)
	}
	slices.SortFunc(a.Stacks, func(x, y *Stack) int { return cmp.Compare(x.Name, y.Name) })
	return a, nil
}

// templateFiles maps stack names to template files.
func templateFiles(folder string) (map[string]string, error) {
	manifest, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err == nil {
		return manifestStacks(folder, manifest)
	}
	matches, err := filepath.Glob(filepath.Join(folder, "*.template.json"))
	if err != nil || len(matches) == 0 {
		return nil, fmt.Errorf("no templates in %s: run `npx cdk synth` or name another folder", folder)
	}
	files := make(map[string]string, len(matches))
	for _, file := range matches {
		files[strings.TrimSuffix(filepath.Base(file), ".template.json")] = file
	}
	return files, nil
}

// manifestStacks reads a cloud assembly's manifest: its artifacts of type
// aws:cloudformation:stack
// (https://docs.aws.amazon.com/cdk/api/v2/docs/cloud-assembly-schema-readme.html).
func manifestStacks(folder string, manifest []byte) (map[string]string, error) {
	var contents struct {
		Artifacts map[string]struct {
			Type       string
			Properties struct{ TemplateFile, StackName string }
		}
	}
	if err := json.Unmarshal(manifest, &contents); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(folder, "manifest.json"), err)
	}
	files := map[string]string{}
	for id, artifact := range contents.Artifacts {
		if artifact.Type == "aws:cloudformation:stack" {
			files[cmp.Or(artifact.Properties.StackName, id)] = filepath.Join(folder, artifact.Properties.TemplateFile)
		}
	}
	return files, nil
}

func (a *Assembly) read(name, file string, identities Identities) (*Stack, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var doc document
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if doc.Transform != nil {
		return nil, &Error{Stack: name, Property: "Transform", Err: fmt.Errorf("macros are not run by the local lake")}
	}
	stack := &Stack{Name: name, Text: text, outputs: doc.Outputs, params: doc.Parameters, assembly: a}
	for _, id := range slices.Sorted(maps.Keys(doc.Resources)) {
		r := doc.Resources[id]
		resource := &Resource{
			Stack: stack, LogicalID: id, Type: r.Type, Metadata: r.Metadata, properties: r.Properties,
		}
		if len(r.others) > 0 {
			return nil, resource.Fail(r.others[0], fmt.Errorf("the attribute is not run by the local lake"))
		}
		resource.identify(identities)
		stack.Resources = append(stack.Resources, resource)
	}
	return stack, nil
}

// Relocate puts addresses in the place of others, by which they are keyed, wherever the
// text of a property or an output begins with one. No address may begin with another.
func (a *Assembly) Relocate(addresses map[string]string) { a.addresses = addresses }

// relocated returns a resolved value with the addresses of Relocate.
func (a *Assembly) relocated(value any) any {
	switch value := value.(type) {
	case string:
		for there, here := range a.addresses {
			if rest, is := strings.CutPrefix(value, there); is {
				return here + rest
			}
		}
	case []any:
		for i := range value {
			value[i] = a.relocated(value[i])
		}
	case map[string]any:
		for name := range value {
			value[name] = a.relocated(value[name])
		}
	}
	return value
}

// OfType returns the resources of one type, in the order of their stacks and logical ids.
func (a *Assembly) OfType(resourceType string) []*Resource {
	var found []*Resource
	for _, stack := range a.Stacks {
		for _, r := range stack.Resources {
			if r.Type == resourceType {
				found = append(found, r)
			}
		}
	}
	return found
}

// Outputs are the resolved outputs of every stack, as `cdk deploy
// --outputs-file` writes them: stack name, output name, value.
func (a *Assembly) Outputs() (map[string]map[string]string, error) {
	all := map[string]map[string]string{}
	for _, stack := range a.Stacks {
		all[stack.Name] = map[string]string{}
		for name := range stack.outputs {
			value, err := stack.output(name)
			if err != nil {
				return nil, err
			}
			all[stack.Name][name] = fmt.Sprint(value)
		}
	}
	return all, nil
}

func (a *Assembly) stack(name string) (*Stack, bool) {
	i := slices.IndexFunc(a.Stacks, func(s *Stack) bool { return s.Name == name })
	if i < 0 {
		return nil, false
	}
	return a.Stacks[i], true
}

func (s *Stack) output(name string) (any, error) {
	o, known := s.outputs[name]
	if !known {
		return nil, &Error{Stack: s.Name, Err: fmt.Errorf("there is no output %s", name)}
	}
	value, err := s.resolve(o.Value)
	if err != nil {
		return nil, &Error{Stack: s.Name, Property: "Outputs." + name, Err: err}
	}
	return value, nil
}

func (s *Stack) resource(logicalID string) (*Resource, bool) {
	i, found := slices.BinarySearchFunc(s.Resources, logicalID, func(r *Resource, id string) int {
		return cmp.Compare(r.LogicalID, id)
	})
	if !found {
		return nil, false
	}
	return s.Resources[i], true
}

// JSON returns the resource's properties as CloudFormation would pass them to the
// service, with every intrinsic function resolved.
func (r *Resource) JSON() ([]byte, error) {
	resolved, err := r.Properties()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(resolved)
	if err != nil {
		return nil, r.Fail("", err)
	}
	return text, nil
}

// Properties returns the resource's properties with every intrinsic function resolved.
func (r *Resource) Properties() (map[string]any, error) {
	resolved := make(map[string]any, len(r.properties))
	for name, value := range r.properties {
		value, err := r.Stack.resolve(value)
		if err != nil {
			return nil, r.Fail(name, err)
		}
		if value != nil {
			resolved[name] = value
		}
	}
	return resolved, nil
}

// Fail returns an error at a property of the resource; property may be empty.
func (r *Resource) Fail(property string, err error) error {
	return &Error{Stack: r.Stack.Name, Resource: r.LogicalID, Property: property, Err: err}
}
