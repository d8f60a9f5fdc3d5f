// Package mllp puts HL7 messages into the frames of the Minimal Lower Layer Protocol and
// takes them out again: VT, the message, FS and CR (HL7 Transport Specification: MLLP,
// 2). Both ends of a connection use it.
//
// It knows where a frame begins and ends, and nothing about its content: package hl7
// reads that. [hl7.Reader] also splits captures of frames, but it reads beyond a frame
// before it returns it. On a connection nothing more comes before the answer is sent.
package mllp

import (
	"bytes"
	"errors"
	"io"
)

const (
	begin = 0x0b // VT
	end   = 0x1c // FS, followed by CR
	cr    = '\r'
	lf    = '\n'
)

// ErrTooLarge says that a frame exceeds the limit of its Reader.
var ErrTooLarge = errors.New("the frame is larger than the limit")

// AppendFrame appends a frame of the content to dst.
func AppendFrame(dst, content []byte) []byte {
	dst = append(dst, begin)
	dst = append(dst, content...)
	return append(dst, end, cr)
}

const (
	readSize  = 4 << 10
	leastRead = 512
	keptSize  = 64 << 10 // a buffer that grew for a large frame is given up
	keptHead  = 4 << 10  // of a frame that is too large
)

// A Reader reads the frames of a stream. It skips what is between frames and counts it. A
// frame ends with FS and CR. FS with LF, or FS before the VT of the next frame, ends one
// too, because some senders write it. Any other FS is part of the content.
type Reader struct {
	r     io.Reader
	limit int
	err   error // r's error, kept until buf is used up

	buf     []byte // read, and not yet passed
	passed  int    // of buf: the frame that Next has returned
	skipped int64
}

// NewReader returns a Reader of the frames in r, each of limit bytes at most.
func NewReader(r io.Reader, limit int) *Reader { return &Reader{r: r, limit: limit} }

// Skipped returns how many bytes outside frames there were so far, without line ends.
func (r *Reader) Skipped() int64 { return r.skipped }

// Next returns the content of the next frame, which is valid until the next call. The
// error is [io.EOF] if the stream ends between frames, [io.ErrUnexpectedEOF] if it ends
// within one, [ErrTooLarge] with the first bytes of the content after such a frame has
// ended, and otherwise the error of the stream.
func (r *Reader) Next() ([]byte, error) {
	r.pass(r.passed)
	r.passed = 0
	if err := r.findBegin(); err != nil {
		return nil, err
	}
	for from := 1; ; {
		content, length, next := r.findEnd(from)
		switch {
		case content >= 0 && content-1 <= r.limit:
			r.passed = length
			return r.buf[1:content:content], nil
		case content >= 0 || len(r.buf)-1 > r.limit+1:
			return r.passLarge(from)
		}
		from = next
		if err := r.fill(); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
}

// findBegin skips everything before the next VT.
func (r *Reader) findBegin() error {
	for {
		at := bytes.IndexByte(r.buf, begin)
		noise := r.buf
		if at >= 0 {
			noise = r.buf[:at]
		}
		for _, c := range noise {
			if c != cr && c != lf {
				r.skipped++
			}
		}
		r.pass(len(noise))
		if at >= 0 {
			return nil
		}
		if err := r.fill(); err != nil {
			return err
		}
	}
}

// findEnd returns where the content ends and how long the frame is. It returns -1 if buf
// does not hold the end, and then where to continue.
func (r *Reader) findEnd(from int) (content, length, next int) {
	for {
		at := bytes.IndexByte(r.buf[from:], end)
		if at < 0 {
			return -1, 0, len(r.buf)
		}
		at += from
		if at+1 == len(r.buf) {
			return -1, 0, at
		}
		switch r.buf[at+1] {
		case cr, lf:
			return at, at + 2, 0
		case begin:
			return at, at + 1, 0
		}
		from = at + 1
	}
}

// passLarge skips a frame that is too large and returns its beginning.
func (r *Reader) passLarge(from int) ([]byte, error) {
	head := bytes.Clone(r.buf[1:min(len(r.buf), keptHead)])
	for {
		content, length, next := r.findEnd(from)
		if content >= 0 {
			r.passed = length
			return head, ErrTooLarge
		}
		r.pass(next)
		from = 0
		if err := r.fill(); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
}

// pass drops the first n bytes of buf.
func (r *Reader) pass(n int) {
	r.buf = r.buf[n:]
	if len(r.buf) == 0 && cap(r.buf) > keptSize {
		r.buf = nil
	}
}

// fill reads more into buf.
func (r *Reader) fill() error {
	if r.err != nil {
		return r.err
	}
	if cap(r.buf)-len(r.buf) < leastRead {
		r.buf = append(make([]byte, 0, 2*len(r.buf)+readSize), r.buf...)
	}
	n, err := io.ReadAtLeast(r.r, r.buf[len(r.buf):cap(r.buf)], 1)
	r.buf = r.buf[:len(r.buf)+n]
	if n > 0 {
		r.err = err
		return nil
	}
	return err
}
