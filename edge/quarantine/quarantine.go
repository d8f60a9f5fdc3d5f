// Package quarantine keeps the messages that a lake has refused for good, each in a file
// of its own, until a person has decided about them. Their contents are encrypted. The
// rest of a file is readable and holds nothing of the contents.
//
// The files can be listed and removed while the edge runs: each appears completely, and
// under a name of its own.
package quarantine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"hl7lake/edge/queue"
)

// ErrDamaged says that a file is not what was written.
var ErrDamaged = errors.New("the file is damaged")

// An Entry says which message was refused, and why.
type Entry struct {
	Name     string    `json:"name"` // of the file, without its suffix; set by Add
	Listener string    `json:"listener"`
	Received time.Time `json:"received"`
	Refused  time.Time `json:"refused"`
	Status   int       `json:"status"`         // of the lake's answer
	Code     string    `json:"code,omitempty"` // of the lake's answer
	Detail   string    `json:"detail"`         // in the lake's words
	Size     int       `json:"size"`           // of the message, in bytes
}

// Folder is the folder of a quarantine.
type Folder struct {
	path string
	key  queue.Key
}

const suffix = ".refused"

// Open returns the quarantine in the folder at path, and creates that if necessary.
func Open(path string, key queue.Key) (Folder, error) {
	return Folder{path, key}, os.MkdirAll(path, 0o700)
}

// Add stores a message, and returns once it is safe on disk. The id makes its name
// unique. A message that already exists is written again.
func (f Folder) Add(e Entry, id uint64, body []byte) error {
	e.Name, e.Size = fmt.Sprintf("%s-%s-%d", e.Received.UTC().Format("20060102T150405.000"), e.Listener, id), len(body)
	head, err := json.Marshal(e)
	if err != nil {
		return err
	}
	content := append(append(head, '\n'), f.key.Seal(body, e.Name)...)
	file, err := os.CreateTemp(f.path, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), f.file(e.Name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return f.sync()
}

// List returns what there is, the oldest first.
func (f Folder) List() (entries []Entry, err error) {
	names, err := f.names()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		e, _, err := f.read(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // another process has removed it
		}
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// Usage returns how many messages there are and how many bytes their files have.
func (f Folder) Usage() (u queue.Usage, err error) {
	names, err := f.names()
	if err != nil {
		return u, err
	}
	for _, name := range names {
		info, err := os.Stat(f.file(name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return u, err
		}
		u.Messages++
		u.Bytes += info.Size()
	}
	return u, nil
}

// Read returns a message. The error wraps [fs.ErrNotExist] if there is none of that name,
// [ErrDamaged] or [queue.ErrWrongKey].
func (f Folder) Read(name string) (Entry, []byte, error) {
	if name != filepath.Base(name) {
		return Entry{}, nil, fmt.Errorf("%q: %w", name, fs.ErrNotExist)
	}
	e, sealed, err := f.read(name)
	if err != nil {
		return Entry{}, nil, err
	}
	body, err := f.key.Open(sealed, e.Name)
	if err != nil {
		return Entry{}, nil, fmt.Errorf("%s: %w", name, err)
	}
	return e, body, nil
}

// Remove removes a message.
func (f Folder) Remove(name string) error {
	if err := os.Remove(f.file(name)); err != nil {
		return err
	}
	return f.sync()
}

func (f Folder) read(name string) (e Entry, sealed []byte, err error) {
	content, err := os.ReadFile(f.file(name))
	if err != nil {
		return e, nil, err
	}
	head, sealed, found := bytes.Cut(content, []byte("\n"))
	if !found || json.Unmarshal(head, &e) != nil || e.Name != name {
		return e, nil, fmt.Errorf("%s: %w", f.file(name), ErrDamaged)
	}
	return e, sealed, nil
}

func (f Folder) file(name string) string { return filepath.Join(f.path, name+suffix) }

// names returns those of all messages, in their order.
func (f Folder) names() (names []string, err error) {
	files, err := os.ReadDir(f.path)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if name, ok := strings.CutSuffix(file.Name(), suffix); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

func (f Folder) sync() error {
	folder, err := os.Open(f.path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
