// Package s3 is the local lake's S3: buckets made from a template's AWS::S3::Bucket,
// behind S3's own wire protocol.
//
// An object is in two places. Its content is a file that never changes, below .objects. A
// record in the shared store, which is written last, says that the object exists, with
// its headers and checksums. So an object exists completely or not at all, whatever
// happens, and older versions do not change. The current objects of a bucket are also
// plain files under their keys, as links to the contents: anybody can read them with cat,
// and DuckDB can query the lake's folder. A key that is not a portable path (an empty
// segment, a segment of .., another object's folder, a difference in case only) is kept
// and served like any other, but has no such file.
//
//	<dir>/<bucket>/<key>              the current object
//	<dir>/.objects/<bucket>/…         contents of all versions
//	<dir>/.links/… .intents/…         changes under way
//
// Differences from S3: buckets come from templates only, and have no tags, ACLs, or
// object locks; requests for those are refused as not implemented. Objects that have
// expired are removed when the bucket is next written to.
package s3

import (
	"context"
	"encoding/xml"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"hl7lake/local/store"
	"hl7lake/local/wire"
)

// Service answers S3's requests. It is safe for concurrent use.
type Service struct {
	files     files
	store     *store.Store
	authorize wire.Authorize
	requested Requested
	now       func() time.Time

	mu      sync.RWMutex
	buckets map[string]*bucket
}

// Option changes how a Service works.
type Option func(*Service)

// WithClock makes the service use now instead of time.Now.
func WithClock(now func() time.Time) Option { return func(s *Service) { s.now = now } }

// Requested is called for each request, before it is answered.
type Requested func(r *http.Request)

// WithRequested makes the service report requests.
func WithRequested(requested Requested) Option { return func(s *Service) { s.requested = requested } }

// New returns a service without buckets, which keeps contents in dir and everything else
// in the store, and calls authorize before it acts.
func New(dir string, store *store.Store, authorize wire.Authorize, options ...Option) *Service {
	s := &Service{files: files{dir, store}, store: store, authorize: authorize, requested: func(*http.Request) {}, now: time.Now, buckets: map[string]*bucket{}}
	for _, option := range options {
		option(s)
	}
	return s
}

// request is one parsed request.
type request struct {
	*http.Request
	bucket *bucket
	key    string // empty for requests about the bucket
	query  url.Values
}

// answer writes a request's answer, or returns why there is none.
type answer func(http.ResponseWriter, *request) error

// ServeHTTP answers one request, for https://host/bucket/key and for
// https://bucket.localhost/key.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requested(r)
	w.Header().Set("X-Amz-Request-Id", uuid.NewString())
	if err := s.serve(w, r); err != nil {
		writeError(w, r, err)
	}
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request) error {
	name, key := split(r)
	if name == "" {
		return s.listBuckets(w, r)
	}
	in := &request{Request: r, key: key, query: r.URL.Query()}
	s.mu.RLock()
	in.bucket = s.buckets[name]
	s.mu.RUnlock()
	if in.bucket == nil {
		return &wire.Error{Status: http.StatusNotFound, Code: "NoSuchBucket", Message: "The specified bucket does not exist"}
	}
	answer, err := s.route(in)
	if err != nil {
		return err
	}
	return answer(w, in)
}

// split returns the bucket and the key that a request is about.
func split(r *http.Request) (bucket, key string) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if bucket, virtual := strings.CutSuffix(host, ".localhost"); virtual {
		return bucket, path
	}
	bucket, key, _ = strings.Cut(path, "/")
	return bucket, key
}

// route finds the operation by method and subresource (Amazon S3 API Reference).
func (s *Service) route(in *request) (answer, error) {
	level, routes := "bucket ", map[string]answer{
		"HEAD":           s.headBucket,
		"GET":            s.listObjects,
		"GET location":   s.getLocation,
		"GET versioning": s.getVersioning,
		"GET versions":   s.listVersions,
		"GET uploads":    s.listUploads,
		"POST delete":    s.deleteObjects,
	}
	if in.key != "" {
		level, routes = "object ", map[string]answer{
			"HEAD":            s.getObject,
			"GET":             s.getObject,
			"PUT":             s.putObject,
			"DELETE":          s.deleteObject,
			"POST uploads":    s.createUpload,
			"PUT uploadId":    s.uploadPart,
			"GET uploadId":    s.listParts,
			"POST uploadId":   s.completeUpload,
			"DELETE uploadId": s.abortUpload,
		}
	}
	operation := in.Method
	for _, subresource := range subresources() {
		if in.query.Has(subresource) {
			operation += " " + subresource
			break
		}
	}
	answer, known := routes[operation]
	if !known {
		return nil, wire.Unsupported("the S3 request " + level + operation)
	}
	return answer, nil
}

// subresources are the query parameters that make a request another operation.
func subresources() []string {
	return []string{
		"accelerate", "acl", "analytics", "attributes", "cors", "delete", "encryption", "intelligent-tiering", "inventory",
		"legal-hold", "lifecycle", "location", "logging", "metrics", "notification", "object-lock", "ownershipControls",
		"policy", "policyStatus", "publicAccessBlock", "replication", "requestPayment", "restore", "retention", "select",
		"tagging", "torrent", "uploadId", "uploads", "versioning", "versions", "website",
	}
}

// may checks that the caller may perform action on the bucket, or on an object in it if
// key is not empty.
func (s *Service) may(ctx context.Context, action string, b *bucket, key string, conditions map[string]string) error {
	resource := "arn:aws:s3:::" + b.name
	if key != "" {
		resource += "/" + key
	}
	err := s.authorize(ctx, "s3:"+action, resource, conditions)
	if refusal := new(wire.Error); errors.As(err, &refusal) {
		return &wire.Error{Status: http.StatusForbidden, Code: "AccessDenied", Message: refusal.Message}
	}
	return err
}

func writeError(w http.ResponseWriter, r *http.Request, err error) {
	a := wire.AsError(store.Writing(err))
	if a.Code == "InternalFailure" {
		a = &wire.Error{Status: a.Status, Code: "InternalError", Message: a.Message} // S3's name for it
	}
	header := w.Header()
	for _, name := range []string{"Content-Length", "Content-Range", "Content-Encoding", "Content-Disposition", "Cache-Control", "Etag", "Last-Modified"} {
		header.Del(name)
	}
	if r.Method == http.MethodHead || a.Status == http.StatusNotModified {
		w.WriteHeader(a.Status)
		return
	}
	writeXML(w, a.Status, struct {
		XMLName                            xml.Name `xml:"Error"`
		Code, Message, Resource, RequestId string
	}{Code: a.Code, Message: a.Message, Resource: r.URL.Path, RequestId: header.Get("X-Amz-Request-Id")})
}

func writeXML(w http.ResponseWriter, status int, content any) {
	w.Header().Set("Content-Type", "application/xml")
	body, err := xml.Marshal(content)
	if err != nil {
		status, body = http.StatusInternalServerError, nil
	}
	w.WriteHeader(status)
	_, _ = w.Write(append([]byte(xml.Header), body...)) // the client has gone
}

// lastModified writes a time as S3's XML does.
func lastModified(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
