package hub

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
)

// readSize is how much of a source is read at once, in bytes.
const readSize = 64 << 10

// Stream is the body of an event for a reader who need not hold all of it. It is an
// io.ReadSeeker, so that what is sent from it can be sent again. It can seek only to its
// start, and to its end to learn its size. It is not safe for concurrent use.
//
// Its last bytes are returned only when all of them are known to be what the publisher
// wrote. A copy of known size that is made from other content therefore stays incomplete,
// and the reader gets ErrContent.
type Stream struct {
	size   int64
	sha256 [sha256.Size]byte
	source func() (io.ReadCloser, error)

	open   io.Closer // the source that is being read; nil before the first read
	reader *bufio.Reader
	at     int64 // how much of it was read
	sum    hash.Hash
	err    error // of the last read, kept for the next
}

func newStream(size int64, sum [sha256.Size]byte, source func() (io.ReadCloser, error)) *Stream {
	return &Stream{size: size, sha256: sum, source: source}
}

// streamOf returns the stream of a body in memory.
func streamOf(body []byte) *Stream {
	return newStream(int64(len(body)), sha256.Sum256(body), func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(body)), nil
	})
}

// Size returns the size of the whole body in bytes.
func (s *Stream) Size() int64 { return s.size }

// SHA256 returns the hash of the whole body.
func (s *Stream) SHA256() [sha256.Size]byte { return s.sha256 }

// Err returns the error of the last read, other than io.EOF; nil for none. It tells a
// caller who passed the stream on why a copy failed.
func (s *Stream) Err() error { return s.err }

// Read implements io.Reader.
func (s *Stream) Read(p []byte) (int, error) {
	switch {
	case s.err != nil:
		return 0, s.err
	case s.at == s.size:
		return 0, io.EOF // the last read saw that the body is complete and correct
	}
	n, err := s.read(p[:min(int64(len(p)), s.size-s.at)])
	s.err = err
	return n, err
}

func (s *Stream) read(p []byte) (int, error) {
	if err := s.begin(); err != nil {
		return 0, err
	}
	n, err := s.reader.Read(p)
	s.sum.Write(p[:n])
	s.at += int64(n)
	switch {
	case s.at == s.size && (err == nil || errors.Is(err, io.EOF)):
		return s.last(n)
	case errors.Is(err, io.EOF):
		return 0, ErrContent // it is too short
	case err != nil:
		return 0, fmt.Errorf("claim check: %w", err)
	}
	return n, nil
}

// last returns the last n bytes if the body with them is what it should be.
func (s *Stream) last(n int) (int, error) {
	switch _, err := s.reader.ReadByte(); {
	case err == nil || [sha256.Size]byte(s.sum.Sum(nil)) != s.sha256:
		return 0, ErrContent
	case !errors.Is(err, io.EOF):
		return 0, fmt.Errorf("claim check: %w", err)
	}
	return n, nil
}

// begin opens the source, unless it is open.
func (s *Stream) begin() error {
	if s.open != nil {
		return nil
	}
	source, err := s.source()
	if err != nil {
		return err
	}
	s.open, s.reader, s.at, s.sum = source, bufio.NewReaderSize(source, readSize), 0, sha256.New()
	return nil
}

var errSeek = errors.New("hub: a stream is read from its start")

// Seek implements io.Seeker, for the positions that the AWS SDK asks for.
func (s *Stream) Seek(offset int64, whence int) (int64, error) {
	switch {
	case offset == 0 && whence == io.SeekCurrent:
		return s.at, nil
	case offset == 0 && whence == io.SeekEnd:
		return s.size, nil // a caller who asks for the size goes back before reading
	case whence != io.SeekStart || offset != 0 && offset != s.at:
		return 0, errSeek
	case offset == s.at && s.err == nil:
		return s.at, nil
	}
	return 0, s.Close()
}

// Close closes the source. A read after it begins again.
func (s *Stream) Close() error {
	s.at, s.err = 0, nil
	if s.open == nil {
		return nil
	}
	err := s.open.Close()
	s.open, s.reader, s.sum = nil, nil, nil
	return err
}
