package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/internal/catalog"
	"hl7lake/internal/object"
)

const (
	// maxInline is the length in bytes of the largest content that an answer carries:
	// Lambda returns 6 MB, and base64 adds a third (AWS Lambda quotas).
	maxInline = 4 << 20
	// redirectFor is how long the address of larger content is valid.
	redirectFor = time.Minute
)

// objectStore is the part of Amazon S3 that the read side needs; *s3.Client has it.
type objectStore interface {
	object.Getter
	catalog.Lister
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

// serve answers with the content of entry, byte for byte, or redirects the client to it
// if it is too large for an answer. If the content no longer exists, the error is
// errGone.
func (l lake) serve(ctx context.Context, entry catalog.Entry, mediaType string) (events.APIGatewayV2HTTPResponse, error) {
	if entry.Size > maxInline {
		return l.redirect(ctx, entry.Object(l.bucket), mediaType)
	}
	content, err := entry.Read(ctx, l.objects, l.bucket)
	switch {
	case object.IsGone(err):
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

// redirect answers 303 with an address in S3 itself, valid for redirectFor. Only S3 can
// say whether anything is there.
func (l lake) redirect(ctx context.Context, in *s3.GetObjectInput, mediaType string) (events.APIGatewayV2HTTPResponse, error) {
	_, err := l.objects.HeadObject(ctx, &s3.HeadObjectInput{Bucket: in.Bucket, Key: in.Key, VersionId: in.VersionId})
	switch {
	case object.IsGone(err):
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
