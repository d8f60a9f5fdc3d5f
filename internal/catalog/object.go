package catalog

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/internal/object"
)

// Object names the object of the entry in bucket, in the version that was catalogued.
func (e Entry) Object(bucket string) *s3.GetObjectInput {
	in := &s3.GetObjectInput{Bucket: &bucket, Key: &e.Key}
	if e.VersionID != "" {
		in.VersionId = &e.VersionID
	}
	return in
}

// Read returns the content of the entry's object in bucket, if its bytes are those that
// were catalogued. Its errors are those of [object.Read].
func (e Entry) Read(ctx context.Context, objects object.Getter, bucket string) ([]byte, error) {
	content, _, err := object.Read(ctx, objects, e.Object(bucket), e.Size, e.SHA256)
	return content, err
}
