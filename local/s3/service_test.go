package s3_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"hl7lake/local/s3"
	"hl7lake/local/store"
	"hl7lake/local/wire"
)

// The buckets of the lake, as the templates have them, and one without versions.
const (
	lakeBucket  = `{"BucketName":"lake","VersioningConfiguration":{"Status":"Enabled"}}`
	plainBucket = `{"BucketName":"claim-check","LifecycleConfiguration":{"Rules":[{"AbortIncompleteMultipartUpload":{"DaysAfterInitiation":7},"ExpirationInDays":30,"Status":"Enabled"}]}}`
)

// allow grants everything.
func allow(context.Context, string, string, map[string]string) error { return nil }

// lake is a service behind the ordinary client.
type lake struct {
	*sdk.Client
	service *s3.Service
	dir     string
	url     string
}

// start serves the buckets from an empty folder.
func start(t testing.TB, authorize wire.Authorize, options ...s3.Option) lake {
	t.Helper()
	return serve(t, t.TempDir(), store.Fleeting, authorize, options...)
}

// serve serves the buckets from what a folder holds.
func serve(t testing.TB, folder string, durability store.Durability, authorize wire.Authorize, options ...s3.Option) lake {
	t.Helper()
	kept, err := store.Open(filepath.Join(folder, "db"), durability)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kept.Close() })
	dir := filepath.Join(folder, "s3")
	service := s3.New(dir, kept, authorize, options...)
	for _, definition := range []string{lakeBucket, plainBucket} {
		var b s3.Bucket
		if err := json.Unmarshal([]byte(definition), &b); err != nil {
			t.Fatal(err)
		}
		if err := service.CreateBucket(b); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	return lake{client(server.URL, nil), service, dir, server.URL}
}

func client(url string, transport aws.HTTPClient) *sdk.Client {
	return sdk.New(sdk.Options{
		HTTPClient:   transport,
		BaseEndpoint: &url, Region: wire.Region, RetryMaxAttempts: 1, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
}

// code returns the name of AWS's error in err, or "".
func code(err error) string {
	var refusal smithy.APIError
	if errors.As(err, &refusal) {
		return refusal.ErrorCode()
	}
	return ""
}

// put writes an object and returns its version.
func (l lake) put(t testing.TB, bucket, key, content string) string {
	t.Helper()
	out, err := l.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(content)})
	if err != nil {
		t.Fatalf("put %q: %v", key, err)
	}
	return aws.ToString(out.VersionId)
}

// get reads an object, in its newest version if version is empty.
func (l lake) get(t testing.TB, bucket, key, version string) (content string, err error) {
	t.Helper()
	in := &sdk.GetObjectInput{Bucket: &bucket, Key: &key}
	if version != "" {
		in.VersionId = &version
	}
	out, err := l.GetObject(t.Context(), in)
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	return string(body), err
}

// file reads what a person would see under a key.
func (l lake) file(t testing.TB, bucket, key string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(l.dir, bucket, key))
	if errors.Is(err, os.ErrNotExist) {
		return "(none)"
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
