package acceptance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"hl7lake/client"
)

// patience is how long it may take until a message has ended.
const patience = 90 * time.Second

// kind is one kind of message that is sent and followed.
type kind struct {
	name    string
	charset string
	body    []byte
	want    client.Status
}

// admission returns a synthetic ADT^A01 with further segments, each given without its
// terminator.
func (c *check) admission(control string, further ...string) []byte {
	return []byte(strings.Join(append([]string{
		`MSH|^~\&|CHECK|` + c.report.Institution + `|LAKE|LAKE|20260101120000||ADT^A01^ADT_A01|` + c.report.Institution + "-" + control + `|T|2.5.1`,
		`EVN|A01|20260101120000`,
		`PID|1||0000^^^CHECK^MR||TEST^SYNTHETIC`,
		`PV1|1|N`,
	}, further...), "\r") + "\r")
}

func (c *check) kinds() []kind {
	large := `OBX|1|ED|DOC^Document||^TEXT^^A^` + strings.Repeat("synthetic ", 200_000)
	return []kind{
		{"a Z segment", "", c.admission("z", "ZCK|1|synthetic"), client.Staged},
		{"Latin-1, declared", "iso-8859-1", c.admission("latin1", "NTE|1||M\xfcller"), client.Staged},
		{"no HL7", "", []byte("synthetic text of " + c.report.Institution + ", no HL7"), client.Errored},
		{"a batch", "", append([]byte("BHS|^~\\&|CHECK\r"), append(c.admission("batch"), "BTS|1\r"...)...), client.Errored},
		{"2 MB, by claim check", "", c.admission("large", large), client.Staged},
	}
}

func (c *check) messages(ctx context.Context) {
	for _, k := range c.kinds() {
		c.step(ctx, fmt.Sprintf("message: %s becomes %s, and comes back byte for byte", k.name, k.want), func(ctx context.Context) error {
			lake, err := c.as(both)
			if err != nil {
				return err
			}
			receipt, err := lake.Send(ctx, client.Message{Body: k.body, Charset: k.charset})
			if err != nil {
				return err
			}
			c.report.Messages = append(c.report.Messages, receipt.ID)
			_, err = c.follow(ctx, receipt.ID, k.body, k.want)
			return err
		})
	}
	for _, form := range []struct{ name, contentType string }{{"text/plain", "text/plain; charset=utf-8"}, {"JSON with base64", "application/json"}} {
		c.step(ctx, "message: "+form.name+" becomes staged, and comes back byte for byte", func(ctx context.Context) error {
			return c.form(ctx, form.contentType)
		})
	}
}

// form sends a message in a form that client.Client does not use.
func (c *check) form(ctx context.Context, contentType string) error {
	message := c.admission(strings.ReplaceAll(contentType[:4], "/", "-"))
	body := message
	if contentType == "application/json" {
		text, err := json.Marshal(map[string][]byte{"msg": message}) // a []byte is base64 in JSON
		if err != nil {
			return err
		}
		body = text
	}
	status, answer, err := c.post(ctx, both, contentType, body)
	if err != nil {
		return err
	}
	var told struct{ ID string }
	if err := json.Unmarshal(answer, &told); status != http.StatusCreated || err != nil || told.ID == "" {
		return fmt.Errorf("answered %d, want 201 with an id", status)
	}
	c.report.Messages = append(c.report.Messages, told.ID)
	_, err = c.follow(ctx, told.ID, message, client.Staged)
	return err
}

// follow waits until the message has ended, and compares the result with what it should
// be.
func (c *check) follow(ctx context.Context, id string, body []byte, want client.Status) (client.History, error) {
	lake, err := c.as(both)
	if err != nil {
		return client.History{}, err
	}
	limited, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not finished after %v", patience))
	defer cancel()
	history, err := lake.Wait(limited, id)
	c.left(history)
	if err != nil {
		if cause := context.Cause(limited); cause != nil {
			err = fmt.Errorf("%w: still %s", cause, history.Status)
		}
		return history, err
	}
	if history.Status != want {
		return history, fmt.Errorf("became %s, want %s", history.Status, want)
	}
	back, err := lake.ER7(ctx, id)
	if err != nil {
		return history, err
	}
	if !bytes.Equal(back, body) {
		return history, fmt.Errorf("%d bytes came back, and they differ from the %d sent", len(back), len(body))
	}
	text, err := lake.JSON(ctx, id)
	if want == client.Errored {
		if refused, ok := errors.AsType[*client.Problem](err); !ok || refused.Status != http.StatusNotFound {
			return history, errors.New("a message in error has JSON")
		}
		return history, nil
	}
	if err != nil {
		return history, err
	}
	var document struct{ Root, Source string }
	if err := json.Unmarshal(text, &document); err != nil || document.Root != id || document.Source != c.report.Institution {
		return history, errors.New("the JSON does not match the message")
	}
	return history, nil
}
