package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/internal/catalog"
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
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
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

// errContent says that the lake holds other bytes than the catalog recorded.
var errContent = errors.New("messages: the object differs from its catalog entry")

// serve answers with the content of entry, byte for byte, or sends the client
// to where it lies when it is too large for an answer.
func (l lake) serve(ctx context.Context, entry catalog.Entry, mediaType string) (events.APIGatewayV2HTTPResponse, error) {
	in := &s3.GetObjectInput{Bucket: &l.bucket, Key: &entry.Key}
	if entry.VersionID != "" {
		in.VersionId = &entry.VersionID
	}
	if entry.Size > maxInline {
		return l.redirect(ctx, in, mediaType)
	}
	content, err := l.read(ctx, in)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != entry.SHA256 {
		return events.APIGatewayV2HTTPResponse{}, errContent
	}
	return events.APIGatewayV2HTTPResponse{
		StatusCode:      http.StatusOK,
		Headers:         map[string]string{"Content-Type": mediaType, "Cache-Control": "no-store"},
		Body:            base64.StdEncoding.EncodeToString(content),
		IsBase64Encoded: true,
	}, nil
}

func (l lake) read(ctx context.Context, in *s3.GetObjectInput) ([]byte, error) {
	out, err := l.objects.GetObject(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("get the object: %w", err)
	}
	defer out.Body.Close()
	content, err := io.ReadAll(out.Body)
	if err != nil {
		return nil, fmt.Errorf("read the object: %w", err)
	}
	return content, nil
}

// redirect answers 303 with an address in S3 itself, good for redirectFor.
func (l lake) redirect(ctx context.Context, in *s3.GetObjectInput, mediaType string) (events.APIGatewayV2HTTPResponse, error) {
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
