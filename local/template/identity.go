package template

import (
	"crypto/sha256"
	"encoding/base32"
	"maps"
)

// Attributes are what Fn::GetAtt returns for a resource, by their names.
type Attributes map[string]string

// Identify returns the physical id of a resource, which Ref returns, and its attributes.
// They may depend only on the stack's name, the logical id and properties without
// intrinsics, so that a lake that is started again finds its own data.
type Identify func(*Resource) (id string, attributes Attributes)

// Identities are those of the resource types that have more than an opaque id.
type Identities map[string]Identify

func (r *Resource) identify(all Identities) {
	r.PhysicalID, r.Attributes = r.Token(tokenLength), map[string]string{}
	if identify := all[r.Type]; identify != nil {
		id, attributes := identify(r)
		r.PhysicalID = id
		maps.Copy(r.Attributes, attributes)
	}
}

// Name returns the resource's name: the property's value or, if there is none, a name
// made of the stack's name, the logical id and a digest of both, as CloudFormation makes
// it. It has at most longest characters.
func (r *Resource) Name(property string, longest int) string {
	if given, is := r.properties[property].(string); is {
		return given
	}
	name, suffix := r.Stack.Name+"-"+r.LogicalID, "-"+r.Token(8)
	return name[:min(len(name), longest-len(suffix))] + suffix
}

// Path returns the resource's stack and logical id, which no other resource has.
func (r *Resource) Path() string { return r.Stack.Name + "/" + r.LogicalID }

// tokenLength is the length of an opaque id.
const tokenLength = 10

// Token returns an id of the given length without a meaning: A-Z and 2-7.
func (r *Resource) Token(length int) string { return digest(r.Path(), length) }

// digest returns a text of the given length, A-Z and 2-7, that depends only on seed.
func digest(seed string, length int) string {
	sum := sha256.Sum256([]byte(seed))
	return base32.StdEncoding.EncodeToString(sum[:])[:length]
}
