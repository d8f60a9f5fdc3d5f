package s3

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"

	"hl7lake/local/wire"
)

// copyObject makes an object from a version of another one.
func (s *Service) copyObject(w http.ResponseWriter, in *request) error {
	if err := s.mayPut(in); err != nil {
		return err
	}
	source, err := s.copySource(in)
	if err != nil {
		return err
	}
	from, file, err := s.find(w, source)
	if err != nil {
		return err
	}
	defer file.Close()
	conditions, err := newPutConditions(in.Header)
	if err != nil {
		return err
	}
	v := &record{Key: in.key, Size: from.Size, ETag: from.ETag, Headers: from.Headers, Checksum: from.Checksum}
	if in.Header.Get("X-Amz-Metadata-Directive") == "REPLACE" {
		if v.Headers, err = storedHeaders(in.Header); err != nil {
			return err
		}
	}
	content, err := s.files.create(in.bucket.name)
	if err != nil {
		return err
	}
	if err := appendFile(content, file.Name()); err != nil {
		discard(content)
		return err
	}
	if v.File, err = s.files.keep(content); err != nil {
		return err
	}
	if err := s.add(in.bucket, v, conditions); err != nil {
		return err
	}
	writeVersion(w, in.bucket, v)
	if source.bucket.versioning != "" {
		w.Header().Set("X-Amz-Copy-Source-Version-Id", from.VersionID)
	}
	writeXML(w, http.StatusOK, struct {
		XMLName            xml.Name `xml:"CopyObjectResult"`
		ETag, LastModified string
	}{ETag: `"` + v.ETag + `"`, LastModified: lastModified(v.Modified)})
	return nil
}

// copySource returns the request for the object that X-Amz-Copy-Source names: bucket/key,
// URL-encoded, and perhaps ?versionId=id.
func (s *Service) copySource(in *request) (*request, error) {
	text, query, _ := strings.Cut(in.Header.Get("X-Amz-Copy-Source"), "?")
	path, err := url.PathUnescape(strings.TrimPrefix(text, "/"))
	name, key, whole := strings.Cut(path, "/")
	values, queryErr := url.ParseQuery(query)
	if err != nil || queryErr != nil || !whole || key == "" {
		return nil, wire.Errorf("InvalidArgument", "Invalid copy source object key")
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	b := s.buckets[name]
	if b == nil {
		return nil, &wire.Error{Status: http.StatusNotFound, Code: "NoSuchBucket", Message: "The specified bucket does not exist"}
	}
	return &request{Request: in.Request, bucket: b, key: key, query: values}, nil
}
