package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strconv"

	"hl7lake/hl7"
)

// outgoing is one message on its way out, or what there is in its place.
type outgoing struct {
	name string
	file found
	body []byte
	err  error // it could not be read, or is not to be sent

	notice  *hl7.Notice // there is no message, but this is in the file
	noticed *noticed    // the file is at its end, and all this was in it
	at      int64       // how much of the file, as it lies there, is used up with it
	end     bool        // the file is at its end
	before  int         // messages of it that were sent by an earlier call
}

// read gives the messages in the files that were not sent before.
func (p *program) read(files iter.Seq[found], o sendOptions, before func(found) (mark, error)) iter.Seq[outgoing] {
	return func(yield func(outgoing) bool) {
		for file := range files {
			if file.err != nil {
				if !yield(outgoing{name: file.name, file: file, err: file.err}) {
					return
				}
				continue
			}
			known, err := before(file)
			if err != nil {
				yield(outgoing{name: file.name, file: file, err: fmt.Errorf("read the journal: %w", err)})
				return
			}
			end := outgoing{name: file.name, file: file, end: true, before: known.Messages}
			if !known.Done && !p.readFile(file, known.Messages, o, yield) || !yield(end) {
				return
			}
		}
	}
}

// readFile gives the messages of one file but for the first ones, and reports whether to
// go on.
func (p *program) readFile(file found, skip int, o sendOptions, yield func(outgoing) bool) bool {
	var packed int64 // bytes of the file that were read, which is what tells where it is compressed
	plain := true
	give := func(message outgoing) bool {
		message.file = file
		if !plain {
			message.at = packed
		}
		if skip > 0 && message.body != nil {
			skip--
			return true
		}
		return yield(message)
	}
	for content := range p.contents(file, func(n int64) { packed += n }) {
		plain = content.plain
		if !messages(content, o, give) {
			return false
		}
	}
	return true
}

// messages gives those of one file, the file itself or what it is made of, and reports
// whether to go on.
func messages(from content, o sendOptions, yield func(outgoing) bool) bool {
	if from.err != nil {
		return yield(outgoing{name: from.name, err: from.err})
	}
	if o.split {
		return split(from, yield)
	}
	body, err := readWhole(from.input, o.whole)
	return yield(outgoing{name: from.name, body: body, err: err})
}

// split gives the messages of one file, each a slice of it, and tells what else is there. A
// message in doubt comes as an error, as it may be half of one, or more than one; so does a
// file without any.
func split(from content, yield func(outgoing) bool) (more bool) {
	var all noticed
	more = true
	front, _ := from.input.Peek(sniffed)
	empty := &notOneError{"no HL7 message: " + kindOf(front), false}
	parts := hl7.NewReader(from.input)
	parts.Tell = func(n hl7.Notice) {
		before := all.total()
		all.add(n)
		if n.Reason != hl7.Unsure && all.total() > before && all.total() <= noticesShown {
			more = more && yield(outgoing{name: from.name, notice: &n})
		}
	}
	for n := 0; more; {
		part, err := parts.Next()
		switch {
		case !more:
		case errors.Is(err, io.EOF):
			if all.total() > 0 {
				more = yield(outgoing{name: from.name, noticed: &all})
			}
			if n == 0 {
				more = more && yield(outgoing{name: from.name, err: empty})
			}
			return more
		case err != nil:
			return yield(outgoing{name: from.name, err: &fs.PathError{Op: "split", Path: from.name, Err: err}})
		case part.Kind == hl7.Single:
			n++
			message := outgoing{name: from.name + "#" + strconv.Itoa(n), body: bytes.Clone(part.Data), at: part.Offset + int64(len(part.Data))}
			if part.Doubt != nil {
				message.body, message.err = nil, &notOneError{part.Doubt.Error(), false}
			}
			more = yield(message)
		}
	}
	return false
}
