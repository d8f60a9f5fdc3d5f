package s3

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"

	"hl7lake/local/wire"
)

// uploadsBucket holds, in the store's bucket "s3", the multipart uploads under
// way by their ids.
var uploadsBucket = []byte(".uploads")

// upload is a multipart upload under way.
type upload struct {
	ID, Bucket, Key string
	Initiated       time.Time
	Headers         map[string]string
	Parts           map[int]part
}

// part is one part, whose content is a file of the bucket.
type part struct {
	File, ETag string
	Size       int64
	Modified   time.Time
}

// minPart is the smallest size of every part but the last (Amazon S3 User Guide, "Amazon
// S3 multipart upload limits").
const (
	minPart  = 5 << 20
	maxParts = 10000
)

func (s *Service) createUpload(w http.ResponseWriter, in *request) error {
	if err := s.mayPut(in); err != nil {
		return err
	}
	headers, err := storedHeaders(in.Header)
	if err != nil {
		return err
	}
	u := upload{uuid.NewString(), in.bucket.name, in.key, s.now().UTC(), headers, map[int]part{}}
	if err := s.store.Update(u.put); err != nil {
		return err
	}
	writeXML(w, http.StatusOK, struct {
		XMLName               xml.Name `xml:"InitiateMultipartUploadResult"`
		Bucket, Key, UploadId string
	}{Bucket: u.Bucket, Key: u.Key, UploadId: u.ID})
	return nil
}

func (u upload) put(tx *bbolt.Tx) error {
	text, err := json.Marshal(u)
	if err != nil {
		return err
	}
	uploads, err := tx.Bucket(rootBucket).CreateBucketIfNotExists(uploadsBucket)
	if err != nil {
		return err
	}
	return uploads.Put([]byte(u.ID), text)
}

// readUpload reads the upload that a request names.
func readUpload(tx *bbolt.Tx, in *request) (u upload, err error) {
	uploads := tx.Bucket(rootBucket).Bucket(uploadsBucket)
	var text []byte
	if uploads != nil {
		text = uploads.Get([]byte(in.query.Get("uploadId")))
	}
	if text != nil {
		err = json.Unmarshal(text, &u)
	}
	if err == nil && (u.Bucket != in.bucket.name || u.Key != in.key) {
		err = &wire.Error{Status: http.StatusNotFound, Code: "NoSuchUpload", Message: "The specified upload does not exist."}
	}
	return u, err
}

func (s *Service) upload(in *request) (u upload, err error) {
	err = s.store.View(func(tx *bbolt.Tx) error {
		u, err = readUpload(tx, in)
		return err
	})
	return u, err
}

func (s *Service) uploadPart(w http.ResponseWriter, in *request) error {
	if err := s.mayPut(in); err != nil {
		return err
	}
	number, err := strconv.Atoi(in.query.Get("partNumber"))
	if err != nil || number < 1 || number > maxParts {
		return wire.Errorf("InvalidArgument", "Part number must be an integer between 1 and %d, inclusive", maxParts)
	}
	if in.Header.Get("X-Amz-Copy-Source") != "" {
		return wire.Unsupported("UploadPartCopy")
	}
	if _, err := s.upload(in); err != nil {
		return err
	}
	body, err := newBody(in.Request)
	if err != nil {
		return err
	}
	file, err := s.receive(in.bucket, body)
	if err != nil {
		return err
	}
	p := part{file, body.etag(), body.size, s.now().UTC()}
	var replaced part
	err = s.store.Update(func(tx *bbolt.Tx) error {
		u, err := readUpload(tx, in)
		if err != nil {
			return err
		}
		replaced, u.Parts[number] = u.Parts[number], p
		return u.put(tx)
	})
	if err != nil {
		s.files.remove(in.bucket.name, file)
		return err
	}
	if replaced.File != "" {
		s.files.remove(in.bucket.name, replaced.File)
	}
	w.Header().Set("Etag", `"`+p.ETag+`"`)
	c := body.checksum()
	w.Header().Set(checksumHeader+c.Algorithm, c.Value)
	return nil
}

type completeRequest struct {
	Part []struct {
		PartNumber int
		ETag       string
	}
}

func (s *Service) completeUpload(w http.ResponseWriter, in *request) error {
	if err := s.mayPut(in); err != nil {
		return err
	}
	conditions, err := newPutConditions(in.Header)
	if err != nil {
		return err
	}
	u, err := s.upload(in)
	if err != nil {
		return err
	}
	var request completeRequest
	text, err := io.ReadAll(http.MaxBytesReader(w, in.Body, 4<<20))
	if err != nil || xml.Unmarshal(text, &request) != nil || len(request.Part) == 0 {
		return wire.Errorf("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	parts, err := u.chosen(request)
	if err != nil {
		return err
	}
	v, err := s.join(in.bucket, u, parts)
	if err != nil {
		return err
	}
	if err := s.add(in.bucket, v, conditions); err != nil {
		return err
	}
	if err := s.endUpload(in.bucket, u); err != nil {
		return err
	}
	writeVersion(w, in.bucket, v)
	writeXML(w, http.StatusOK, struct {
		XMLName                     xml.Name `xml:"CompleteMultipartUploadResult"`
		Location, Bucket, Key, ETag string
	}{Location: "http://" + in.Host + in.URL.Path, Bucket: u.Bucket, Key: u.Key, ETag: `"` + v.ETag + `"`})
	return nil
}

// chosen returns the parts that a request to complete names. They must be in order and as
// they were uploaded.
func (u upload) chosen(request completeRequest) (parts []part, err error) {
	last := 0
	for _, named := range request.Part {
		p, there := u.Parts[named.PartNumber]
		switch {
		case named.PartNumber <= last:
			return nil, wire.Errorf("InvalidPartOrder", "The list of parts was not in ascending order.")
		case !there || p.ETag != strings.Trim(named.ETag, `"`):
			return nil, wire.Errorf("InvalidPart", "One or more of the specified parts could not be found.")
		}
		last = named.PartNumber
		parts = append(parts, p)
	}
	if slices.ContainsFunc(parts[:len(parts)-1], func(p part) bool { return p.Size < minPart }) {
		return nil, wire.Errorf("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
	}
	return parts, nil
}

// join makes one content of the parts. Its ETag is the MD5 of theirs.
func (s *Service) join(b *bucket, u upload, parts []part) (*record, error) {
	whole, err := s.files.create(b.name)
	if err != nil {
		return nil, err
	}
	sums, sum := md5.New(), newHash(defaultAlgorithm)
	v := &record{Key: u.Key, Headers: u.Headers}
	for _, p := range parts {
		digest, _ := hex.DecodeString(p.ETag) // our own
		_, _ = sums.Write(digest)             // never fails
		if err := appendFile(io.MultiWriter(whole, sum), s.files.content(b.name, p.File)); err != nil {
			discard(whole)
			return nil, err
		}
		v.Size += p.Size
	}
	v.ETag = fmt.Sprintf("%x-%d", sums.Sum(nil), len(parts))
	v.Checksum = checksum{defaultAlgorithm, encoded(sum)}
	v.File, err = s.files.keep(whole)
	return v, err
}

func appendFile(to io.Writer, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, file)
	return errors.Join(err, file.Close())
}

func (s *Service) abortUpload(w http.ResponseWriter, in *request) error {
	if err := s.may(in.Context(), "AbortMultipartUpload", in.bucket, in.key, nil); err != nil {
		return err
	}
	u, err := s.upload(in)
	if err != nil {
		return err
	}
	if err := s.endUpload(in.bucket, u); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// endUpload removes an upload and its parts.
func (s *Service) endUpload(b *bucket, u upload) error {
	err := s.store.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket(rootBucket).Bucket(uploadsBucket).Delete([]byte(u.ID))
	})
	if err != nil {
		return err
	}
	for _, p := range u.Parts {
		s.files.remove(b.name, p.File)
	}
	return nil
}

type partEntry struct {
	PartNumber         int
	LastModified, ETag string
	Size               int64
}

func (s *Service) listParts(w http.ResponseWriter, in *request) error {
	if err := s.may(in.Context(), "ListMultipartUploadParts", in.bucket, in.key, nil); err != nil {
		return err
	}
	u, err := s.upload(in)
	if err != nil {
		return err
	}
	out := struct {
		XMLName               xml.Name `xml:"ListPartsResult"`
		Bucket, Key, UploadId string
		IsTruncated           bool
		Part                  []partEntry
	}{Bucket: u.Bucket, Key: u.Key, UploadId: u.ID}
	for number, p := range u.Parts {
		out.Part = append(out.Part, partEntry{number, lastModified(p.Modified), `"` + p.ETag + `"`, p.Size})
	}
	slices.SortFunc(out.Part, func(a, b partEntry) int { return a.PartNumber - b.PartNumber })
	writeXML(w, http.StatusOK, out)
	return nil
}

type uploadEntry struct{ Key, UploadId, Initiated string }

func (s *Service) listUploads(w http.ResponseWriter, in *request) error {
	if err := s.may(in.Context(), "ListBucketMultipartUploads", in.bucket, "", nil); err != nil {
		return err
	}
	out := struct {
		XMLName     xml.Name `xml:"ListMultipartUploadsResult"`
		Bucket      string
		IsTruncated bool
		Upload      []uploadEntry
	}{Bucket: in.bucket.name}
	err := s.store.View(func(tx *bbolt.Tx) error {
		uploads := tx.Bucket(rootBucket).Bucket(uploadsBucket)
		if uploads == nil {
			return nil
		}
		return uploads.ForEach(func(_, text []byte) error {
			var u upload
			if err := json.Unmarshal(text, &u); err != nil || u.Bucket != in.bucket.name {
				return err
			}
			out.Upload = append(out.Upload, uploadEntry{u.Key, u.ID, lastModified(u.Initiated)})
			return nil
		})
	})
	if err != nil {
		return err
	}
	slices.SortFunc(out.Upload, func(a, b uploadEntry) int { return strings.Compare(a.Key+a.UploadId, b.Key+b.UploadId) })
	writeXML(w, http.StatusOK, out)
	return nil
}
