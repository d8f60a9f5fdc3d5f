package acceptance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"hl7lake/client"
)

// access tests who may post and who may read.
func (c *check) access(ctx context.Context) {
	body := c.admission("access")
	var id string
	for _, post := range []struct {
		user string
		want int
	}{{reader, 403}, {nobody, 403}, {writer, 201}, {both, 409}} {
		c.step(ctx, fmt.Sprintf("access: the %s posts: %d", post.user, post.want), func(ctx context.Context) error {
			lake, err := c.as(post.user)
			if err != nil {
				return err
			}
			receipt, err := lake.Send(ctx, client.Message{Body: body})
			status, err := statusOf(receipt.Status, err)
			switch {
			case err != nil:
				return err
			case status == http.StatusCreated:
				id = receipt.ID
				c.report.Messages = append(c.report.Messages, id)
			}
			if status != post.want {
				return fmt.Errorf("answered %d, want %d", status, post.want)
			}
			if status == http.StatusConflict && receipt.ID != id {
				return errors.New("the duplicate does not name the first one's id")
			}
			return nil
		})
	}
	c.step(ctx, "message: ADT^A01 becomes staged, and comes back byte for byte", func(ctx context.Context) (err error) {
		if id == "" {
			return errors.New("the message was not accepted")
		}
		c.staged, err = c.follow(ctx, id, body, client.Staged)
		return err
	})
	for _, read := range []struct {
		user string
		want int
	}{{both, 200}, {reader, 200}, {writer, 404}, {nobody, 404}, {stranger, 404}} {
		c.step(ctx, fmt.Sprintf("access: the %s reads: %d", read.user, read.want), func(ctx context.Context) error {
			lake, err := c.as(read.user)
			if err != nil {
				return err
			}
			if id == "" {
				return errors.New("the message was not accepted")
			}
			_, err = lake.History(ctx, id)
			status, err := statusOf(http.StatusOK, err)
			if err == nil && status != read.want {
				err = fmt.Errorf("answered %d, want %d", status, read.want)
			}
			return err
		})
	}
}

// statusOf returns the HTTP status of an answer or a refusal.
func statusOf(good int, err error) (int, error) {
	if refused, ok := errors.AsType[*client.Problem](err); ok {
		return refused.Status, nil
	}
	return good, err
}

// refusals sends requests that must be refused.
func (c *check) refusals(ctx context.Context) {
	message := c.admission("refused")
	for _, r := range []struct {
		name, token, contentType string
		body                     []byte
		want                     int
	}{
		{"no token", "", "application/hl7-v2", message, 401},
		{"a token that is none", "Bearer none", "application/hl7-v2", message, 401},
		{"a wrong media type", both, "image/png", message, 415},
		{"an empty body", both, "application/hl7-v2", nil, 400},
		{"more than the API takes", both, "application/hl7-v2", make([]byte, 11<<20), 413},
	} {
		c.step(ctx, fmt.Sprintf("refusal: %s: %d", r.name, r.want), func(ctx context.Context) error {
			status, _, err := c.post(ctx, r.token, r.contentType, r.body)
			if err == nil && status != r.want {
				err = fmt.Errorf("answered %d, want %d", status, r.want)
			}
			return err
		})
	}
}

// post sends a request as it is. who is a user of the check, the value of the
// Authorization header, or "" for none.
func (c *check) post(ctx context.Context, who, contentType string, body []byte) (int, []byte, error) {
	base, err := c.connection.Outputs.Get(client.OutputAPI)
	if err != nil {
		return 0, nil, err
	}
	return c.request(ctx, http.MethodPost, strings.TrimSuffix(base, "/")+"/er7", who, contentType, body)
}

func (c *check) request(ctx context.Context, method, address, who, contentType string, body []byte) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	authorization := who
	if source, ok := c.tokens[who]; ok {
		token, err := source(ctx)
		if err != nil {
			return 0, nil, err
		}
		authorization = "Bearer " + token
	} else if who == both {
		return 0, nil, errors.New("the step needs a user that could not be made")
	}
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return response.StatusCode, answer, err
}
