package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// mark says how much of a file is in the lake. It holds no content.
type mark struct {
	File     string    `json:"file"` // relative to the journal's folder
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
	Split    bool      `json:"split,omitempty"`
	Messages int       `json:"messages"`       // messages from its beginning, without a gap
	Done     bool      `json:"done,omitempty"` // these are all of it
}

// journals record which files are already in one lake. Each lies beside the files: in the
// named folder, or in the folder of a named file. Its name begins with a dot, so that it
// is not sent itself. A file that has changed has no mark.
type journals struct {
	name  string // of each journal
	split bool

	mu   sync.Mutex          // files are read ahead of the answers
	open map[string]*journal // by its folder
}

// journal is the journal of a folder: lines of JSON. The last line about a file counts.
type journal struct {
	marks map[string]mark
	file  *os.File // nil until something is written
}

// newJournals returns the journals of a lake and a sender, which key names.
func newJournals(key string, split bool) *journals {
	sum := sha256.Sum256([]byte(key))
	return &journals{name: ".lake-send-" + hex.EncodeToString(sum[:6]) + ".jsonl", split: split, open: map[string]*journal{}}
}

// journaled returns the folder of a file's journal and the file's name relative to it. It
// reports false if the file has no journal.
func journaled(file found) (folder, name string, ok bool) {
	if file.name == "-" || file.err != nil {
		return "", "", false
	}
	folder = file.argument
	if file.name == file.argument {
		folder = filepath.Dir(file.name)
	}
	name, err := filepath.Rel(folder, file.name)
	return folder, name, err == nil
}

// find returns the mark of a file, if the file has not changed since.
func (j *journals) find(file found) (mark, error) {
	folder, name, ok := journaled(file)
	if !ok {
		return mark{}, nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	of, err := j.of(folder)
	if err != nil {
		return mark{}, err
	}
	m := of.marks[name]
	if m.Size != file.size || !m.Modified.Equal(file.modified) || m.Split != j.split {
		return mark{}, nil
	}
	return m, nil
}

// of reads the journal of a folder. The caller holds mu.
func (j *journals) of(folder string) (*journal, error) {
	if known := j.open[folder]; known != nil {
		return known, nil
	}
	of := &journal{marks: map[string]mark{}}
	file, err := os.Open(filepath.Join(folder, j.name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil {
		defer file.Close()
		for lines := bufio.NewScanner(file); lines.Scan(); {
			var m mark
			if json.Unmarshal(lines.Bytes(), &m) == nil { // the last line may have been cut off
				of.marks[m.File] = m
			}
		}
	}
	j.open[folder] = of
	return of, nil
}

// add writes a mark of a file.
func (j *journals) add(file found, messages int, done bool) error {
	folder, name, ok := journaled(file)
	if !ok {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	of, err := j.of(folder)
	if err != nil {
		return err
	}
	if of.file == nil {
		of.file, err = os.OpenFile(filepath.Join(folder, j.name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
	}
	line, err := json.Marshal(mark{name, file.size, file.modified, j.split, messages, done})
	if err != nil {
		return err
	}
	_, err = of.file.Write(append(append([]byte("\n"), line...), '\n')) // on a new line, if the last one was cut off
	return err
}

// close ends writing. If everything was sent, it removes the journals.
func (j *journals) close(allSent bool) (err error) {
	for folder, of := range j.open {
		if of.file != nil {
			err = errors.Join(err, of.file.Close())
		}
		if !allSent {
			continue
		}
		if gone := os.Remove(filepath.Join(folder, j.name)); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	return err
}
