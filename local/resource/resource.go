// Package resource says what a CloudFormation resource type is to the local lake: its
// identity, the properties that are run and those that are ignored by name, and how a
// resource is made. Each service has a list of its types.
package resource

import (
	"fmt"
	"strings"

	"hl7lake/local/template"
	"hl7lake/local/wire"
)

// Type is a resource type that a service runs. Of makes it.
type Type struct {
	Name     string            // AWS::S3::Bucket
	Identify template.Identify // nil: an opaque id without attributes
	Ignored  wire.Ignored      // properties that are not run, and why

	decode func(properties []byte) (any, error)
	add    func(r *Resource, properties any) error
}

// Of makes the type of that name. add makes a resource. P is a struct with the names of
// the properties that are run, and with the method Ignored for those that are not, if
// any. Any other property is refused before add is called.
func Of[P any](name string, identify template.Identify, add func(r *Resource, properties P) error) Type {
	var ignored wire.Ignored
	if p, has := any(new(P)).(interface{ Ignored() wire.Ignored }); has {
		ignored = p.Ignored()
	}
	return Type{
		Name: name, Identify: identify, Ignored: ignored,
		decode: func(text []byte) (any, error) {
			var properties P
			return &properties, wire.Properties(text, &properties, ignored)
		},
		add: func(r *Resource, properties any) error { return add(r, *properties.(*P)) },
	}
}

// Resource is a resource that is being made.
type Resource struct {
	*template.Resource
	leftOut []LeftOut
}

// LeaveOut records a property, by its path, that is not run, or the whole resource if
// property is empty. reason is a short sentence.
func (r *Resource) LeaveOut(property, reason string) {
	r.leftOut = append(r.leftOut, Leave(r.Resource, property, reason))
}

// LeftOut is a resource, or a property of one, that the templates ask for and that is not
// run here.
type LeftOut struct {
	Resource string `json:"resource"`           // stack/logical id
	Type     string `json:"type"`               // AWS::CloudTrail::Trail
	Property string `json:"property,omitempty"` // its path; empty if the whole resource is left out
	Reason   string `json:"reason"`             // a short sentence
}

func (o LeftOut) String() string {
	return fmt.Sprintf("%s (%s): %s", strings.TrimSpace(o.Resource+" "+o.Property), o.Type, o.Reason)
}

// Leave returns the LeftOut of a resource, or of its property if that is not empty.
func Leave(r *template.Resource, property, reason string) LeftOut {
	return LeftOut{r.Stack.Name + "/" + r.LogicalID, r.Type, property, reason}
}

// Make makes a resource of the type and returns what is left out of it. The error names
// the resource and the property at fault, if any.
func (t Type) Make(of *template.Resource) ([]LeftOut, error) {
	text, err := of.JSON()
	if err != nil {
		return nil, err
	}
	r := &Resource{Resource: of}
	properties, err := t.decode(text)
	if err == nil {
		err = t.add(r, properties)
	}
	if err != nil {
		return nil, of.Fail("", fmt.Errorf("%s: %w", t.Name, err))
	}
	for _, path := range t.Ignored.Given(text) {
		r.LeaveOut(path, t.Ignored[path])
	}
	return r.leftOut, nil
}

// Check refuses properties, in JSON, if one is neither run nor ignored.
func (t Type) Check(properties []byte) error {
	_, err := t.decode(properties)
	return err
}
