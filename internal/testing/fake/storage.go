package fake

import (
	"context"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/local/s3"
	"hl7lake/local/store"
	"hl7lake/local/wire"
)

// NewStorage makes the local lake's S3 with empty buckets of these names, and returns the
// SDK's client for it, which needs no network. It ends with the test.
func NewStorage(t testing.TB, buckets ...string) *sdk.Client {
	t.Helper()
	dir := t.TempDir()
	kept, err := store.Open(filepath.Join(dir, "records"), store.Fleeting)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kept.Close() })
	service := s3.New(filepath.Join(dir, "objects"), kept, func(context.Context, string, string, map[string]string) error { return nil })
	for _, name := range buckets {
		var definition s3.Bucket
		if err := json.Unmarshal([]byte(`{"BucketName":"`+name+`"}`), &definition); err != nil {
			t.Fatal(err)
		}
		if err := service.CreateBucket(definition); err != nil {
			t.Fatal(err)
		}
	}
	return sdk.New(sdk.Options{
		BaseEndpoint: aws.String("http://s3.invalid"), Region: wire.Region, HTTPClient: direct{service}, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""), UsePathStyle: true,
	})
}
