package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"

	"hl7lake/hl7"
)

// outgoing is one message to be sent, or what the file has in its place.
type outgoing struct {
	name string
	file found
	body []byte
	err  error // it could not be read, or must not be sent

	notice  *hl7.Notice // not a message, but something else in the file
	noticed *noticed    // at the end of the file, all notices about it
	at      int64       // how many bytes of the file on disk are used up with it
	end     bool        // this is the end of the file
	before  int         // messages of the file that an earlier call sent
}

// read yields the messages in the files that were not sent before.
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

// readFile yields the messages of one file except the first ones, and reports whether to
// go on.
func (p *program) readFile(file found, skip int, o sendOptions, yield func(outgoing) bool) bool {
	var packed int64 // bytes of the file that were read; this differs if it is compressed
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

// messages yields those of one file, which is one message or is split, and reports
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

// split yields the messages of one file, each a slice of it, and reports what else is
// there. A message in doubt is an error, because it may be half a message, or more than
// one. A file without a message is an error too.
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
			return yield(outgoing{name: from.name, err: readError(from.name, err)})
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
