package s3

import (
	"net/http"
	"strings"

	"hl7lake/local/resource"
	"hl7lake/local/template"
	"hl7lake/local/wire"
)

// Dialect is that of S3. Only the operations on whole objects are named: PutObject,
// GetObject, HeadObject, DeleteObject.
func (s *Service) Dialect() wire.Dialect {
	d := wire.Speaks("s3")
	d.Operation = func(r *http.Request) string { return r.Method[:1] + strings.ToLower(r.Method[1:]) + "Object" }
	d.Denied = wire.Code{Status: http.StatusForbidden, Name: "AccessDenied"}
	d.UnknownKey.Name, d.WrongToken.Name, d.Expired.Name = "InvalidAccessKeyId", "InvalidToken", "ExpiredToken"
	d.Throttled = wire.Code{Status: http.StatusServiceUnavailable, Name: "SlowDown"}
	return d
}

// Resources are the resource types that are run.
func (s *Service) Resources() []resource.Type {
	return []resource.Type{
		resource.Of("AWS::S3::Bucket", identify, func(r *resource.Resource, b Bucket) error {
			b.BucketName = r.PhysicalID
			return s.CreateBucket(b)
		}),
	}
}

func identify(r *template.Resource) (string, template.Attributes) {
	name := strings.ToLower(r.Name("BucketName", 63))
	return name, template.Attributes{
		"Arn": "arn:aws:s3:::" + name, "DomainName": name + ".s3.amazonaws.com",
		"RegionalDomainName": name + ".s3." + wire.Region + ".amazonaws.com",
	}
}
