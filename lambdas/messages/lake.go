package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"hl7lake/internal/catalog"
	"hl7lake/internal/object"
)

const (
	// maxInline is the largest content in bytes that an answer carries: Lambda
	// returns 6 MB, and base64 adds a third (AWS Lambda quotas).
	maxInline = 4 << 20
	// redirectFor is how long the address of larger content is good for.
	redirectFor = time.Minute
)

// objectStore is what the read side needs of Amazon S3; *s3.Client has it.
type objectStore interface {
	object.Getter
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
}

// presigner makes addresses that need no token; *s3.PresignClient has it.
type presigner interface {
	PresignGetObject(context.Context, *s3.GetObjectInput, ...func(*s3.PresignOptions)) (*v4.PresignedHTTPRequest, error)
}

// lake is the data lake bucket.
type lake struct {
	bucket    string
	objects   objectStore
	presigner presigner
}

// serve answers with the content of entry, byte for byte, or sends the client
// to where it lies when it is too large for an answer. Of content that is no
// longer there the error is errGone.
func (l lake) serve(ctx context.Context, entry catalog.Entry, mediaType string) (events.APIGatewayV2HTTPResponse, error) {
	if entry.Size > maxInline {
		return l.redirect(ctx, entry.Object(l.bucket), mediaType)
	}
	content, err := entry.Read(ctx, l.objects, l.bucket)
	switch {
	case gone(err):
		return events.APIGatewayV2HTTPResponse{}, errGone
	case err != nil:
		return events.APIGatewayV2HTTPResponse{}, err
	}
	return events.APIGatewayV2HTTPResponse{
		StatusCode:      http.StatusOK,
		Headers:         map[string]string{"Content-Type": mediaType, "Cache-Control": "no-store"},
		Body:            base64.StdEncoding.EncodeToString(content),
		IsBase64Encoded: true,
	}, nil
}

// gone reports whether S3 says that there is no such object, or no such version
// of it: what a rule or a person has deleted for good. Who may not list the bucket
// would be told AccessDenied (Amazon S3 API Reference, GetObject and HeadObject). The
// answer to a HEAD has no code of S3's own.
func gone(err error) bool {
	problem, answered := errors.AsType[smithy.APIError](err)
	return answered && slices.Contains([]string{"NoSuchKey", "NoSuchVersion", "NotFound"}, problem.ErrorCode())
}

// redirect answers 303 with an address in S3 itself, good for redirectFor, which
// only S3 can say whether there is anything at.
func (l lake) redirect(ctx context.Context, in *s3.GetObjectInput, mediaType string) (events.APIGatewayV2HTTPResponse, error) {
	_, err := l.objects.HeadObject(ctx, &s3.HeadObjectInput{Bucket: in.Bucket, Key: in.Key, VersionId: in.VersionId})
	switch {
	case gone(err):
		return events.APIGatewayV2HTTPResponse{}, errGone
	case err != nil:
		return events.APIGatewayV2HTTPResponse{}, fmt.Errorf("look at the object: %w", err)
	}
	in.ResponseContentType = &mediaType
	in.ResponseCacheControl = new("no-store")
	signed, err := l.presigner.PresignGetObject(ctx, in, s3.WithPresignExpires(redirectFor))
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, fmt.Errorf("presign: %w", err)
	}
	return events.APIGatewayV2HTTPResponse{
		StatusCode: http.StatusSeeOther,
		Headers:    map[string]string{"Location": signed.URL, "Cache-Control": "no-store"},
	}, nil
}
