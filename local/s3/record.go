package s3

import (
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"
)

// In the store each bucket has a bucket in the bucket "s3" with
//   - versions: all versions' records, by key and, within it, newest first;
//   - current: the number of each key's newest version, unless that is a delete
//     marker;
//   - paths: the keys that have a file under their own name, by that name with
//     case folded;
//   - ages: the keys that expire, by when they do.
var (
	rootBucket     = []byte("s3")
	versionsBucket = []byte("versions")
	currentBucket  = []byte("current")
	pathsBucket    = []byte("paths")
	agesBucket     = []byte("ages")
)

// nullVersion is the version id of what was written without versioning.
const nullVersion = "null"

// record is one version of an object, or a delete marker.
type record struct {
	Key       string `json:"-"`
	Number    uint64 `json:"-"` // grows with each version in the bucket
	VersionID string
	Modified  time.Time
	Marker    bool `json:",omitempty"` // a delete marker, for which the rest is empty

	File     string            `json:",omitempty"` // its content's
	Size     int64             `json:",omitempty"`
	ETag     string            `json:",omitempty"` // without quotes
	Headers  map[string]string `json:",omitempty"` // Content-Type, …, X-Amz-Meta-*
	Checksum checksum          `json:",omitzero"`
}

// records are a bucket's records within a transaction.
type records struct {
	versions, current, paths, ages *bbolt.Bucket
}

func createRecords(tx *bbolt.Tx, name string) error {
	root, err := tx.CreateBucketIfNotExists(rootBucket)
	if err != nil {
		return err
	}
	bucket, err := root.CreateBucketIfNotExists([]byte(name))
	if err != nil {
		return err
	}
	for _, inner := range [][]byte{versionsBucket, currentBucket, pathsBucket, agesBucket} {
		if _, err := bucket.CreateBucketIfNotExists(inner); err != nil {
			return err
		}
	}
	return nil
}

func (b *bucket) in(tx *bbolt.Tx) records {
	bucket := tx.Bucket(rootBucket).Bucket([]byte(b.name))
	return records{
		bucket.Bucket(versionsBucket), bucket.Bucket(currentBucket), bucket.Bucket(pathsBucket), bucket.Bucket(agesBucket),
	}
}

// versionKey returns the key of a version's record. An object's key holds no zero byte.
// The number is inverted, so that the newest comes first.
func versionKey(key string, number uint64) []byte {
	return binary.BigEndian.AppendUint64(append([]byte(key), 0x00), ^number)
}

// numberSize is the length of what versionKey adds to a key.
const numberSize = 9

func readRecord(at, text []byte) (*record, error) {
	r := new(record)
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("an object's record cannot be read: %w", err)
	}
	r.Key = string(at[:len(at)-numberSize])
	r.Number = ^binary.BigEndian.Uint64(at[len(at)-8:])
	return r, nil
}

// newVersionID returns an opaque id from which number can be read.
func newVersionID(number uint64) string {
	random := uuid.New()
	return base32.HexEncoding.WithPadding(base32.NoPadding).
		EncodeToString(append(binary.BigEndian.AppendUint64(nil, number), random[:12]...))
}

func versionNumber(id string) (uint64, bool) {
	text, err := base32.HexEncoding.WithPadding(base32.NoPadding).DecodeString(id)
	if err != nil || len(text) < 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(text), true
}

// latest returns a key's newest version, which may be a delete marker, or nil.
func (r records) latest(key string) (*record, error) {
	return r.first(key, func(*record) bool { return true })
}

// version returns the version of a key with an id, or nil.
func (r records) version(key, id string) (*record, error) {
	if id == nullVersion {
		return r.null(key)
	}
	number, ok := versionNumber(id)
	if !ok {
		return nil, nil
	}
	at := versionKey(key, number)
	text := r.versions.Get(at)
	if text == nil {
		return nil, nil
	}
	found, err := readRecord(at, text)
	if err != nil || found.VersionID != id {
		return nil, err
	}
	return found, nil
}

// null returns a key's null version, or nil. It looks through the key's versions.
func (r records) null(key string) (*record, error) {
	return r.first(key, func(v *record) bool { return v.VersionID == nullVersion })
}

// uses reports whether a version of the key has its content in file.
func (r records) uses(key, file string) (bool, error) {
	v, err := r.first(key, func(v *record) bool { return v.File == file })
	return v != nil, err
}

// first returns the newest of a key's versions that matches, or nil.
func (r records) first(key string, matches func(*record) bool) (*record, error) {
	prefix := append([]byte(key), 0x00)
	cursor := r.versions.Cursor()
	for at, text := cursor.Seek(prefix); len(at) == len(prefix)+8 && string(at[:len(prefix)]) == string(prefix); at, text = cursor.Next() {
		v, err := readRecord(at, text)
		if err != nil || matches(v) {
			return v, err
		}
	}
	return nil, nil
}

// add writes a new version, gives it a number and an id, and returns the null version
// that it replaces, if any.
func (r records) add(v *record, versioning string) (replaced *record, err error) {
	if versioning != "Enabled" {
		if replaced, err = r.null(v.Key); err != nil {
			return nil, err
		}
	}
	if v.Number, err = r.versions.NextSequence(); err != nil {
		return nil, err
	}
	v.VersionID = nullVersion
	if versioning == "Enabled" {
		v.VersionID = newVersionID(v.Number)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if replaced != nil {
		if err := r.versions.Delete(versionKey(replaced.Key, replaced.Number)); err != nil {
			return nil, err
		}
	}
	if err := r.versions.Put(versionKey(v.Key, v.Number), text); err != nil {
		return nil, err
	}
	return replaced, r.point(v.Key, v)
}

// point makes latest, which may be nil or a delete marker, the current version.
func (r records) point(key string, latest *record) error {
	if latest == nil || latest.Marker {
		return r.current.Delete([]byte(key))
	}
	return r.current.Put([]byte(key), binary.BigEndian.AppendUint64(nil, latest.Number))
}

// remove deletes one version and returns the newest of the rest, or nil.
func (r records) remove(v *record) (latest *record, err error) {
	if err := r.versions.Delete(versionKey(v.Key, v.Number)); err != nil {
		return nil, err
	}
	if latest, err = r.latest(v.Key); err != nil {
		return nil, err
	}
	return latest, r.point(v.Key, latest)
}

// at returns the record that an entry of current points to.
func (r records) at(key, number []byte) (*record, error) {
	at := versionKey(string(key), binary.BigEndian.Uint64(number))
	return readRecord(at, r.versions.Get(at))
}
