package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"hl7lake/hl7"
	"hl7lake/lambdas/internal/received"
)

// A reply is the body of an answer at /hl7 while it is written: an acknowledgment, or for
// a batch or file one of the same shape, with the acknowledgments in the order of the
// messages (HL7 v2.5.1, 2.10.3).
type reply struct {
	media    string
	charset  string // of the request; else of the first message that is acknowledged
	declared bool   // the request declares its charset
	body     bytes.Buffer
	message  hl7.Message

	file, batch   []byte // the headers that are not ended yet; nil if there is none
	batches, acks int    // in the file, and in the batch
}

func newReply(c content) *reply {
	return &reply{media: c.media, charset: c.charset, declared: c.charset != ""}
}

// acknowledge adds the acknowledgment of a part: AA if the lake has the message, AE if it
// will not take it, and AR if it may take it later (HL7 v2.5.1, 2.9.2.2 and table 0008).
func (r *reply) acknowledge(p part, id uuid.UUID, err error) {
	r.acks++
	refused, ok := errors.AsType[*refusedError](err)
	if ok {
		r.refuse(p, refused.fault)
		return
	}
	m := r.read(p.data)
	ack := hl7.NewAck(m.AnswerCode(hl7.ApplicationAccept, hl7.CommitAccept))
	_, before := errors.AsType[*received.DuplicateError](err)
	if err != nil && !before {
		ack = hl7.NewAck(m.AnswerCode(hl7.ApplicationReject, hl7.CommitReject),
			hl7.Problem{Code: "207", Name: "Application internal error", Text: later(err)})
	}
	answer, failed := m.Acknowledge(ack)
	if failed != nil {
		answer, failed = hl7.Reply(nil, ack)
	}
	if failed != nil {
		return // there is always such a reply
	}
	if err == nil || before {
		// MSA-3 is the text of an acknowledgment (HL7 v2.5.1, 2.15.8.3). It is left out
		// where the message's delimiters do not let it be written.
		_ = answer.Set("MSA-3", keptAs(id, before))
	}
	r.body.Write(answer.Encode())
}

func keptAs(id uuid.UUID, before bool) string {
	if before {
		return "Kept before as " + id.String()
	}
	return "Kept as " + id.String()
}

// read parses a message that was parsed before. If the request declares a character set,
// the message is read in that one, and so its acknowledgment is written in it (HL7 over
// HTTP, 2.4).
func (r *reply) read(data []byte) *hl7.Message {
	m := &r.message
	if r.declared && m.ParseIn(r.charset, data) == nil {
		return m
	}
	if m.ParseAs(r.charset, data) == nil && r.charset == "" {
		r.charset = strings.ToLower(m.Charset().Used)
	}
	return m
}

// refuse acknowledges a part that is not kept, with as much as its beginning tells.
func (r *reply) refuse(p part, f *fault) {
	head := p.data[:min(len(p.data), maxHeader)]
	if f == longHeader || p.kind != hl7.Single {
		head = nil
	}
	code := hl7.ApplicationError
	if header, err := hl7.ParseHeader(head); err == nil {
		code = header.AnswerCode(hl7.ApplicationError, hl7.CommitError)
	}
	if answer, err := hl7.Reply(head, hl7.NewAck(code, f.problem)); err == nil {
		r.body.Write(answer.Encode())
	}
}

// envelope answers a header or a trailer by its like. A trailer with a wrong count is
// reported before.
func (r *reply) envelope(p part) {
	if p.wrong != nil {
		r.acks++
		r.refuse(p, p.wrong)
	}
	switch p.name {
	case "FHS":
		r.endFile()
		r.file = r.begin(p.data)
	case "BHS":
		r.endBatch()
		r.batch = r.begin(p.data)
	case "BTS":
		r.endBatch()
	case "FTS":
		r.endFile()
	}
}

func (r *reply) begin(header []byte) []byte {
	answer := hl7.ReplyHeader(header[:min(len(header), maxHeader)], hl7.NewControlID(), time.Now())
	r.body.Write(answer)
	return answer
}

func (r *reply) endBatch() {
	if r.batch != nil {
		r.body.Write(hl7.ReplyTrailer(r.batch, r.acks))
		r.batches++
	}
	r.batch, r.acks = nil, 0
}

func (r *reply) endFile() {
	r.endBatch()
	if r.file != nil {
		r.body.Write(hl7.ReplyTrailer(r.file, r.batches))
	}
	r.file, r.batches = nil, 0
}

// response returns the answer. Its media type is the request's (HL7 over HTTP, 2.4).
func (r *reply) response() events.APIGatewayV2HTTPResponse {
	r.endFile()
	contentType := r.media
	if full := mime.FormatMediaType(r.media, map[string]string{"charset": r.charset}); r.charset != "" && full != "" {
		contentType = full
	}
	return events.APIGatewayV2HTTPResponse{
		StatusCode:      http.StatusOK,
		Headers:         map[string]string{"Content-Type": contentType, "Cache-Control": "no-store"},
		Body:            base64.StdEncoding.EncodeToString(r.body.Bytes()),
		IsBase64Encoded: true,
	}
}
