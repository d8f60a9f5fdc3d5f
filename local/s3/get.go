package s3

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"hl7lake/local/wire"
)

// getObject answers GetObject and HeadObject.
func (s *Service) getObject(w http.ResponseWriter, in *request) error {
	v, file, err := s.find(w, in)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := checkGet(in.Header, v); err != nil {
		return err
	}
	start, length, partial, err := byteRange(in.Header.Get("Range"), v.Size)
	if err != nil {
		return err
	}
	writeHeaders(w, in, v)
	w.Header().Set("Content-Length", strconv.FormatInt(length, 10))
	status := http.StatusOK
	if partial {
		status = http.StatusPartialContent
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, start+length-1, v.Size))
	} else if strings.EqualFold(in.Header.Get("X-Amz-Checksum-Mode"), "ENABLED") {
		writeChecksum(w, v)
	}
	w.WriteHeader(status)
	if in.Method == http.MethodHead {
		return nil
	}
	if _, err := file.Seek(start, io.SeekStart); err == nil {
		_, _ = io.CopyN(w, file, length) // the client has gone
	}
	return nil
}

// find returns the version that a request is about, and its open file. It writes what a
// refusal must say about delete markers.
func (s *Service) find(w http.ResponseWriter, in *request) (*record, *os.File, error) {
	id := in.query.Get("versionId")
	action, conditions := "GetObject", map[string]string(nil)
	if id != "" {
		action, conditions = "GetObjectVersion", map[string]string{"s3:VersionId": id}
	}
	if err := s.may(in.Context(), action, in.bucket, in.key, conditions); err != nil {
		return nil, nil, err
	}
	v, file, err := s.open(in.bucket, in.key, id)
	switch {
	case err != nil:
		return nil, nil, err
	case v == nil || v.Marker:
		return nil, nil, s.errAbsent(w, in, v)
	}
	return v, file, nil
}

// open returns a version, the newest if id is empty, and its file, which is nil if there
// is none. If the version is deleted meanwhile, it looks again.
func (s *Service) open(b *bucket, key, id string) (v *record, file *os.File, err error) {
	const attempts = 3
	for range attempts {
		err = s.store.View(func(tx *bbolt.Tx) error {
			if r := b.in(tx); id == "" {
				v, err = r.latest(key)
			} else {
				v, err = r.version(key, id)
			}
			return err
		})
		if err != nil || v == nil || v.Marker {
			return v, nil, err
		}
		file, err = os.Open(s.files.content(b.name, v.File))
		if !errors.Is(err, os.ErrNotExist) {
			return v, file, err
		}
	}
	return nil, nil, &wire.Error{Status: http.StatusInternalServerError, Code: "InternalError", Message: "The content of the object " +
		"is missing from the data folder: put " + filepath.Join("s3", objectsDir, b.name, v.File[len(v.File)-1:], v.File) + " back from a copy of it."}
}

// errAbsent refuses a request for an object that does not exist: v is nil or a delete
// marker. A caller who may not list the bucket is not told that it does not exist.
func (s *Service) errAbsent(w http.ResponseWriter, in *request, v *record) error {
	id := in.query.Get("versionId")
	if v != nil {
		w.Header().Set("X-Amz-Delete-Marker", "true")
		writeVersion(w, in.bucket, v)
		if id != "" {
			return &wire.Error{Status: http.StatusMethodNotAllowed, Code: "MethodNotAllowed",
				Message: "The specified method is not allowed against this resource."}
		}
	}
	if err := s.may(in.Context(), "ListBucket", in.bucket, "", nil); err != nil {
		return err
	}
	if id != "" {
		return &wire.Error{Status: http.StatusNotFound, Code: "NoSuchVersion", Message: "The specified version does not exist."}
	}
	return errNoSuchKey()
}

func errNoSuchKey() error {
	return &wire.Error{Status: http.StatusNotFound, Code: "NoSuchKey", Message: "The specified key does not exist."}
}

// checkGet checks a read's conditions (RFC 9110, 13.2.2).
func checkGet(header http.Header, v *record) error {
	modified := v.Modified.Truncate(time.Second)
	if match := header.Get("If-Match"); match != "" {
		if !matches(match, v.ETag) {
			return errPrecondition()
		}
	} else if since, err := http.ParseTime(header.Get("If-Unmodified-Since")); err == nil && modified.After(since) {
		return errPrecondition()
	}
	notModified := &wire.Error{Status: http.StatusNotModified, Code: "NotModified"}
	if match := header.Get("If-None-Match"); match != "" {
		if matches(match, v.ETag) {
			return notModified
		}
	} else if since, err := http.ParseTime(header.Get("If-Modified-Since")); err == nil && !modified.After(since) {
		return notModified
	}
	return nil
}

func matches(list, etag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.Trim(strings.TrimSpace(one), `"`); one == "*" || one == etag {
			return true
		}
	}
	return false
}

// byteRange reads a Range header (RFC 9110, 14.1.2). It ignores one that it does not
// understand, or that asks for several ranges, as S3 does.
func byteRange(header string, size int64) (start, length int64, partial bool, err error) {
	spec, isBytes := strings.CutPrefix(header, "bytes=")
	first, last, isRange := strings.Cut(spec, "-")
	from, fromErr := strconv.ParseInt(first, 10, 64)
	to, toErr := strconv.ParseInt(last, 10, 64)
	switch {
	case !isBytes || !isRange || strings.Contains(spec, ","):
		return 0, size, false, nil
	case first == "" && toErr == nil:
		from, to = max(0, size-to), size-1
	case fromErr == nil && last == "":
		to = size - 1
	case fromErr != nil || toErr != nil || to < from:
		return 0, size, false, nil
	}
	if from >= size || from > to {
		return 0, 0, false, &wire.Error{Status: http.StatusRequestedRangeNotSatisfiable, Code: "InvalidRange",
			Message: "The requested range is not satisfiable"}
	}
	to = min(to, size-1)
	return from, to - from + 1, true, nil
}

func writeHeaders(w http.ResponseWriter, in *request, v *record) {
	header := w.Header()
	header.Set("Content-Type", "binary/octet-stream")
	for name, value := range v.Headers {
		header.Set(name, value)
	}
	for parameter, values := range in.query {
		if name, is := strings.CutPrefix(parameter, "response-"); is {
			header.Set(name, values[0])
		}
	}
	header.Set("Etag", `"`+v.ETag+`"`)
	header.Set("Last-Modified", v.Modified.Format(http.TimeFormat))
	header.Set("Accept-Ranges", "bytes")
	header.Set("X-Amz-Server-Side-Encryption", "AES256")
	writeVersion(w, in.bucket, v)
}
