package s3

import (
	"encoding/binary"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"go.etcd.io/bbolt"

	"hl7lake/local/wire"
)

// The limits of keys and metadata (Amazon S3 User Guide, "Naming Amazon S3
// objects" and "Working with object metadata").
const (
	maxKey      = 1024
	maxMetadata = 2 << 10
)

const metadataHeader = "X-Amz-Meta-"

func (s *Service) putObject(w http.ResponseWriter, in *request) error {
	if in.Header.Get("X-Amz-Copy-Source") != "" {
		return s.copyObject(w, in)
	}
	if err := s.mayPut(in); err != nil {
		return err
	}
	headers, err := storedHeaders(in.Header)
	if err != nil {
		return err
	}
	conditions, err := newPutConditions(in.Header)
	if err != nil {
		return err
	}
	// Checked early too, so that no content is read for nothing.
	if err := s.checkPut(in.bucket, in.key, conditions); err != nil {
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
	v := &record{Key: in.key, File: file, Size: body.size, ETag: body.etag(), Headers: headers, Checksum: body.checksum()}
	if err := s.add(in.bucket, v, conditions); err != nil {
		return err
	}
	writeVersion(w, in.bucket, v)
	w.Header().Set("Etag", `"`+v.ETag+`"`)
	writeChecksum(w, v)
	return nil
}

func (s *Service) mayPut(in *request) error {
	conditions := map[string]string{}
	for key, header := range map[string]string{
		"s3:if-none-match":                "If-None-Match",
		"s3:if-match":                     "If-Match",
		"s3:x-amz-server-side-encryption": "X-Amz-Server-Side-Encryption",
		"s3:x-amz-acl":                    "X-Amz-Acl",
		"s3:x-amz-storage-class":          "X-Amz-Storage-Class",
	} {
		if value := in.Header.Get(header); value != "" {
			conditions[key] = value
		}
	}
	if err := s.may(in.Context(), "PutObject", in.bucket, in.key, conditions); err != nil {
		return err
	}
	return checkKey(in.key)
}

func checkKey(key string) error {
	switch {
	case len(key) > maxKey:
		return wire.Errorf("KeyTooLongError", "Your key is too long")
	case !utf8.ValidString(key):
		return wire.Errorf("InvalidURI", "Couldn't parse the specified URI.")
	case strings.ContainsRune(key, 0):
		return wire.Errorf("InvalidArgument", "A key with a zero byte is not kept by the local lake")
	}
	return nil
}

// storedHeaders are the headers that are returned with an object.
func storedHeaders(header http.Header) (map[string]string, error) {
	stored, metadata := map[string]string{}, 0
	for name, values := range header {
		value := strings.Join(values, ",")
		switch name {
		case "Content-Type", "Content-Disposition", "Content-Language", "Cache-Control", "Expires":
			stored[name] = value
		case "Content-Encoding":
			if value = withoutChunked(value); value != "" {
				stored[name] = value
			}
		default:
			if key, is := strings.CutPrefix(name, metadataHeader); is {
				stored[name] = value
				metadata += len(key) + len(value)
			}
		}
	}
	if metadata > maxMetadata {
		return nil, wire.Errorf("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
	}
	return stored, nil
}

// withoutChunked removes aws-chunked, which is about the request only, from a
// Content-Encoding.
func withoutChunked(encoding string) string {
	var kept []string
	for one := range strings.SplitSeq(encoding, ",") {
		if one = strings.TrimSpace(one); one != "" && one != "aws-chunked" {
			kept = append(kept, one)
		}
	}
	return strings.Join(kept, ",")
}

// putConditions are what a write requires of the newest version.
type putConditions struct {
	absent bool   // there is none, or it is a delete marker
	etag   string // it has this ETag
}

func newPutConditions(header http.Header) (putConditions, error) {
	c := putConditions{etag: strings.Trim(header.Get("If-Match"), `"`)}
	switch header.Get("If-None-Match") {
	case "":
	case "*":
		c.absent = true
	default:
		return c, wire.Unsupported("an If-None-Match other than * on a write")
	}
	return c, nil
}

func (c putConditions) check(latest *record) error {
	there := latest != nil && !latest.Marker
	switch {
	case c.absent && there, c.etag != "" && there && c.etag != "*" && c.etag != latest.ETag:
		return errPrecondition()
	case c.etag != "" && !there:
		return errNoSuchKey()
	}
	return nil
}

func errPrecondition() error {
	return &wire.Error{Status: http.StatusPreconditionFailed, Code: "PreconditionFailed",
		Message: "At least one of the pre-conditions you specified did not hold"}
}

func (s *Service) checkPut(b *bucket, key string, conditions putConditions) error {
	latest, err := s.latest(b, key)
	if err != nil {
		return err
	}
	return conditions.check(latest)
}

// latest returns a key's newest version, which may be a delete marker, or nil.
func (s *Service) latest(b *bucket, key string) (latest *record, err error) {
	err = s.store.View(func(tx *bbolt.Tx) error {
		latest, err = b.in(tx).latest(key)
		return err
	})
	return latest, err
}

// receive stores a request's content in a file that no record names yet.
func (s *Service) receive(b *bucket, body *body) (file string, err error) {
	content, err := s.files.create(b.name)
	if err != nil {
		return "", err
	}
	if err := body.copyTo(content); err != nil {
		discard(content)
		return "", err
	}
	return s.files.keep(content)
}

// add makes v the newest version of its key, if the conditions allow, and removes a few
// objects that have expired.
func (s *Service) add(b *bucket, v *record, conditions putConditions) error {
	if err := s.addLocked(b, v, conditions); err != nil {
		return err
	}
	return s.expire(b)
}

func (s *Service) addLocked(b *bucket, v *record, conditions putConditions) error {
	lock := b.locks.of(v.Key)
	lock.Lock()
	defer lock.Unlock()
	before, err := s.latest(b, v.Key)
	if err == nil {
		err = conditions.check(before)
	}
	if err != nil {
		s.files.remove(b.name, v.File)
		return err
	}
	end, err := b.journal.begin(s.files.intents(), intent{b.name, v.Key, v.File})
	if err != nil {
		s.files.remove(b.name, v.File)
		return err
	}
	defer end()
	shown, err := s.show(b, v)
	if err == nil {
		err = s.record(b, v, shown)
	}
	if err != nil {
		s.undo(b, v, before)
	}
	return err
}

// show puts v's file under its key, if possible.
func (s *Service) show(b *bucket, v *record) (shown bool, err error) {
	if !showable(v.Key) {
		return false, nil
	}
	owner, err := s.shownAs(b, v.Key)
	if err != nil || owner != "" && owner != v.Key {
		return false, err
	}
	return s.files.show(b.name, v.Key, v.File)
}

// shownAs returns the key that has the file under key, or under one that some file system
// would take for it. It is empty if there is none.
func (s *Service) shownAs(b *bucket, key string) (owner string, err error) {
	err = s.store.View(func(tx *bbolt.Tx) error {
		owner = string(b.in(tx).paths.Get(fold(key)))
		return nil
	})
	return owner, err
}

// record writes v's record, and removes the one that it replaces.
func (s *Service) record(b *bucket, v *record, shown bool) error {
	v.Modified = s.now().UTC().Truncate(time.Millisecond)
	var replaced *record
	err := s.store.Update(func(tx *bbolt.Tx) (err error) {
		r := b.in(tx)
		if replaced, err = r.add(v, b.versioning); err != nil {
			return err
		}
		if shown {
			if err := r.paths.Put(fold(v.Key), []byte(v.Key)); err != nil {
				return err
			}
		}
		after := b.expiry(v.Key)
		if after == 0 || v.Marker {
			return nil
		}
		return r.ages.Put(ageKey(v.Modified.Add(after), v.Key), nil)
	})
	if err != nil {
		return err
	}
	if replaced != nil && !replaced.Marker {
		s.files.remove(b.name, replaced.File)
	}
	return nil
}

func ageKey(expires time.Time, key string) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(expires.UnixMilli())), key...)
}

// undo reverses what add did to the files if its record could not be written.
func (s *Service) undo(b *bucket, v, before *record) {
	if before != nil && !before.Marker {
		_, _ = s.show(b, before) // the first error is reported
	} else if showable(v.Key) {
		_ = s.files.hide(b.name, v.Key)
	}
	s.files.remove(b.name, v.File)
}

func writeVersion(w http.ResponseWriter, b *bucket, v *record) {
	if b.versioning != "" {
		w.Header().Set("X-Amz-Version-Id", v.VersionID)
	}
}

func writeChecksum(w http.ResponseWriter, v *record) {
	if v.Checksum.Value == "" {
		return
	}
	w.Header().Set(checksumHeader+v.Checksum.Algorithm, v.Checksum.Value)
	w.Header().Set(checksumHeader+"Type", "FULL_OBJECT")
}
