package hub

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/internal/object"
)

// Objects is the part of Amazon S3 that the hub needs; *s3.Client has it.
type Objects interface {
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	object.Getter
}

// ClaimCheck turns events into their wire form and back. It keeps a body that is too
// large in a bucket of its own.
type ClaimCheck struct {
	Bucket  string
	Objects Objects
}

// reference is the body of an event whose content waits in the bucket.
type reference struct {
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
	Size   int    `json:"size"`
	SHA256 string `json:"sha256"`
}

// Errors of a body that cannot be opened.
var (
	ErrEncoding  = errors.New("hub: the body does not match its encoding attribute")
	ErrReference = errors.New("hub: the claim check is not one of this lake's")
	ErrContent   = errors.New("hub: the claim-checked content differs from what was put there")
)

// Pack writes e for the wire. A body that would make it larger than MaxInline is put
// under <root>/<name>: the event's id for the topic, the state's name within the
// workflow. The same event always writes the same object.
func (c ClaimCheck) Pack(ctx context.Context, e Event, name string) (Wire, error) {
	if err := e.check(); err != nil {
		return Wire{}, err
	}
	if len(e.Body) <= MaxInline {
		wire := inline(e)
		if text, err := wire.JSON(); err != nil || len(text) <= MaxInline {
			return wire, err
		}
	}
	sum := sha256.Sum256(e.Body)
	ref := reference{Bucket: c.Bucket, Key: e.Root.String() + "/" + name, Size: len(e.Body), SHA256: hex.EncodeToString(sum[:])}
	if err := c.put(ctx, ref, e.Body); err != nil {
		return Wire{}, err
	}
	body, err := json.Marshal(ref)
	if err != nil {
		return Wire{}, err
	}
	return wireOf(e, encodingClaimCheck, string(body)), nil
}

// put writes the content of ref to its place.
func (c ClaimCheck) put(ctx context.Context, ref reference, content []byte) error {
	sum := sha256.Sum256(content)
	_, err := c.Objects.PutObject(ctx, &s3.PutObjectInput{
		Bucket:         &ref.Bucket,
		Key:            &ref.Key,
		Body:           bytes.NewReader(content),
		ChecksumSHA256: new(base64.StdEncoding.EncodeToString(sum[:])),
	})
	if err != nil {
		return fmt.Errorf("claim check: %w", err)
	}
	return nil
}

// Renew writes the content of w again, if it has been there since before the given time,
// so that it does not expire while w is under way again. It does nothing if the body
// travels within w.
func (c ClaimCheck) Renew(ctx context.Context, w Wire, before time.Time) error {
	if w.Attributes["encoding"] != encodingClaimCheck {
		return nil
	}
	ref, content, since, err := c.fetch(ctx, w.Body)
	if err != nil || !since.Before(before) {
		return err
	}
	return c.put(ctx, ref, content)
}

// Open reads the wire form back, and fetches the body if it is a reference. The body is
// then what Pack was given, byte for byte, or Open fails.
func (c ClaimCheck) Open(ctx context.Context, w Wire) (Event, error) {
	if w.Attributes["encoding"] != encodingClaimCheck {
		e, err := w.Event()
		if err == nil {
			e.Body, err = w.Inline()
		}
		return e, err
	}
	e, stream, err := c.Stream(ctx, w)
	if err != nil {
		return e, err
	}
	defer stream.Close()
	e.Body, err = io.ReadAll(stream)
	return e, err
}

// Stream reads the wire form back as Open does, but leaves e.Body nil. The body is a
// stream, which the caller closes. It is not fetched before it is read. ctx limits the
// stream too.
func (c ClaimCheck) Stream(ctx context.Context, w Wire) (Event, *Stream, error) {
	e, err := w.Event()
	if err != nil {
		return e, nil, err
	}
	if w.Attributes["encoding"] != encodingClaimCheck {
		body, err := w.Inline()
		if err != nil {
			return e, nil, err
		}
		return e, streamOf(body), nil
	}
	stream, err := c.redeem(ctx, w.Body)
	return e, stream, err
}

// Size returns about how many bytes the content of w has, within w or behind a reference.
// It opens nothing and relies on what w says.
func (w Wire) Size() int {
	var ref reference
	if w.Attributes["encoding"] == encodingClaimCheck && json.Unmarshal([]byte(w.Body), &ref) == nil {
		return ref.Size
	}
	return len(w.Body)
}

// Inline returns the body that travels within w. It fails for a reference.
func (w Wire) Inline() ([]byte, error) {
	switch w.Attributes["encoding"] {
	case encodingUTF8:
		return []byte(w.Body), nil
	case encodingBase64:
		body, err := base64.StdEncoding.DecodeString(w.Body)
		if err != nil {
			return nil, ErrEncoding
		}
		return body, nil
	default:
		return nil, &AttributeError{Name: "encoding"}
	}
}

// reference reads the body of a wire form as a reference to the bucket. No reference is
// to empty content, which travels within the event.
func (c ClaimCheck) reference(body string) (ref reference, err error) {
	if json.Unmarshal([]byte(body), &ref) != nil || ref.Bucket != c.Bucket || ref.Size <= 0 {
		return ref, ErrReference
	}
	return ref, nil
}

// fetch returns the content behind a reference, and when it was written.
func (c ClaimCheck) fetch(ctx context.Context, body string) (ref reference, content []byte, since time.Time, err error) {
	if ref, err = c.reference(body); err != nil {
		return ref, nil, since, err
	}
	content, since, err = object.Read(ctx, c.Objects, &s3.GetObjectInput{Bucket: &ref.Bucket, Key: &ref.Key}, int64(ref.Size), ref.SHA256)
	switch {
	case errors.Is(err, object.ErrDiffers):
		err = ErrContent
	case err != nil:
		err = fmt.Errorf("claim check: %w", err)
	}
	return ref, content, since, err
}

// redeem returns a stream of the content that a reference names.
func (c ClaimCheck) redeem(ctx context.Context, body string) (*Stream, error) {
	ref, err := c.reference(body)
	if err != nil {
		return nil, err
	}
	sum, err := hex.DecodeString(ref.SHA256)
	if err != nil || len(sum) != sha256.Size {
		return nil, ErrContent
	}
	return newStream(int64(ref.Size), [sha256.Size]byte(sum), func() (io.ReadCloser, error) {
		out, err := c.Objects.GetObject(ctx, &s3.GetObjectInput{Bucket: &ref.Bucket, Key: &ref.Key})
		if err != nil {
			return nil, fmt.Errorf("claim check: %w", err)
		}
		return out.Body, nil
	}), nil
}
