package s3

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/google/uuid"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"hl7lake/local/store"
)

// files are the contents in a folder.
type files struct {
	dir   string
	store *store.Store // whose durability the files have too
}

const (
	objectsDir = ".objects" // no bucket's name begins with a dot
	linksDir   = ".links"
	intentsDir = ".intents"
)

// shards is how many folders a bucket's contents are spread over.
const shards = 16

// durable reports whether a file is on the disk before its record is written.
func (f files) durable() bool { return f.store.Durability() == store.Durable }

// intents is the folder of changes under way.
func (f files) intents() string { return filepath.Join(f.dir, intentsDir) }

func (f files) createBucket(name string) error {
	for _, shared := range []string{linksDir, intentsDir} {
		if err := os.MkdirAll(filepath.Join(f.dir, shared), 0o700); err != nil {
			return err
		}
	}
	for shard := range shards {
		if err := os.MkdirAll(filepath.Join(f.dir, objectsDir, name, fmt.Sprintf("%x", shard)), 0o700); err != nil {
			return err
		}
	}
	return os.MkdirAll(filepath.Join(f.dir, name), 0o700)
}

// create makes a file for a content of the bucket. No record names it yet, so nobody
// reads it while it is written. Afterwards nobody may write to it.
func (f files) create(bucket string) (*os.File, error) {
	return os.OpenFile(f.content(bucket, uuid.NewString()), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o400)
}

// content returns the path of a content's file. Its name is a UUID, whose last digit is
// its shard.
func (f files) content(bucket, file string) string {
	return filepath.Join(f.dir, objectsDir, bucket, file[len(file)-1:], file)
}

// keep closes a written content and returns its name. A durable one is then on the disk:
// the file systems in use write a new file's name together with its content.
func (f files) keep(content *os.File) (file string, err error) {
	if f.durable() {
		err = content.Sync()
	}
	if err = errors.Join(err, content.Close()); err != nil {
		_ = os.Remove(content.Name())
		return "", err
	}
	return filepath.Base(content.Name()), nil
}

// discard removes a content that is not needed after all.
func discard(content *os.File) {
	_ = content.Close()
	_ = os.Remove(content.Name())
}

// remove deletes a content that no record names any more. What cannot be deleted takes up
// space and does no other harm.
func (f files) remove(bucket, file string) { _ = os.Remove(f.content(bucket, file)) }

// show puts a content's file under its key, in place of the present one. shown is false
// if a folder is in the way, or a file where a folder is needed.
func (f files) show(bucket, key, file string) (shown bool, err error) {
	path := f.path(bucket, key)
	if os.Link(f.content(bucket, file), path) == nil {
		return true, nil // the common case: a new key in an existing folder
	}
	link := filepath.Join(f.dir, linksDir, uuid.NewString())
	if err := linkOrCopy(f.content(bucket, file), link); err != nil {
		return false, err
	}
	defer os.Remove(link) // already gone if everything went well
	const attempts = 10   // the deletion of a neighbour may remove the folder again
	for range attempts {
		if err = os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
			err = os.Rename(link, path)
		}
		if !errors.Is(err, os.ErrNotExist) {
			break
		}
	}
	if err != nil && blocked(f.path(bucket, ""), path) {
		return false, nil
	}
	return err == nil, err
}

// blocked reports whether path cannot be a file: it is a folder, or one of its folders is
// a file.
func blocked(root, path string) bool {
	if info, err := os.Stat(path); err == nil {
		return info.IsDir()
	}
	for at := filepath.Dir(path); len(at) > len(root); at = filepath.Dir(at) {
		if info, err := os.Stat(at); err == nil {
			return !info.IsDir()
		}
	}
	return false
}

// linkOrCopy copies if the file system has no links.
func linkOrCopy(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, os.ErrNotExist) {
		return err
	}
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o400)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

// hide removes the file under a key, and the folders that become empty. If another key's
// file or folder has taken its place, there is none.
func (f files) hide(bucket, key string) error {
	path := f.path(bucket, key)
	err := os.Remove(path)
	switch {
	case err == nil, errors.Is(err, os.ErrNotExist):
	case blocked(f.path(bucket, ""), path):
		return nil
	default:
		return err
	}
	for at := filepath.Dir(path); len(at) > len(f.path(bucket, "")); at = filepath.Dir(at) {
		if os.Remove(at) != nil {
			break // it is not empty
		}
	}
	return nil
}

func (f files) path(bucket, key string) string {
	return filepath.Join(f.dir, bucket, filepath.FromSlash(key))
}

// showable reports whether a key makes a path that every common file system accepts.
func showable(key string) bool {
	const longest = 255 // bytes in a name
	if strings.ContainsAny(key, `\:*?"<>|`) {
		return false
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "" || len(segment) > longest || segment[0] == '.' || strings.HasSuffix(segment, ".") ||
			strings.IndexFunc(segment, func(r rune) bool { return r < ' ' || r == 0x7f }) >= 0 {
			return false
		}
	}
	return true
}

// fold returns the same text for keys that some file system would take for one path.
func fold(key string) []byte { return []byte(cases.Fold().String(norm.NFC.String(key))) }

// keyLocks let one writer at a time work on a key, and on those that fold to the same
// text.
type keyLocks [64]sync.Mutex

// of returns the lock of a key, which it may share with others.
func (l *keyLocks) of(key string) *sync.Mutex {
	hash := fnv.New32a()
	_, _ = hash.Write(fold(key)) // never fails
	return &l[hash.Sum32()%uint32(len(l))]
}
