package s3

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"
)

// intent says that a key's file is about to change. It is a file of its own,
// made before the change and removed after it, so that a service that was
// killed between the two knows, when it starts again, which files to compare
// with the records.
type intent struct {
	Bucket, Key string
	File        string // the new content, if there is one
}

// begin writes an intent, and returns what removes it.
func (f files) begin(i intent) (end func(), err error) {
	text, err := json.Marshal(i)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(f.dir, intentsDir, uuid.NewString())
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return nil, err
	}
	// One that stays is found again, and then there is nothing to do.
	return func() { _ = os.Remove(path) }, nil
}

// settle brings the files of a bucket in line with its records, where intents
// were left behind.
func (s *Service) settle(b *bucket) error {
	dir := filepath.Join(s.files.dir, intentsDir)
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		text, readErr := os.ReadFile(path)
		if err = errors.Join(err, readErr); err != nil {
			return err
		}
		var i intent
		if json.Unmarshal(text, &i) != nil { // it was cut off, so nothing had begun
			err = os.Remove(path)
		} else if i.Bucket == b.name {
			err = errors.Join(s.settleKey(b, i), os.Remove(path))
		}
	}
	return err
}

// settleKey shows a key's newest version, or hides what is none, and removes
// the intended content if it did not become a version.
func (s *Service) settleKey(b *bucket, i intent) error {
	var latest *record
	var used bool
	err := s.store.View(func(tx *bbolt.Tx) (err error) {
		r := b.in(tx)
		if latest, err = r.latest(i.Key); err == nil {
			used, err = r.uses(i.Key, i.File)
		}
		return err
	})
	if err != nil {
		return err
	}
	if i.File != "" && !used {
		s.files.remove(b.name, i.File)
	}
	if latest != nil && !latest.Marker {
		_, err = s.show(b, latest)
		return err
	}
	owner, err := s.shownAs(b, i.Key)
	if err != nil || owner != "" && owner != i.Key || !showable(i.Key) || blocked(s.files.path(b.name, ""), s.files.path(b.name, i.Key)) {
		return err
	}
	return s.files.hide(b.name, i.Key)
}
