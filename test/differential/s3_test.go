package differential_test

import (
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"hl7lake/local/s3"
)

// The buckets that both have: one with versions, like the lake's, and one without.
const (
	versioned = "versioned"
	plain     = "plain"
)

// bucketClient asks one of the two and answers in words. A version is named after the
// step that made it.
type bucketClient struct {
	*sdk.Client
	steps map[string]int // by the version's id
	ids   map[int]string // by the step
}

func compareS3(t *testing.T, moto *server, agree verdict) {
	both := [2]*bucketClient{localBuckets(t), motoBuckets(t, moto)}
	g := newGenerator(2026)
	for n := 1; n <= 300; n++ {
		step := g.objectStep(n)
		if step.operation == "delete" && step.version == 0 && !both[0].there(t, step) {
			continue // moto makes no marker then, and later answers would differ
		}
		answers := [2]string{both[0].do(t, step), both[1].do(t, step)}
		agree(fmt.Sprintf("step %d: %s", n, step), answers[0], answers[1])
	}
	for _, prefix := range []string{"", "a", "a/", "b/"} {
		for _, delimiter := range []string{"", "/"} {
			for _, bucket := range []string{versioned, plain} {
				for _, size := range []int32{1000, 2, 1} {
					name := fmt.Sprintf("list %s, prefix %q, delimiter %q, %d at a time", bucket, prefix, delimiter, size)
					agree(name, both[0].list(t, bucket, prefix, delimiter, size), both[1].list(t, bucket, prefix, delimiter, size))
				}
			}
		}
	}
	for _, bucket := range []string{versioned, plain} {
		agree("versions of "+bucket, both[0].listVersions(t, bucket), both[1].listVersions(t, bucket))
	}
	absent := objectStep{operation: "delete", bucket: versioned, key: "absent", n: 1000}
	agree("delete what is not there", both[0].do(t, absent), both[1].do(t, absent))
}

func localBuckets(t *testing.T) *bucketClient {
	t.Helper()
	service := s3.New(t.TempDir(), openStore(t), allow)
	err := errors.Join(
		service.CreateBucket(s3.Bucket{BucketName: versioned, VersioningConfiguration: &s3.VersioningConfiguration{Status: "Enabled"}}),
		service.CreateBucket(s3.Bucket{BucketName: plain}))
	if err != nil {
		t.Fatal(err)
	}
	return newBucketClient(serve(t, service))
}

func motoBuckets(t *testing.T, moto *server) *bucketClient {
	t.Helper()
	c := newBucketClient(moto)
	for _, name := range []string{versioned, plain} {
		if _, err := c.CreateBucket(t.Context(), &sdk.CreateBucketInput{Bucket: &name}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.PutBucketVersioning(t.Context(), &sdk.PutBucketVersioningInput{
		Bucket: aws.String(versioned), VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newBucketClient(s *server) *bucketClient {
	client := sdk.NewFromConfig(s.config(), func(o *sdk.Options) { o.UsePathStyle = true })
	return &bucketClient{Client: client, steps: map[string]int{}, ids: map[int]string{}}
}

// objectStep is one request about an object.
type objectStep struct {
	n         int    // from 1
	operation string // put, get, head, delete, copy
	bucket    string
	key       string
	content   string
	condition string // If-Match, If-None-Match, or empty
	of        string // the content whose ETag is the condition's, or *
	byteRange string
	version   int // the step that made it; 0 for none
}

func (s objectStep) String() string {
	text := fmt.Sprintf("%s %s/%s", s.operation, s.bucket, s.key)
	if s.condition != "" {
		text += fmt.Sprintf(" %s %q", s.condition, s.of)
	}
	if s.byteRange != "" {
		text += " " + s.byteRange
	}
	if s.version != 0 {
		text += fmt.Sprintf(" version %d", s.version)
	}
	return text
}

// objectStep makes a random one.
func (g generator) objectStep(n int) objectStep {
	contents := []string{"one", "two", "a longer text, of which a part is asked for", "x"}
	s := objectStep{
		n: n, bucket: one(g, versioned, versioned, plain), key: one(g, "a", "a/b", "a/c", "b/x y", "b/ü"),
		operation: one(g, "put", "put", "put", "get", "get", "head", "delete", "copy"), content: one(g, contents...),
	}
	if s.operation != "delete" && s.operation != "copy" && g.IntN(3) == 0 {
		s.condition, s.of = one(g, "If-Match", "If-None-Match"), one(g, contents...)
		if s.operation == "put" {
			s.condition, s.of = "If-None-Match", "*"
			if g.IntN(2) == 0 {
				s.condition, s.of = "If-Match", one(g, contents...)
			}
		}
	}
	if s.operation == "get" && g.IntN(2) == 0 {
		s.byteRange = one(g, "bytes=0-1", "bytes=1-", "bytes=-2", "bytes=5-3", "bytes=2-900", "bytes=900-", "bytes=0-0")
	}
	if (s.operation == "get" || s.operation == "head" || s.operation == "delete") && g.IntN(3) == 0 {
		s.version = max(1, n-g.IntN(30))
	}
	return s
}

// etag returns that of content that was put in one part.
func (s objectStep) etag() *string {
	if s.of == "*" {
		return &s.of
	}
	return aws.String(fmt.Sprintf("%q", fmt.Sprintf("%x", md5.Sum([]byte(s.of)))))
}

func (s objectStep) conditions() (match, noneMatch *string) {
	switch s.condition {
	case "If-Match":
		return s.etag(), nil
	case "If-None-Match":
		return nil, s.etag()
	}
	return nil, nil
}

// do sends the request and says what came back.
func (c *bucketClient) do(t *testing.T, s objectStep) string {
	t.Helper()
	match, noneMatch := s.conditions()
	versionID := c.version(s)
	switch s.operation {
	case "put":
		out, err := c.PutObject(t.Context(), &sdk.PutObjectInput{
			Bucket: &s.bucket, Key: &s.key, Body: strings.NewReader(s.content), IfMatch: match, IfNoneMatch: noneMatch,
		})
		if err != nil {
			return code(err)
		}
		return fmt.Sprintf("etag %s, version %s", aws.ToString(out.ETag), c.made(s, out.VersionId))
	case "get":
		out, err := c.GetObject(t.Context(), &sdk.GetObjectInput{
			Bucket: &s.bucket, Key: &s.key, IfMatch: match, IfNoneMatch: noneMatch, Range: optional(s.byteRange), VersionId: versionID,
		})
		if err != nil {
			return code(err)
		}
		defer out.Body.Close()
		body, err := io.ReadAll(out.Body)
		return fmt.Sprintf("%q %v, etag %s, version %s, %s", body, err, aws.ToString(out.ETag), c.known(out.VersionId), aws.ToString(out.ContentRange))
	case "head":
		out, err := c.HeadObject(t.Context(), &sdk.HeadObjectInput{
			Bucket: &s.bucket, Key: &s.key, IfMatch: match, IfNoneMatch: noneMatch, VersionId: versionID,
		})
		if err != nil {
			return code(err)
		}
		return fmt.Sprintf("%d bytes, etag %s, version %s", aws.ToInt64(out.ContentLength), aws.ToString(out.ETag), c.known(out.VersionId))
	case "copy":
		out, err := c.CopyObject(t.Context(), &sdk.CopyObjectInput{Bucket: &s.bucket, Key: aws.String("a"), CopySource: aws.String(s.bucket + "/a/b")})
		if err != nil {
			return code(err)
		}
		return fmt.Sprintf("etag %s, version %s", aws.ToString(out.CopyObjectResult.ETag), c.made(s, out.VersionId))
	}
	out, err := c.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: &s.bucket, Key: &s.key, VersionId: versionID})
	if err != nil {
		return code(err)
	}
	return fmt.Sprintf("marker %t, version %s", aws.ToBool(out.DeleteMarker), c.made(s, out.VersionId))
}

// there reports whether a key has an object.
func (c *bucketClient) there(t *testing.T, s objectStep) bool {
	t.Helper()
	_, err := c.HeadObject(t.Context(), &sdk.HeadObjectInput{Bucket: &s.bucket, Key: &s.key})
	return err == nil
}

// version returns the id of the version that a step made, if any.
func (c *bucketClient) version(s objectStep) *string {
	if id, made := c.ids[s.version]; made && s.bucket == versioned {
		return &id
	}
	return nil
}

// made records a version that a step has made, and returns its name.
func (c *bucketClient) made(s objectStep, id *string) string {
	if id != nil && *id != "" && *id != "null" {
		if _, known := c.steps[*id]; !known {
			c.steps[*id], c.ids[s.n] = s.n, *id
		}
	}
	return c.known(id)
}

// known returns the name of a version that a step has made.
func (c *bucketClient) known(id *string) string {
	if id == nil || *id == "" || *id == "null" {
		return "none"
	}
	return fmt.Sprintf("of step %d", c.steps[*id])
}

// list lists a bucket page by page, in both ways.
func (c *bucketClient) list(t *testing.T, bucket, prefix, delimiter string, size int32) string {
	t.Helper()
	pages := sdk.NewListObjectsV2Paginator(c.Client, &sdk.ListObjectsV2Input{
		Bucket: &bucket, Prefix: optional(prefix), Delimiter: optional(delimiter), MaxKeys: &size,
	})
	var all []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			return code(err)
		}
		text := fmt.Sprintf("%d:", aws.ToInt32(page.KeyCount))
		for _, object := range page.Contents {
			text += fmt.Sprintf(" %s (%d)", aws.ToString(object.Key), aws.ToInt64(object.Size))
		}
		for _, folder := range page.CommonPrefixes {
			text += " " + aws.ToString(folder.Prefix)
		}
		all = append(all, text)
	}
	return strings.Join(all, "\n")
}

// listVersions lists all versions and markers; those of one key are sorted by age, newest
// first.
func (c *bucketClient) listVersions(t *testing.T, bucket string) string {
	t.Helper()
	out, err := c.ListObjectVersions(t.Context(), &sdk.ListObjectVersionsInput{Bucket: &bucket})
	if err != nil {
		return code(err)
	}
	var all []string
	for _, v := range out.Versions {
		all = append(all, fmt.Sprintf("%s %s latest %t, %d bytes", *v.Key, c.known(v.VersionId), aws.ToBool(v.IsLatest), aws.ToInt64(v.Size)))
	}
	for _, m := range out.DeleteMarkers {
		all = append(all, fmt.Sprintf("%s %s latest %t, marker", *m.Key, c.known(m.VersionId), aws.ToBool(m.IsLatest)))
	}
	slices.Sort(all) // the SDK has separated versions and markers
	return strings.Join(all, "\n")
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
