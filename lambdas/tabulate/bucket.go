package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"hl7lake/internal/contract"
	"hl7lake/tables"
)

// bucket is the tables' bucket. Besides the tables it has, in folders of their own, the
// manifest of each hour, which says from which messages its tables were made, and the
// cursor of each institution.
type bucket struct {
	name    string
	objects objectStore
}

// errConflict says that another run has replaced what this one was going to replace. The
// other run's work stands, or the next run will do it.
var errConflict = errors.New("another run was at work")

// A version is an object's ETag; empty if there is none.
type version string

// version returns the version of the object at a key.
func (b bucket) version(ctx context.Context, key string) (version, error) {
	out, err := b.objects.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: &key})
	if isNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look at a table: %w", err)
	}
	return version(aws.ToString(out.ETag)), nil
}

// replace puts an object in place of a version. The error is errConflict if that version
// is no longer there.
func (b bucket) replace(ctx context.Context, key string, was version, body io.ReadSeeker, mediaType string) error {
	in := &s3.PutObjectInput{
		Bucket: &b.name, Key: &key, Body: body, ContentType: &mediaType, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
	}
	if was == "" {
		in.IfNoneMatch = aws.String("*")
	} else {
		in.IfMatch = aws.String(string(was))
	}
	_, err := b.objects.PutObject(ctx, in)
	if isConflict(err) {
		return errConflict
	}
	if err != nil {
		return fmt.Errorf("write to the tables' bucket: %w", err)
	}
	return nil
}

// read reads a small JSON object into v. If there is none, v does not change.
func (b bucket) read(ctx context.Context, key string, v any) (version, error) {
	out, err := b.objects.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: &key})
	if isNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read from the tables' bucket: %w", err)
	}
	defer out.Body.Close()
	if err := json.NewDecoder(out.Body).Decode(v); err != nil {
		return "", fmt.Errorf("read from the tables' bucket: %w", err)
	}
	return version(aws.ToString(out.ETag)), nil
}

// write writes v as a JSON object in place of a version.
func (b bucket) write(ctx context.Context, key string, was version, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.replace(ctx, key, was, bytes.NewReader(text), "application/json")
}

// A manifest says from which messages the tables of an hour were made. It is written
// after them.
type manifest struct {
	Digest   string `json:"digest"`
	Messages int    `json:"messages"`
}

// manifestLayout is the part of a manifest's key that contains the hour.
const manifestLayout = "date=2006-01-02/hour=15.json"

func manifestsPrefix(source string) string {
	return contract.TablesManifests + "/source=" + source + "/"
}

func manifestKey(source string, start time.Time) string {
	return manifestsPrefix(source) + start.Format(manifestLayout)
}

// made yields the hours of an institution that have a manifest, from one on and before
// another. An error ends the iteration.
func (b bucket) made(ctx context.Context, source string, from, to time.Time) iter.Seq2[time.Time, error] {
	return func(yield func(time.Time, error) bool) {
		prefix := manifestsPrefix(source)
		in := &s3.ListObjectsV2Input{Bucket: &b.name, Prefix: &prefix, StartAfter: aws.String(prefix + from.Format("date="+time.DateOnly))}
		pages := s3.NewListObjectsV2Paginator(b.objects, in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(time.Time{}, fmt.Errorf("list the manifests: %w", err))
				return
			}
			for _, object := range page.Contents {
				start, err := time.Parse(manifestLayout, strings.TrimPrefix(aws.ToString(object.Key), prefix))
				if err != nil || start.Before(from) {
					continue
				}
				if !start.Before(to) || !yield(start, nil) {
					return
				}
			}
		}
	}
}

// A cursor says up to which hour the tables of an institution are complete, except for
// late messages.
type cursor struct {
	Settled time.Time `json:"settled"`
}

func cursorKey(source string) string { return contract.TablesCursors + "/source=" + source + ".json" }

// isNotFound reports whether an error of S3 says that there is no such object.
func isNotFound(err error) bool { return statusOf(err) == http.StatusNotFound }

// isConflict reports whether an error of S3 says that a condition did not hold, that
// another write was under way (Amazon S3 User Guide, Conditional writes), or that the
// object to be replaced is gone.
func isConflict(err error) bool {
	status := statusOf(err)
	return status == http.StatusPreconditionFailed || status == http.StatusConflict || status == http.StatusNotFound
}

func statusOf(err error) int {
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		return response.HTTPStatusCode()
	}
	return 0
}

// folder is where the files of one hour are made before they are put.
type folder struct {
	path  string
	files map[string]*os.File // by table
}

func newFolder() (*folder, error) {
	path, err := os.MkdirTemp("", "tables-")
	return &folder{path: path, files: map[string]*os.File{}}, err
}

// open opens a table's file. It stays open until the folder is removed.
func (f *folder) open(t *tables.Table) (io.WriteCloser, error) {
	file, err := os.CreateTemp(f.path, t.Name+"-*.parquet")
	if err != nil {
		return nil, err
	}
	f.files[t.Name] = file
	return written{file}, nil
}

// written is a file that is read after it was written.
type written struct{ *os.File }

func (w written) Close() error {
	_, err := w.Seek(0, io.SeekStart)
	return err
}

// remove closes and deletes all files.
func (f *folder) remove() error {
	var errs []error
	for _, file := range f.files {
		errs = append(errs, file.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(f.path))...)
}
