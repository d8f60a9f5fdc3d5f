package s3

import (
	"encoding/xml"
	"io"
	"net/http"
	"strconv"

	"go.etcd.io/bbolt"

	"hl7lake/local/wire"
)

// deleted is what a deletion did.
type deleted struct {
	marker    bool   // a delete marker was made, or deleted
	versionID string // of the new marker, or of the deleted version
}

func (s *Service) deleteObject(w http.ResponseWriter, in *request) error {
	id := in.query.Get("versionId")
	if err := s.mayDelete(in, in.key, id); err != nil {
		return err
	}
	d, err := s.delete(in.bucket, in.key, id)
	if err != nil {
		return err
	}
	if d.versionID != "" && in.bucket.versioning != "" {
		w.Header().Set("X-Amz-Version-Id", d.versionID)
		w.Header().Set("X-Amz-Delete-Marker", strconv.FormatBool(d.marker))
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Service) mayDelete(in *request, key, id string) error {
	if id != "" {
		return s.may(in.Context(), "DeleteObjectVersion", in.bucket, key, map[string]string{"s3:VersionId": id})
	}
	return s.may(in.Context(), "DeleteObject", in.bucket, key, nil)
}

// delete hides a key's object behind a delete marker. If id is not empty or the bucket
// has no versions, it removes a version for good. What does not exist counts as deleted.
func (s *Service) delete(b *bucket, key, id string) (deleted, error) {
	lock := b.locks.of(key)
	lock.Lock()
	defer lock.Unlock()
	return s.deleteLocked(b, key, id)
}

func (s *Service) deleteLocked(b *bucket, key, id string) (deleted, error) {
	end, err := b.journal.begin(s.files.intents(), intent{Bucket: b.name, Key: key})
	if err != nil {
		return deleted{}, err
	}
	defer end()
	if id == "" && b.versioning != "" {
		marker := &record{Key: key, Marker: true}
		if err := s.hide(b, key); err != nil {
			return deleted{}, err
		}
		err := s.record(b, marker, false)
		return deleted{true, marker.VersionID}, err
	}
	if id == "" {
		id = nullVersion
	}
	return s.deleteVersion(b, key, id)
}

// hide removes the file under a key.
func (s *Service) hide(b *bucket, key string) error {
	owner, err := s.shownAs(b, key)
	if err != nil || owner != key {
		return err
	}
	return s.files.hide(b.name, key)
}

// deleteVersion removes one version. The newest of the others, if any, becomes the
// current one.
func (s *Service) deleteVersion(b *bucket, key, id string) (deleted, error) {
	var v, next *record
	err := s.store.View(func(tx *bbolt.Tx) (err error) {
		r := b.in(tx)
		v, err = r.version(key, id)
		return err
	})
	if err != nil || v == nil {
		return deleted{versionID: id}, err
	}
	if err := s.hide(b, key); err != nil {
		return deleted{}, err
	}
	err = s.store.Update(func(tx *bbolt.Tx) (err error) {
		r := b.in(tx)
		if next, err = r.remove(v); err != nil || next != nil && !next.Marker {
			return err
		}
		if string(r.paths.Get(fold(key))) == key {
			return r.paths.Delete(fold(key))
		}
		return nil
	})
	if err == nil && !v.Marker {
		s.files.remove(b.name, v.File)
	}
	if err == nil && next != nil && !next.Marker {
		_, err = s.show(b, next)
	}
	return deleted{v.Marker, id}, err
}

type deleteRequest struct {
	Object []struct{ Key, VersionId string }
	Quiet  bool
}

type deletedEntry struct {
	Key                   string
	VersionId             string `xml:",omitempty"`
	DeleteMarker          bool   `xml:",omitempty"`
	DeleteMarkerVersionId string `xml:",omitempty"`
}

type deleteError struct{ Key, VersionId, Code, Message string }

func (s *Service) deleteObjects(w http.ResponseWriter, in *request) error {
	const most = 1000
	var request deleteRequest
	text, err := io.ReadAll(http.MaxBytesReader(w, in.Body, most*4*maxKey))
	if err != nil || xml.Unmarshal(text, &request) != nil || len(request.Object) == 0 || len(request.Object) > most {
		return wire.Errorf("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	out := struct {
		XMLName xml.Name `xml:"DeleteResult"`
		Deleted []deletedEntry
		Error   []deleteError
	}{}
	for _, object := range request.Object {
		err := s.mayDelete(in, object.Key, object.VersionId)
		var d deleted
		if err == nil {
			d, err = s.delete(in.bucket, object.Key, object.VersionId)
		}
		switch {
		case err != nil:
			a := wire.AsError(err)
			out.Error = append(out.Error, deleteError{object.Key, object.VersionId, a.Code, a.Message})
		case !request.Quiet:
			entry := deletedEntry{Key: object.Key, VersionId: object.VersionId, DeleteMarker: d.marker}
			if d.marker {
				entry.DeleteMarkerVersionId = d.versionID
			}
			out.Deleted = append(out.Deleted, entry)
		}
	}
	writeXML(w, http.StatusOK, out)
	return nil
}
