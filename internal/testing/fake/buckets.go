package fake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Buckets is S3: conditional writes, versions and SHA-256 checksums.
type Buckets struct {
	Faults
	EndWithData bool // GetObject's io.EOF comes with the last bytes, as that of net/http may
	mu          sync.Mutex
	objects     map[string]Object
	written     map[string]time.Time
	puts        int
}

// Object is an object's current version.
type Object struct {
	Content     []byte
	ContentType string
	VersionID   string
}

// PutObject is S3's. A body that is not of the given checksum is refused.
func (b *Buckets) PutObject(ctx context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	content, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, err
	}
	return call(ctx, &b.Faults, "PutObject", func() (*s3.PutObjectOutput, error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		name := *in.Bucket + "/" + *in.Key
		if _, ok := b.objects[name]; ok && aws.ToString(in.IfNoneMatch) == "*" {
			return nil, Refusal("S3", "PutObject", "PreconditionFailed", http.StatusPreconditionFailed)
		}
		if checksum(content) != aws.ToString(in.ChecksumSHA256) {
			return nil, Refusal("S3", "PutObject", "BadDigest", http.StatusBadRequest)
		}
		if b.objects == nil {
			b.objects, b.written = make(map[string]Object), make(map[string]time.Time)
		}
		b.puts++
		object := Object{Content: content, ContentType: aws.ToString(in.ContentType), VersionID: fmt.Sprintf("v%d", b.puts)}
		b.written[name] = time.Now()
		b.objects[name] = object
		return &s3.PutObjectOutput{VersionId: &object.VersionID}, nil
	})
}

// GetObject is S3's.
func (b *Buckets) GetObject(ctx context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	return call(ctx, &b.Faults, "GetObject", func() (*s3.GetObjectOutput, error) {
		object, ok := b.Object(*in.Bucket + "/" + *in.Key)
		if !ok || in.VersionId != nil && *in.VersionId != object.VersionID {
			return nil, Refusal("S3", "GetObject", "NoSuchKey", http.StatusNotFound)
		}
		var content io.Reader = bytes.NewReader(object.Content)
		if b.EndWithData {
			content = &endWithData{*bytes.NewReader(object.Content)}
		}
		return &s3.GetObjectOutput{Body: io.NopCloser(content), LastModified: new(b.Written(*in.Bucket + "/" + *in.Key))}, nil
	})
}

// endWithData tells of the end together with the last bytes.
type endWithData struct{ content bytes.Reader }

func (r *endWithData) Read(p []byte) (int, error) {
	n, err := r.content.Read(p)
	if err == nil && r.content.Len() == 0 {
		err = io.EOF
	}
	return n, err
}

// HeadObject is S3's.
func (b *Buckets) HeadObject(ctx context.Context, in *s3.HeadObjectInput, _ ...func(*s3.Options)) (*s3.HeadObjectOutput, error) {
	return call(ctx, &b.Faults, "HeadObject", func() (*s3.HeadObjectOutput, error) {
		object, ok := b.Object(*in.Bucket + "/" + *in.Key)
		if !ok {
			return nil, Refusal("S3", "HeadObject", "NotFound", http.StatusNotFound)
		}
		return &s3.HeadObjectOutput{
			VersionId:      &object.VersionID,
			ContentLength:  new(int64(len(object.Content))),
			ChecksumSHA256: new(checksum(object.Content)),
		}, nil
	})
}

// ListObjectsV2 is S3's, on one page.
func (b *Buckets) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input, _ ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	return call(ctx, &b.Faults, "ListObjectsV2", func() (*s3.ListObjectsV2Output, error) {
		out := &s3.ListObjectsV2Output{}
		folders := map[string]bool{}
		for _, name := range slices.Sorted(slices.Values(b.Names())) {
			key, ours := strings.CutPrefix(name, *in.Bucket+"/")
			rest, fits := strings.CutPrefix(key, aws.ToString(in.Prefix))
			folder, _, below := strings.Cut(rest, "/")
			switch {
			case !ours || !fits || key <= aws.ToString(in.StartAfter):
			case below && aws.ToString(in.Delimiter) == "/":
				if !folders[folder] {
					folders[folder] = true
					out.CommonPrefixes = append(out.CommonPrefixes, types.CommonPrefix{Prefix: new(aws.ToString(in.Prefix) + folder + "/")})
				}
			case in.MaxKeys == nil || len(out.Contents) < int(*in.MaxKeys):
				out.Contents = append(out.Contents, types.Object{Key: &key})
			}
		}
		return out, nil
	})
}

// PresignGetObject makes an address from what would be signed.
func (b *Buckets) PresignGetObject(_ context.Context, in *s3.GetObjectInput, _ ...func(*s3.PresignOptions)) (*v4.PresignedHTTPRequest, error) {
	return &v4.PresignedHTTPRequest{URL: "https://" + *in.Bucket + ".example/" + *in.Key + "?type=" + aws.ToString(in.ResponseContentType)}, nil
}

// Object is what lies at name, which is <bucket>/<key>.
func (b *Buckets) Object(name string) (Object, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	object, ok := b.objects[name]
	return object, ok
}

// Written is when what lies at name was put there.
func (b *Buckets) Written(name string) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.written[name]
}

// Remove takes away what lies at name, as a lifecycle rule does.
func (b *Buckets) Remove(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.objects, name)
}

// Change gives the object at name, which is <bucket>/<key>, other content.
func (b *Buckets) Change(name string, content []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	object := b.objects[name]
	object.Content = content
	b.objects[name] = object
}

// Names is the names of all objects.
func (b *Buckets) Names() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var names []string
	for name := range b.objects {
		names = append(names, name)
	}
	return names
}

func checksum(content []byte) string {
	sum := sha256.Sum256(content)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Refusal is the error of an SDK call that AWS answered with code and status.
func Refusal(service, operation, code string, status int) error {
	return &smithy.OperationError{
		ServiceID:     service,
		OperationName: operation,
		Err: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}},
			Err:      &smithy.GenericAPIError{Code: code, Message: "a text of AWS that may quote the request"},
		},
	}
}
