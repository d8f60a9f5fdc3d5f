package main

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"

	"hl7lake/hl7"
	"hl7lake/lambdas/internal/problem"
)

const (
	// maxParts is how many messages one post may hold, so that all can be kept within the
	// function's time: each takes about 20 ms.
	maxParts = 500
	// maxEnvelopes is how many headers and trailers of batches and files there may be. It
	// bounds the answer, which has one for each.
	maxEnvelopes = 200
	// maxHeader is how long the header of a message may be that is to be acknowledged.
	// The acknowledgment repeats most of it, so this bounds the answer, too.
	maxHeader = 4 << 10
)

// A part is a piece of what was posted that is answered: a message, a header or a trailer
// of a batch or file, or something that is neither.
type part struct {
	kind  hl7.PartKind
	name  string // of its first segment; "" if it is none
	data  []byte
	wrong *fault // nil for a message that can be kept, and for a good header or trailer
}

// A fault is why a part is not kept. Neither member holds content.
type fault struct {
	code    string // for the log, such as truncated-header
	problem hl7.Problem
}

var (
	errNoHL7 = badRequest("no-hl7", "The body holds no HL7 message: it begins neither with MSH nor with FHS or BHS.")
	errParts = &problem.Problem{
		Status: http.StatusRequestEntityTooLarge,
		Code:   "too-many-messages",
		Detail: "The batch holds more than 500 messages, or 200 headers and trailers. No message was kept. Send it in several parts.",
	}
	longHeader = &fault{"header-too-long", hl7.Problem{
		Code: "207", Name: "Application internal error", Text: "The MSH segment is longer than 4 KiB, so the message cannot be acknowledged.",
	}}
)

// split takes apart what was posted. A body that begins with FHS or BHS is a batch or
// file of messages (HL7 v2.5.1, 2.10.3). Any other body is one message. The errors are
// *problem.Problem.
func split(c content) (parts []part, batch bool, err error) {
	var m hl7.Message
	wrong := m.ParseAs(c.charset, c.body)
	found, _ := errors.AsType[*hl7.ParseError](wrong)
	switch {
	case wrong == nil:
		return []part{message(&m, c.body)}, false, nil
	case errors.Is(wrong, hl7.ErrNoHeader), errors.Is(wrong, hl7.ErrEmpty):
		return nil, false, errNoHL7
	case errors.Is(wrong, hl7.ErrSeveralMessages) && found.Segment == 1:
		parts, err = splitBatch(c.body)
		return parts, true, err
	}
	return []part{{kind: hl7.Single, data: c.body, wrong: faultOf(wrong)}}, false, nil
}

// splitBatch is split for a batch or file.
func splitBatch(body []byte) (parts []part, err error) {
	var m hl7.Message
	reader := hl7.NewReader(bytes.NewReader(body))
	for messages, envelopes := 0, 0; ; {
		p, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return parts, nil
		}
		if err != nil {
			return nil, err // the reader's limit is far above that of a body
		}
		data := body[p.Offset:][:len(p.Data)]
		wrong := reader.Check(&m, p)
		switch {
		case p.Kind == hl7.Single && wrong == nil && p.Doubt != nil:
			wrong = p.Doubt
		case p.Kind == hl7.Single && wrong == nil:
			parts = append(parts, message(&m, data))
		case wrong == nil && p.Kind != hl7.Other:
			parts = append(parts, part{kind: p.Kind, name: p.Name(), data: data})
		}
		if wrong != nil {
			parts = append(parts, part{kind: p.Kind, name: p.Name(), data: data, wrong: faultOf(wrong)})
		}
		if p.Kind == hl7.Opening || p.Kind == hl7.Closing {
			envelopes++
		}
		if p.Kind == hl7.Single || wrong != nil {
			messages++
		}
		if messages > maxParts || envelopes > maxEnvelopes {
			return nil, errParts
		}
	}
}

// message returns the part of a message that can be parsed.
func message(m *hl7.Message, data []byte) part {
	p := part{kind: hl7.Single, data: data}
	if len(m.Segment(0).Raw()) > maxHeader {
		p.wrong = longHeader
	}
	return p
}

func faultOf(err error) *fault {
	f := &fault{code: "unreadable", problem: hl7.ProblemOf(err)}
	if found, ok := errors.AsType[*hl7.ParseError](err); ok {
		f.code = strings.ToLower(found.Code)
	}
	return f
}
