// Package object reads objects of Amazon S3 whose size and hash are known. It returns
// exactly what was written, or an error.
package object

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// Getter is the part of Amazon S3 that reading needs; *s3.Client has it.
type Getter interface {
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

// ErrDiffers says that an object is not the one that was recorded.
var ErrDiffers = errors.New("object: size or hash differs from what was recorded")

// IsGone reports whether S3 says that there is no such object, or no such version of it: a
// rule or a person has deleted it for good. A caller who may not list the bucket would
// get AccessDenied (Amazon S3 API Reference, GetObject and HeadObject). The answer to a
// HEAD request has no code of S3's own.
func IsGone(err error) bool {
	problem, answered := errors.AsType[smithy.APIError](err)
	return answered && slices.Contains([]string{"NoSuchKey", "NoSuchVersion", "NotFound"}, problem.ErrorCode())
}

// Read returns the content of an object and when it was last written. Its size in bytes
// and its SHA-256, in hex, must be those given; otherwise the error is ErrDiffers. Other
// errors are those of the call. It reads at most one byte beyond the size.
func Read(ctx context.Context, objects Getter, in *s3.GetObjectInput, size int64, sum string) ([]byte, time.Time, error) {
	out, err := objects.GetObject(ctx, in)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("get the object: %w", err)
	}
	defer out.Body.Close()
	content, err := io.ReadAll(io.LimitReader(out.Body, size+1))
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read the object: %w", err)
	}
	if hash := sha256.Sum256(content); int64(len(content)) != size || hex.EncodeToString(hash[:]) != sum {
		return nil, time.Time{}, ErrDiffers
	}
	return content, aws.ToTime(out.LastModified), nil
}
