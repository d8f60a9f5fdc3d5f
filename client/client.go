// Package client is a client of a lake: it sends messages and reads them back over the
// HTTP API, and manages users in the Cognito user pool. It works with a deployed lake and
// with a lake on one machine. A Connection says where the lake is.
//
// The commands `lake send`, `list`, `get`, `trace` and `users` use this package. A program that
// sends to a lake can use it in the same way:
//
//	pool := client.NewPool(client.PoolOptions{ID: poolID, ClientID: clientID})
//	lake, err := client.New(apiURL, pool.SignIn("engine@example.org", password))
//	receipt, err := lake.Send(ctx, client.Message{Body: er7})
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"hl7lake/internal/pause"
)

// answerTimeout is how long one request may take. API Gateway gives up after 30 seconds,
// so there is no point in waiting longer.
const answerTimeout = 35 * time.Second

// Client is one user's access to one lake. It is safe for concurrent use.
type Client struct {
	base   *url.URL
	token  TokenSource
	http   *http.Client
	policy retryPolicy

	answered atomic.Bool // the lake has answered at least once
}

// New returns a client of the API at apiURL, which is the stack's output ApiUrl.
func New(apiURL string, token TokenSource) (*Client, error) {
	base, err := url.Parse(apiURL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("%q is not the address of an API: want https://host or http://host:port", apiURL)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64 // many requests to one host are under way at once
	return &Client{
		base:   base,
		token:  token,
		http:   &http.Client{Transport: transport, Timeout: answerTimeout, CheckRedirect: dropToken},
		policy: defaultRetry,
	}, nil
}

// dropToken follows a redirect to large content, which lies in S3 itself. Such an address
// is signed, and S3 refuses a request that carries a second authorization.
func dropToken(request *http.Request, earlier []*http.Request) error {
	if len(earlier) > 1 {
		return errors.New("the lake redirected the request too often")
	}
	request.Header.Del("Authorization")
	return nil
}

// Message is what a sender sends: the bytes of one message. The lake keeps them as they
// are.
type Message struct {
	// Protocol and Format say what the body is, such as "x12" and "edi"; both empty for
	// ER7. Each is up to 32 small letters, digits, dots and dashes. The lake need not
	// know them.
	Protocol, Format string

	Body    []byte
	Charset string // an IANA name, such as utf-8 or iso-8859-1; "" declares none
}

// Receipt is the lake's promise to keep a message.
type Receipt struct {
	ID        string `json:"id"`        // the message's id; for a duplicate, the id of the first message
	Status    int    `json:"status"`    // 201, or 409 for a duplicate
	Duplicate bool   `json:"duplicate"` // the lake already had this message
	// Detail says how a duplicate differs from the first message, for example in its line
	// ends. It is empty if the bytes are the same.
	Detail   string `json:"detail,omitempty"`
	Attempts int    `json:"attempts"` // the number of requests made; 1 without a retry
}

// Send posts a message. It tries again if the lake cannot answer now, or if the answer
// was lost. The lake recognizes a message by its content, so sending it twice never makes
// a second copy. A refusal is a *Problem.
func (c *Client) Send(ctx context.Context, m Message) (Receipt, error) {
	path, contentType := "er7", "application/hl7-v2"
	if m.Protocol != "" || m.Format != "" {
		path, contentType = "messages/"+url.PathEscape(m.Protocol)+"/"+url.PathEscape(m.Format), "application/octet-stream"
	}
	if m.Charset != "" {
		contentType = mime.FormatMediaType(contentType, map[string]string{"charset": m.Charset})
		if contentType == "" {
			return Receipt{}, errors.New("the charset's name is not one that a Content-Type can carry")
		}
	}
	answer, err := c.do(ctx, http.MethodPost, path, contentType, m.Body)
	if err != nil {
		return Receipt{}, err
	}
	receipt := Receipt{Status: answer.status, Attempts: answer.attempts}
	switch answer.status {
	case http.StatusCreated:
	case http.StatusConflict:
		receipt.Duplicate = true
	default:
		return Receipt{}, answer.problem()
	}
	var body struct {
		ID     string `json:"id"`
		Detail string `json:"detail"`
	}
	if err := json.Unmarshal(answer.body, &body); err != nil || body.ID == "" {
		return Receipt{}, fmt.Errorf("the answer %d of POST /%s has no id: is %s a lake?", answer.status, path, c.base)
	}
	receipt.ID, receipt.Detail = body.ID, body.Detail
	return receipt, nil
}

// Content returns the message as it was sent, byte for byte, whatever it is.
func (c *Client) Content(ctx context.Context, id string) ([]byte, error) {
	return c.get(ctx, "messages/"+url.PathEscape(id)+"/content")
}

// Result returns the newest that the connector of that name, such as "staging-er7", made
// of the message. If there is nothing, the error is a *Problem with status 404 and the
// code not-yet, not-staged or no-result.
func (c *Client) Result(ctx context.Context, id, connector string) ([]byte, error) {
	return c.get(ctx, "messages/"+url.PathEscape(id)+"/content/"+url.PathEscape(connector))
}

// ER7 returns the message as it was sent, byte for byte. For a message that is not ER7
// the error is a *Problem with status 404 and the code not-er7.
func (c *Client) ER7(ctx context.Context, id string) ([]byte, error) {
	return c.get(ctx, "messages/"+url.PathEscape(id)+"/er7")
}

// JSON returns the message's JSON, which is one line. A message that is not staged yet,
// or that is not HL7, has none: the error is then a *Problem with status 404 and the code
// not-yet or not-staged.
func (c *Client) JSON(ctx context.Context, id string) ([]byte, error) {
	return c.get(ctx, "messages/"+url.PathEscape(id)+"/json")
}

func (c *Client) get(ctx context.Context, path string) ([]byte, error) {
	answer, err := c.do(ctx, http.MethodGet, path, "", nil)
	if err != nil {
		return nil, err
	}
	if answer.status != http.StatusOK {
		return nil, answer.problem()
	}
	return answer.body, nil
}

// answer is the answer to a request, after all its attempts.
type answer struct {
	status   int
	header   http.Header
	body     []byte
	attempts int
}

// do sends a request, and tries again until the answer is final.
func (c *Client) do(ctx context.Context, method, path, contentType string, body []byte) (answer, error) {
	for attempt := 1; ; attempt++ {
		a, err := c.once(ctx, method, path, contentType, body)
		a.attempts = attempt
		wait, again := c.policy.next(attempt, a, err, c.answered.Load())
		if !again {
			return a, err
		}
		if err := pause.For(ctx, wait); err != nil {
			return answer{}, err
		}
	}
}

func (c *Client) once(ctx context.Context, method, path, contentType string, body []byte) (answer, error) {
	token, err := c.token(ctx)
	if err != nil {
		return answer{}, err
	}
	path, query, _ := strings.Cut(path, "?") // an id in a path has no ?, see url.PathEscape
	address := c.base.JoinPath(path)
	address.RawQuery = query
	request, err := http.NewRequestWithContext(ctx, method, address.String(), bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, c.unreachable(ctx, err)
	}
	defer response.Body.Close()
	c.answered.Store(true)
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, c.unreachable(ctx, err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: content}, nil
}

// UnreachableError says that a lake did not answer. It is then unknown whether the
// request had an effect.
type UnreachableError struct {
	URL string // the API's address
	Err error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("no answer from %s: %s", e.URL, e.reason())
}

// reason is the cause without the call and the address that package net adds.
func (e *UnreachableError) reason() string {
	err := e.Err
	if operation, ok := errors.AsType[*net.OpError](err); ok {
		err = operation.Err
	}
	if call, ok := errors.AsType[*os.SyscallError](err); ok {
		err = call.Err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the connection was closed"
	}
	return err.Error()
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// Refused says that nothing listens at the address.
func (e *UnreachableError) Refused() bool { return errors.Is(e.Err, syscall.ECONNREFUSED) }

func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	// url.Error repeats the method and the address, which the message already has.
	if inner, ok := errors.AsType[*url.Error](err); ok {
		err = inner.Err
	}
	return &UnreachableError{URL: strings.TrimSuffix(c.base.String(), "/"), Err: err}
}
