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
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Getter is the part of Amazon S3 that reading needs; *s3.Client has it.
type Getter interface {
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

// ErrDiffers says that an object is not the one that was recorded.
var ErrDiffers = errors.New("object: size or hash differs from what was recorded")

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
