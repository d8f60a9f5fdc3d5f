package scenario

import (
	"context"
	"errors"
	"net/http"

	"hl7lake/client"
	"hl7lake/cmd/lake/samples"
)

// Post is one message sent by one user.
type Post struct {
	User   string `json:"user"` // e-mail address
	Text   string `json:"text"` // of the sample
	Want   int    `json:"want"` // HTTP status
	Status int    `json:"status"`
	ID     string `json:"id,omitempty"`      // of the message; for a duplicate, of the first message
	WantID string `json:"want_id,omitempty"` // set if a duplicate must name it
	Detail string `json:"detail,omitempty"`  // why it was refused
}

// AsExpected reports whether the lake answered as it should.
func (p Post) AsExpected() bool {
	return p.Status == p.Want && (p.WantID == "" || p.ID == p.WantID)
}

// Read is one user's look at the admission that the first who may write sent.
type Read struct {
	User   string `json:"user"`
	Want   int    `json:"want"`
	Status int    `json:"status"`
}

// AsExpected reports whether the lake answered as it should.
func (r Read) AsExpected() bool { return r.Status == r.Want }

func post(ctx context.Context, lake *client.Client, user client.User, sample samples.Sample) (Post, error) {
	done := Post{User: user.Email, Text: sample.Name}
	receipt, err := lake.Send(ctx, client.Message{Body: sample.Body, Charset: sample.Charset})
	if refused, ok := errors.AsType[*client.Problem](err); ok {
		done.Status, done.Detail = refused.Status, refused.Detail
		return done, nil
	}
	done.Status, done.ID = receipt.Status, receipt.ID
	return done, err
}

// postTheSame lets each user send the same two texts. They are accepted from the first
// user who may write, and are duplicates for each later one.
func (p *play) postTheSame(ctx context.Context) error {
	texts := []samples.Sample{samples.Admission(), samples.NotHL7()}
	first := map[string]string{} // id of each text's first post
	for i, user := range p.report.Users {
		for j, text := range texts {
			p.progress("posting the same two texts as each user", i*len(texts)+j, len(p.report.Users)*len(texts))
			done, err := post(ctx, p.clients[user.Email], user, text)
			if err != nil {
				return err
			}
			id, known := first[text.Name]
			switch {
			case user.Write == "":
				done.Want = http.StatusForbidden
			case known:
				done.Want, done.WantID = http.StatusConflict, id
			default:
				done.Want = http.StatusCreated
				first[text.Name] = done.ID
				p.accepted(done, text)
			}
			p.check(done)
		}
	}
	return nil
}

// check adds a post to the report.
func (p *play) check(done Post) {
	p.report.Posts = append(p.report.Posts, done)
	switch {
	case done.Status != done.Want:
		p.differ("%s posted %s: the answer is %d %s, not %d", done.User, done.Text, done.Status, done.Detail, done.Want)
	case !done.AsExpected():
		p.differ("%s posted %s: the duplicate's id is %s, not that of the first post, %s", done.User, done.Text, done.ID, done.WantID)
	}
}

// read lets each user ask for the admission. A user who may not read is told that there
// is no such message.
func (p *play) read(ctx context.Context) error {
	if len(p.report.Messages) == 0 {
		return nil
	}
	for _, user := range p.report.Users {
		done := Read{User: user.Email, Want: http.StatusOK, Status: http.StatusOK}
		if user.Read == nil {
			done.Want = http.StatusNotFound
		}
		_, err := p.clients[user.Email].History(ctx, p.report.Messages[0].ID)
		if refused, ok := errors.AsType[*client.Problem](err); ok {
			done.Status, err = refused.Status, nil
		}
		if err != nil {
			return err
		}
		p.report.Reads = append(p.report.Reads, done)
		if !done.AsExpected() {
			p.differ("%s asked for a message of %s: the answer is %d, not %d", user.Email, Institution, done.Status, done.Want)
		}
	}
	return nil
}
