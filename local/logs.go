package local

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// logFolder holds one file for each function's output, as a log group does.
type logFolder struct {
	dir string

	mu    sync.Mutex
	files map[string]*os.File
}

func newLogFolder(dir string) *logFolder {
	return &logFolder{dir: dir, files: map[string]*os.File{}}
}

// of returns the file of a function, which all its instances append to. Where
// it cannot be opened the output is lost, which stops no message.
func (l *logFolder) of(functionName string) io.Writer {
	l.mu.Lock()
	defer l.mu.Unlock()
	if file, open := l.files[functionName]; open {
		return file
	}
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return io.Discard
	}
	file, err := os.OpenFile(filepath.Join(l.dir, functionName+".log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return io.Discard
	}
	l.files[functionName] = file
	return file
}

func (l *logFolder) close() (err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, file := range l.files {
		err = errors.Join(err, file.Close())
	}
	return err
}
