package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"hl7lake/internal/hub"
)

// objectStore is the part of Amazon S3 that the writer needs, apart from reading claim
// checks; *s3.Client has it.
type objectStore interface {
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
}

// lake is the data lake bucket.
type lake struct {
	bucket  string
	objects objectStore
}

// object is what S3 says about one object of the lake.
type object struct {
	versionID string
	sha256    string // hex
	size      int64
	repeated  bool // it already existed
	differs   bool // and has other content than the new one
}

// put writes the body under key if there is nothing yet, without holding all of it in
// memory. Both ends verify the bytes by their SHA-256: a body that differs from what was
// published becomes no object. An existing object stays as it is and is described.
func (l lake) put(ctx context.Context, key string, kind hub.Kind, body *hub.Stream) (object, error) {
	sum := body.SHA256()
	out, err := l.objects.PutObject(ctx, &s3.PutObjectInput{
		Bucket:         &l.bucket,
		Key:            &key,
		Body:           body,
		ContentLength:  new(body.Size()),
		ContentType:    new(kind.MediaType()),
		ChecksumSHA256: new(base64.StdEncoding.EncodeToString(sum[:])),
		IfNoneMatch:    new("*"),
	}, signedAs(sum))
	mine := object{sha256: hex.EncodeToString(sum[:]), size: body.Size()}
	switch {
	case err == nil:
		mine.versionID = aws.ToString(out.VersionId)
		return mine, nil
	case preconditionFailed(err):
		return l.head(ctx, key, mine)
	case body.Err() != nil:
		return object{}, body.Err() // the fault is in the claim check and not in the lake
	default:
		return object{}, fmt.Errorf("put the object: %w", err)
	}
}

// signedAs makes a request be signed for a payload of this hash. Otherwise the SDK would
// read the whole payload first to compute it.
func signedAs(sum [sha256.Size]byte) func(*s3.Options) {
	return func(o *s3.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("SignedAs",
				func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
					return next.HandleInitialize(v4.SetPayloadHash(ctx, hex.EncodeToString(sum[:])), in)
				}), middleware.Before)
		})
	}
}

// head describes the object that already existed.
func (l lake) head(ctx context.Context, key string, mine object) (object, error) {
	out, err := l.objects.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &l.bucket, Key: &key, ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		return object{}, fmt.Errorf("look at the object: %w", err)
	}
	there := object{versionID: aws.ToString(out.VersionId), sha256: mine.sha256, size: aws.ToInt64(out.ContentLength), repeated: true}
	if sum, err := base64.StdEncoding.DecodeString(aws.ToString(out.ChecksumSHA256)); err == nil && len(sum) == sha256.Size {
		there.sha256 = hex.EncodeToString(sum)
	}
	there.differs = there.sha256 != mine.sha256 || there.size != mine.size
	return there, nil
}

func preconditionFailed(err error) bool {
	var response *smithyhttp.ResponseError
	return errors.As(err, &response) && response.HTTPStatusCode() == http.StatusPreconditionFailed
}
