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
	File     string    `json:"file"` // from the journal's folder
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
	Split    bool      `json:"split,omitempty"`
	Messages int       `json:"messages"`       // from its beginning on, one after the other
	Done     bool      `json:"done,omitempty"` // they are all of it
}

// journals say what of the files is in one lake already. Each lies beside the files: in the
// folder that was named, or in that of a file that was. Its name begins with a dot, so that
// it is not sent itself. A file that changed has no mark.
type journals struct {
	name  string // of each
	split bool

	mu   sync.Mutex          // files are read ahead of the answers
	open map[string]*journal // by its folder
}

// journal is the one of a folder: lines of JSON, of which the last about a file holds.
type journal struct {
	marks map[string]mark
	file  *os.File // nil until something is written
}

// newJournals are those of a lake and a sender, which key names.
func newJournals(key string, split bool) *journals {
	sum := sha256.Sum256([]byte(key))
	return &journals{name: ".lake-send-" + hex.EncodeToString(sum[:6]) + ".jsonl", split: split, open: map[string]*journal{}}
}

// journaled is the folder of a file's journal and the file's name from there; false of
// what has none.
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

// find is the mark of a file, if it is as it was then.
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
	_, err = of.file.Write(append(append([]byte("\n"), line...), '\n')) // on a line of its own, if the last one was cut off
	return err
}

// close ends writing. Where all is sent, the journals are of no more use.
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
