package local

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// logFolder holds one file for each function's output, like a log group.
type logFolder struct {
	dir string

	mu    sync.Mutex
	files map[string]*os.File
	seen  map[string]int64 // how far each file was read by written
}

func newLogFolder(dir string) *logFolder {
	return &logFolder{dir: dir, files: map[string]*os.File{}, seen: map[string]int64{}}
}

// of returns the file of a function, to which all its instances append. If it cannot be
// opened the output is lost, which stops no message.
func (l *logFolder) of(functionName string) io.Writer {
	l.mu.Lock()
	defer l.mu.Unlock()
	if file, open := l.files[functionName]; open {
		return file
	}
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return io.Discard
	}
	file, err := os.OpenFile(l.path(functionName), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return io.Discard
	}
	l.files[functionName] = file
	if info, err := file.Stat(); err == nil {
		l.seen[functionName] = info.Size() // the rest is from an earlier run
	}
	return file
}

// path returns the file of a function's output.
func (l *logFolder) path(functionName string) string {
	return filepath.Join(l.dir, functionName+".log")
}

// logFiles returns the files of the functions' output, by their log groups.
func (l *Lake) logFiles() map[string]string {
	files := map[string]string{}
	for _, f := range l.lambda.Functions() {
		files[f.LogGroup()] = l.logs.path(f.FunctionName)
	}
	return files
}

// written returns what each function has written since the last call: bytes without line
// ends, and lines. It reads the files, so that only the functions write them.
func (l *logFolder) written(tell func(functionName string, size, lines int)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, file := range l.files {
		content, err := os.Open(file.Name())
		if err != nil {
			return err
		}
		size, lines, err := countLines(content, l.seen[name])
		if err = errors.Join(err, content.Close()); err != nil {
			return err
		}
		l.seen[name] += int64(size + lines)
		tell(name, size, lines)
	}
	return nil
}

// countLines counts the complete lines from an offset on, and their bytes without line
// ends.
func countLines(file io.ReadSeeker, from int64) (size, lines int, err error) {
	if _, err := file.Seek(from, io.SeekStart); err != nil {
		return 0, 0, err
	}
	reader := bufio.NewReaderSize(file, 1<<16)
	for length := 0; ; {
		part, err := reader.ReadSlice('\n')
		length += len(part)
		switch {
		case err == nil:
			size, lines, length = size+length-1, lines+1, 0
		case errors.Is(err, io.EOF):
			return size, lines, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return size, lines, err
		}
	}
}

func (l *logFolder) close() (err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, file := range l.files {
		err = errors.Join(err, file.Close())
	}
	return err
}
