package s3

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"
)

// intent says that a key's file is about to change. It is written before the change, so
// that a service that was killed during it knows at the next start which files to compare
// with the records.
type intent struct {
	Bucket, Key string
	File        string // the new content, if there is one
}

// journal is where a bucket's intents are written: a line each in a file that is emptied
// when no intent is under way, and followed by another file when it has grown. Its zero
// value writes to the folder that begin is given.
type journal struct {
	mu      sync.Mutex
	current *journalFile
}

type journalFile struct {
	*os.File
	size     int // in bytes
	underWay int // intents that have begun and not ended
}

// journalSize is the size of a file after which the next one begins. The next start
// compares what is in a bucket's files with the records.
const journalSize = 16 << 10

// begin writes an intent, and returns the function that ends it.
func (j *journal) begin(dir string, i intent) (end func(), err error) {
	text, err := json.Marshal(i)
	if err != nil {
		return nil, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.current == nil || j.current.size > journalSize {
		file, err := os.OpenFile(filepath.Join(dir, uuid.NewString()), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return nil, err
		}
		j.current = &journalFile{File: file}
	}
	file := j.current
	written, err := file.Write(append(text, '\n'))
	file.size += written
	if err != nil {
		return nil, err
	}
	file.underWay++
	return func() { j.end(file) }, nil
}

// end gives up a file that holds no intent under way. One that stays is found again, and
// then there is nothing to do.
func (j *journal) end(file *journalFile) {
	j.mu.Lock()
	defer j.mu.Unlock()
	file.underWay--
	switch {
	case file.underWay > 0:
	case file != j.current:
		_ = file.Close()
		_ = os.Remove(file.Name())
	case file.Truncate(0) == nil:
		file.size = 0
	}
}

// settle brings the files of a bucket in line with its records, if intents were left
// behind. A file of intents is of one bucket.
func (s *Service) settle(b *bucket) error {
	dir := s.files.intents()
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		text, readErr := os.ReadFile(path)
		if err = errors.Join(err, readErr); err != nil {
			return err
		}
		ours := true
		for line := range bytes.Lines(text) {
			var i intent
			if json.Unmarshal(line, &i) != nil { // it was cut off, so nothing had begun
				continue
			}
			if ours = i.Bucket == b.name; !ours {
				break
			}
			err = errors.Join(err, s.settleKey(b, i))
		}
		if ours {
			err = errors.Join(err, os.Remove(path))
		}
	}
	return err
}

// settleKey shows a key's newest version, or hides it if there is none, and removes the
// intended content if it did not become a version.
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
