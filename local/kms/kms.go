// Package kms describes the keys of the templates, for an operator who asks whether a key
// exists and is enabled, and makes keyed hashes with those that are for it. Nothing that
// a lake on one machine keeps is encrypted with a key, and no other operation is run.
package kms

import (
	"context"
	"net/http"
	"strings"
	"time"

	"hl7lake/local/iam"
	"hl7lake/local/resource"
	"hl7lake/local/store"
	"hl7lake/local/template"
	"hl7lake/local/wire"
)

// Key is what a template says about a key; the fields are those of AWS::KMS::Key.
type Key struct {
	Description string
	Enabled     *bool        // true if nil
	KeySpec     string       // HMAC_256, or empty for one that encrypts
	KeyUsage    string       // GENERATE_VERIFY_MAC, or empty
	KeyPolicy   iam.Document // decides who may ask about it, and use it
}

// hashes reports whether the key is for keyed hashes.
func (k Key) hashes() bool { return k.KeySpec == "HMAC_256" && k.KeyUsage == "GENERATE_VERIFY_MAC" }

// Ignored are the properties that are not run here, and why not.
func (*Key) Ignored() wire.Ignored {
	return wire.Ignored{
		"EnableKeyRotation":   "nothing that is kept here is encrypted with a key of KMS",
		"PendingWindowInDays": "a key is there as long as the template has it",
	}
}

// Service knows keys.
type Service struct {
	http.Handler
	authorize wire.Authorize
	attach    Attach
	store     *store.Store // of the secrets of keys for hashes
	requested Requested
	started   int64
	keys      map[string]Key // by id
}

// Requested is called for each keyed hash that was made.
type Requested func(ctx context.Context)

// Option changes how a Service works.
type Option func(*Service)

// WithRequested makes the service report the keyed hashes that it makes.
func WithRequested(requested Requested) Option { return func(s *Service) { s.requested = requested } }

// Attach adds the policy of a resource, by its ARN, to those that decide.
type Attach func(resourceARN string, d iam.Document) error

// New returns a service without keys. It has DescribeKey and GenerateMac (AWS Key
// Management Service API Reference). The secrets of keys are kept in the store, so that a
// lake that is started again makes the same hashes.
func New(kept *store.Store, authorize wire.Authorize, attach Attach, options ...Option) *Service {
	s := &Service{
		authorize: authorize, attach: attach, store: kept, requested: func(context.Context) {}, started: time.Now().Unix(), keys: map[string]Key{},
	}
	for _, option := range options {
		option(s)
	}
	s.Handler = wire.JSON("1.1", map[string]wire.Operation{
		"DescribeKey": wire.Op(s.describeKey), "GenerateMac": wire.Op(s.generateMAC),
	})
	return s
}

// Dialect is that of KMS.
func (s *Service) Dialect() wire.Dialect { return wire.Speaks("kms") }

// Resources are the resource types that are known.
func (s *Service) Resources() []resource.Type {
	return []resource.Type{
		resource.Of("AWS::KMS::Key", identify, func(r *resource.Resource, k Key) error {
			return s.Add(r.PhysicalID, k)
		}),
	}
}

func identify(r *template.Resource) (string, template.Attributes) {
	id := strings.ToLower(r.Token(10))
	return id, template.Attributes{"KeyId": id, "Arn": arn(id)}
}

// Add makes a key known by its id. It must be called before the first request.
func (s *Service) Add(id string, k Key) error {
	s.keys[id] = k
	return s.attach(arn(id), k.KeyPolicy)
}

func (s *Service) describeKey(ctx context.Context, in *struct{ KeyId string }) (map[string]metadata, error) {
	id, key, err := s.find(ctx, "kms:DescribeKey", in.KeyId)
	if err != nil {
		return nil, err
	}
	return map[string]metadata{"KeyMetadata": describe(id, key, s.started)}, nil
}

// find returns the key with an id or ARN, if the caller may do the action with it.
func (s *Service) find(ctx context.Context, action, name string) (id string, key Key, err error) {
	id = strings.TrimPrefix(name, arn(""))
	if err := s.authorize(ctx, action, arn(id), nil); err != nil {
		return id, key, err
	}
	key, known := s.keys[id]
	if !known {
		return id, key, wire.Errorf("NotFoundException", "Key '%s' does not exist", arn(id))
	}
	return id, key, nil
}

func arn(id string) string { return wire.ARN("kms", "key/"+id) }

// metadata is the KeyMetadata of a key.
type metadata struct {
	AWSAccountId, KeyId, Arn, Description  string
	KeyState, KeyUsage, KeyManager         string
	KeySpec, CustomerMasterKeySpec, Origin string
	CreationDate                           int64
	Enabled, MultiRegion                   bool
	EncryptionAlgorithms                   []string `json:",omitempty"`
	MacAlgorithms                          []string `json:",omitempty"`
}

func describe(id string, key Key, created int64) metadata {
	enabled := key.Enabled == nil || *key.Enabled
	state := "Enabled"
	if !enabled {
		state = "Disabled"
	}
	m := metadata{
		AWSAccountId: wire.Account, KeyId: id, Arn: arn(id), Description: key.Description, KeyState: state, Enabled: enabled,
		KeyUsage: "ENCRYPT_DECRYPT", KeyManager: "CUSTOMER", KeySpec: "SYMMETRIC_DEFAULT", CustomerMasterKeySpec: "SYMMETRIC_DEFAULT",
		Origin: "AWS_KMS", CreationDate: created, EncryptionAlgorithms: []string{"SYMMETRIC_DEFAULT"},
	}
	if key.hashes() {
		m.KeyUsage, m.KeySpec, m.CustomerMasterKeySpec = key.KeyUsage, key.KeySpec, key.KeySpec
		m.EncryptionAlgorithms, m.MacAlgorithms = nil, []string{macAlgorithm}
	}
	return m
}
