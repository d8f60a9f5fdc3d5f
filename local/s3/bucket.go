package s3

import (
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"hl7lake/local/wire"
)

// Bucket is an AWS::S3::Bucket's properties, as far as they matter here.
type Bucket struct {
	BucketName              string
	VersioningConfiguration *VersioningConfiguration
	LifecycleConfiguration  *LifecycleConfiguration
}

// UnmarshalJSON refuses the properties that are neither run nor ignored by name.
func (b *Bucket) UnmarshalJSON(text []byte) error {
	type properties Bucket
	return wire.Properties(text, (*properties)(b), b.Ignored())
}

// Ignored are the properties that are not run here, and why not.
func (*Bucket) Ignored() wire.Ignored {
	return wire.Ignored{
		"BucketEncryption": "objects lie in the data folder as they are, so that people can read them",
		"LifecycleConfiguration.Rules.AbortIncompleteMultipartUpload": "unfinished uploads are kept",
		"LifecycleConfiguration.Rules.NoncurrentVersionExpiration":    "older versions are kept",
		"LifecycleConfiguration.Rules.Transitions":                    "there is one class of storage here, the disk",
		"LoggingConfiguration":                                        "no access logs are written here",
		"ObjectLockConfiguration":                                     "whoever has this machine can delete any object",
		"ObjectLockEnabled":                                           "whoever has this machine can delete any object",
		"OwnershipControls":                                           "there is one account here, which owns every object",
		"PublicAccessBlockConfiguration":                              "only this machine reaches the lake",
		"Tags":                                                        "they are for bills and for people",
	}
}

// VersioningConfiguration has the Status Enabled or Suspended.
type VersioningConfiguration struct{ Status string }

// LifecycleConfiguration holds rules. Those with ExpirationInDays are followed.
type LifecycleConfiguration struct{ Rules []LifecycleRule }

// LifecycleRule is one rule. Its Status is Enabled or Disabled.
type LifecycleRule struct {
	Status           string
	Prefix           string
	ExpirationInDays int
}

// bucket is a Bucket that is ready for use.
type bucket struct {
	name       string
	versioning string          // Enabled, Suspended or empty
	rules      []LifecycleRule // the rules that let objects expire
	locks      keyLocks
	journal    journal
}

// CreateBucket makes a bucket, or opens it with its objects if it was made before.
func (s *Service) CreateBucket(definition Bucket) error {
	// General purpose bucket naming rules, Amazon S3 User Guide.
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`).MatchString(definition.BucketName) {
		return fmt.Errorf("%q is not a bucket name: want 3 to 63 characters of a-z, 0-9, dots and hyphens", definition.BucketName)
	}
	b := &bucket{name: definition.BucketName}
	if v := definition.VersioningConfiguration; v != nil {
		b.versioning = v.Status
	}
	if l := definition.LifecycleConfiguration; l != nil {
		b.rules = l.expiring()
	}
	err := s.store.Update(func(tx *bbolt.Tx) error { return createRecords(tx, b.name) })
	if err != nil {
		return fmt.Errorf("bucket %s: %w", b.name, err)
	}
	if err := s.files.createBucket(b.name); err != nil {
		return fmt.Errorf("bucket %s: %w", b.name, err)
	}
	if err := s.settle(b); err != nil {
		return fmt.Errorf("bucket %s: %w", b.name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buckets[b.name] = b
	return nil
}

// expiring returns the enabled rules that let objects expire.
func (l *LifecycleConfiguration) expiring() []LifecycleRule {
	return slices.DeleteFunc(slices.Clone(l.Rules), func(rule LifecycleRule) bool {
		return rule.Status != "Enabled" || rule.ExpirationInDays <= 0
	})
}

// expiry returns the shortest time after which a rule lets the key's object expire; 0
// means never.
func (b *bucket) expiry(key string) (shortest time.Duration) {
	const day = 24 * time.Hour
	for _, rule := range b.rules {
		after := time.Duration(rule.ExpirationInDays) * day
		if strings.HasPrefix(key, rule.Prefix) && (shortest == 0 || after < shortest) {
			shortest = after
		}
	}
	return shortest
}

func (s *Service) listBuckets(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet {
		return wire.Unsupported("the S3 request " + r.Method)
	}
	if err := s.authorize(r.Context(), "s3:ListAllMyBuckets", "arn:aws:s3:::*", nil); err != nil {
		return err
	}
	type entry struct{ Name, CreationDate string }
	out := struct {
		XMLName xml.Name `xml:"ListAllMyBucketsResult"`
		Owner   struct{ ID string }
		Buckets []entry `xml:"Buckets>Bucket"`
	}{}
	out.Owner.ID = wire.Account
	s.mu.RLock()
	for _, name := range slices.Sorted(maps.Keys(s.buckets)) {
		out.Buckets = append(out.Buckets, entry{name, lastModified(time.Unix(0, 0))})
	}
	s.mu.RUnlock()
	writeXML(w, http.StatusOK, out)
	return nil
}

func (s *Service) headBucket(w http.ResponseWriter, in *request) error {
	if err := s.may(in.Context(), "ListBucket", in.bucket, "", nil); err != nil {
		return err
	}
	w.Header().Set("X-Amz-Bucket-Region", wire.Region)
	return nil
}

func (s *Service) getLocation(w http.ResponseWriter, in *request) error {
	if err := s.may(in.Context(), "GetBucketLocation", in.bucket, "", nil); err != nil {
		return err
	}
	writeXML(w, http.StatusOK, struct {
		XMLName xml.Name `xml:"LocationConstraint"` // empty for us-east-1
	}{})
	return nil
}

func (s *Service) getVersioning(w http.ResponseWriter, in *request) error {
	if err := s.may(in.Context(), "GetBucketVersioning", in.bucket, "", nil); err != nil {
		return err
	}
	writeXML(w, http.StatusOK, struct {
		XMLName xml.Name `xml:"VersioningConfiguration"`
		Status  string   `xml:",omitempty"`
	}{Status: in.bucket.versioning})
	return nil
}
