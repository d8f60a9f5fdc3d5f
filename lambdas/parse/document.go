package main

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/google/uuid"

	"hl7lake/hl7"
	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
)

// envelope comes before the segments in a message's JSON: where the message is from, and
// what its MSH segment says. A new field belongs here.
type envelope struct {
	ID       uuid.UUID `json:"id"`       // of the staged event
	Root     uuid.UUID `json:"root"`     // what the sender was told
	Source   string    `json:"source"`   // the institution that sent it
	Received string    `json:"received"` // hub.TimeLayout
	SHA256   string    `json:"sha256"`   // of the raw message
	Raw      location  `json:"raw"`      // the raw message in the lake
	Parser   string    `json:"parser"`
	Message  header    `json:"message"`
}

type location struct {
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
}

// header is the MSH segment in words. As in the segments, an empty value has no key.
type header struct {
	Type      string  `json:"type"` // as in the event's attribute: ADT^A01 or unknown
	Event     string  `json:"event,omitempty"`
	Structure string  `json:"structure,omitempty"`
	Version   string  `json:"version,omitempty"`
	ControlID string  `json:"control_id,omitempty"`
	Sending   party   `json:"sending"`
	Receiving party   `json:"receiving"`
	SentAt    string  `json:"sent_at,omitempty"` // ISO 8601
	Charset   charset `json:"charset"`
}

// charset says in which character set the message was read, and why. See hl7.Charset.
type charset struct {
	Declared string `json:"declared,omitempty"`
	Used     string `json:"used"`
	Guessed  bool   `json:"guessed,omitempty"`
	Seems    string `json:"seems,omitempty"`
}

type party struct {
	App      string `json:"app,omitempty"`
	Facility string `json:"facility,omitempty"`
}

// maxSegments is the largest size in bytes of a message's segments in JSON. The largest
// message that the API accepts, if it is an ordinary one, becomes some 20 MB. One that
// consists of delimiters would become ten times that, and use up this function's memory
// and then the writer's.
const maxSegments = 32 << 20

// document returns the JSON of message, on one line: the envelope of the event staged,
// which was made from the event parent, and the segments. Its error is a *ParseError if
// that would be more than maxSegments.
func document(parent, staged hub.Event, lakeBucket string, message *hl7.Message) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(envelope{
		ID:       staged.ID,
		Root:     staged.Root,
		Source:   staged.Owner,
		Received: hub.Received(staged.Root).Format(hub.TimeLayout),
		SHA256:   parent.Raw,
		Raw: location{
			Bucket: lakeBucket,
			Key:    catalog.KeyOf(parent).String(),
		},
		Parser:  strconv.Itoa(staged.Connector.Version),
		Message: describe(message),
	})
	if err != nil {
		return nil, err
	}
	document := bytes.TrimSuffix(out.Bytes(), []byte("}\n"))
	document = append(document, `,"segments":`...)
	segments := len(document)
	document = message.AppendJSON(document, hl7.JSON{Limit: maxSegments})
	if len(document)-segments > maxSegments {
		return nil, &ParseError{Reason: hub.Reason{Code: "json-too-large"}}
	}
	return append(document, "}\n"...), nil
}

func describe(message *hl7.Message) header {
	msh := message.Header()
	return header{
		Type:      msh.Type,
		Event:     msh.Event,
		Structure: msh.Structure,
		Version:   msh.Version,
		ControlID: msh.ControlID,
		Sending:   party{App: msh.SendingApplication, Facility: msh.SendingFacility},
		Receiving: party{App: msh.ReceivingApplication, Facility: msh.ReceivingFacility},
		SentAt:    msh.SentAt,
		Charset:   charset(message.Charset()),
	}
}
