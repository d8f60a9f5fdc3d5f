package main

import (
	"archive/zip"
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hl7lake/cmd/lake/internal/term"
)

// found is a file to read, or the reason why it cannot be read.
type found struct {
	name     string
	argument string // the command line's argument that led to it
	size     int64  // of the file on disk; 0 if not known
	modified time.Time
	regular  bool // and not a pipe or device
	err      error
}

// emptyError says that a named input holds no message, and what it holds instead.
type emptyError struct {
	name  string
	holds string
}

func (e *emptyError) Error() string {
	return term.OnOneLine(e.name) + ": no HL7 message: " + e.holds
}

// walk yields the files, and those in the folders, in the order of their names. It
// follows links, except into a folder that it is already in. In folders it leaves out
// names that begin with a dot. A folder without a file is an error.
func walk(names []string) iter.Seq[found] {
	return func(yield func(found) bool) {
		for _, name := range names {
			w := walker{argument: name, yield: yield}
			if name == "-" {
				if !yield(found{name: name, argument: name}) {
					return
				}
				continue
			}
			if !w.visit(name, nil) || w.files == 0 && !yield(found{name: name, argument: name, err: &emptyError{name, w.none()}}) {
				return
			}
		}
	}
}

// walker walks through one argument.
type walker struct {
	argument string
	yield    func(found) bool
	files    int // files and errors that were yielded
	hidden   int // names left out
}

// visit yields a file or the files in a folder, and reports whether to go on. folders are
// those on the way to it.
func (w *walker) visit(path string, folders []fs.FileInfo) bool {
	info, err := os.Stat(path) // of the file that a link leads to
	if err != nil || !info.IsDir() {
		w.files++
		next := found{name: path, argument: w.argument, err: err}
		if err == nil {
			next.size, next.modified, next.regular = info.Size(), info.ModTime(), info.Mode().IsRegular()
		}
		return w.yield(next)
	}
	for _, folder := range folders {
		if os.SameFile(folder, info) {
			return true
		}
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		w.files++
		return w.yield(found{name: path, argument: w.argument, err: err})
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			w.hidden++
			continue
		}
		if !w.visit(filepath.Join(path, entry.Name()), append(folders, info)) {
			return false
		}
	}
	return true
}

func (w *walker) none() string {
	if w.hidden > 0 {
		return "only names that begin with a dot, which are left out"
	}
	return "an empty folder"
}

// content is what one file holds, or one of the files in an archive.
type content struct {
	name  string
	input *bufio.Reader
	plain bool  // of the file on disk, to which its offsets belong
	err   error // why it cannot be read: a *fs.PathError or an *emptyError
}

// contents yields what is in a file, depending on its first bytes: the original of a gzip
// file, each file in a zip archive, or else the file itself. It calls passed with the
// bytes of the file that are used up.
func (p *program) contents(file found, passed func(int64)) iter.Seq[content] {
	return func(yield func(content) bool) {
		source, err := p.open(file.name)
		if err != nil {
			yield(content{name: file.name, err: err})
			return
		}
		defer source.Close()
		front := bufio.NewReaderSize(&passingReader{source, passed}, readAhead)
		if archive, is := source.(*os.File); is && begins(front, "PK\x03\x04", "PK\x05\x06") && file.regular {
			archived(archive, file, passed, yield)
			return
		}
		yield(unpacked(file.name, front))
	}
}

// open opens a file; - is standard input.
func (p *program) open(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(p.in), nil
	}
	return os.Open(name)
}

const readAhead = 64 << 10

// begins reports whether the input begins with one of these.
func begins(r *bufio.Reader, marks ...string) bool {
	for _, mark := range marks {
		if front, _ := r.Peek(len(mark)); string(front) == mark {
			return true
		}
	}
	return false
}

// unpacked returns the content of what may be a gzip file (RFC 1952, 2.3.1).
func unpacked(name string, front *bufio.Reader) content {
	if !begins(front, "\x1f\x8b\x08") {
		return content{name: name, input: front, plain: true}
	}
	inner, err := gzip.NewReader(front)
	if err != nil {
		return content{name: name, err: &fs.PathError{Op: opUnpack, Path: name, Err: err}}
	}
	return content{name: name, input: bufio.NewReaderSize(&packedReader{name, inner}, readAhead)}
}

// opUnpack is the operation of an error about a compressed file.
const opUnpack = "unpack"

// archived yields the files in a zip archive, in the archive's order.
func archived(archive *os.File, file found, passed func(int64), yield func(content) bool) {
	broken := func(err error) content {
		return content{name: file.name, err: &fs.PathError{Op: opUnpack, Path: file.name, Err: err}}
	}
	list, err := zip.NewReader(archive, file.size)
	if err != nil {
		yield(broken(err))
		return
	}
	files := 0
	for _, entry := range list.File {
		if entry.FileInfo().IsDir() || hidden(entry.Name) {
			continue
		}
		files++
		name := file.name + "/" + entry.Name
		source, err := entry.Open()
		if err != nil {
			if !yield(content{name: name, err: &fs.PathError{Op: opUnpack, Path: name, Err: err}}) {
				return
			}
			continue
		}
		inner := unpacked(name, bufio.NewReaderSize(&packedReader{name, source}, readAhead))
		inner.plain = false
		more := yield(inner)
		source.Close()
		passed(int64(entry.CompressedSize64))
		if !more {
			return
		}
	}
	if files == 0 {
		yield(content{name: file.name, err: &emptyError{file.name, "an empty archive"}})
	}
}

// hidden reports whether a name in an archive is left out: one that is also left out of
// folders, or a file that macOS adds.
func hidden(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") || part == "__MACOSX" {
			return true
		}
	}
	return false
}

// packedReader adds the file's name to errors of its compression.
type packedReader struct {
	name string
	r    io.Reader
}

func (p *packedReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if _, named := errors.AsType[*fs.PathError](err); err != nil && !errors.Is(err, io.EOF) && !named {
		err = &fs.PathError{Op: opUnpack, Path: p.name, Err: err}
	}
	return n, err
}

// passingReader reports how much was read.
type passingReader struct {
	r      io.Reader
	passed func(int64)
}

func (p *passingReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.passed(int64(n))
	return n, err
}

// unreadable reports whether an error is about a file, and not about the lake.
func unreadable(err error) bool {
	_, is := errors.AsType[*fs.PathError](err)
	return is
}

// readError adds the file's name to an error that lacks it.
func readError(name string, err error) error {
	if unreadable(err) {
		return err
	}
	return &fs.PathError{Op: "read", Path: name, Err: err}
}
