package main

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/caller"
	"hl7lake/lambdas/internal/history"
	"hl7lake/lambdas/internal/problem"
)

const (
	// defaultLimit is how many messages a page holds if the caller does not say.
	defaultLimit = 50
	// maxLimit is the most that a caller may ask for. It is also how many messages of a
	// page are looked up in the catalog at most, whether they match or not.
	maxLimit = 500
)

// query says which messages a page lists: those to which all its fields apply.
type query struct {
	owners    []string // the institutions; at least one
	owner     string   // the only institution, if the caller named one
	protocol  string   // "" means any
	kind      string   // the message type, such as ADT^A01; "" means any
	state     string   // one of the statuses; "" means any
	connector string   // a connector that has filed something of the message; "" means any
	from, to  time.Time
	limit     int
	start     cursor    // where the page begins
	now       time.Time // the time of the request
}

// below returns the id before which the page begins.
func (q query) below() uuid.UUID {
	if end := placeAt(q.to).id(); compare(end, q.start.below) < 0 {
		return end
	}
	return q.start.below
}

// queryOf reads the parameters of GET /messages, see readQuery.
func queryOf(raw string, by caller.Caller, now time.Time) (query, error) {
	return readQuery(raw, by, now, "from", "to", "owner", "protocol", "type", "state", "connector", "limit", "cursor")
}

// readQuery reads the parameters of the given names. A parameter that is unknown,
// repeated or malformed is refused, because a filter that is ignored would show other
// messages than those that were asked for. An institution whose messages the caller may
// not see is not found.
func readQuery(raw string, by caller.Caller, now time.Time, names ...string) (query, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return query{}, badQuery("The query is not one of a URL.")
	}
	// A minute ahead of this clock, because clocks differ.
	q := query{owners: by.Sees(), to: now.Add(time.Minute), limit: defaultLimit, now: now}
	readers := parameters()
	for name, given := range values {
		read, known := readers[name]
		if !known || !slices.Contains(names, name) || len(given) != 1 {
			return query{}, badQuery("The parameters are " + strings.Join(names, ", ") + ", each at most once.")
		}
		if err := read.into(&q, given[0]); err != nil {
			return query{}, badQuery("The parameter " + name + " is " + read.want + ".")
		}
	}
	if q.owner != "" {
		q.owners = []string{q.owner}
	}
	if len(q.owners) == 0 || q.owner != "" && !by.MaySee(q.owner) {
		return query{}, errNotFound
	}
	if q.start == (cursor{}) {
		q.start = newestFirst(q.to)
	}
	return q, nil
}

// badQuery refuses a request for a list. The detail names a parameter and never its
// value.
func badQuery(detail string) error {
	return &problem.Problem{Status: http.StatusBadRequest, Code: "bad-query", Detail: detail}
}

// parameter is how one parameter is read, and what it must be.
type parameter struct {
	want string
	into func(*query, string) error
}

// errValue says that a parameter's value is not what it must be.
var errValue = errors.New("not what the parameter must be")

// parameters returns the parameters of lists, by their names.
func parameters() map[string]parameter {
	return map[string]parameter{
		"from":      {"a time such as 2026-11-22T08:00:00Z", func(q *query, text string) error { return readTime(&q.from, text) }},
		"to":        {"a time such as 2026-11-22T08:00:00Z", func(q *query, text string) error { return readTime(&q.to, text) }},
		"owner":     {"the name of an institution", func(q *query, text string) error { return readIf(&q.owner, text, hub.ValidOwner(text)) }},
		"protocol":  {"a protocol such as hl7v2", func(q *query, text string) error { return readIf(&q.protocol, text, hub.KindOf(text, "any").Valid()) }},
		"type":      {"a message type such as ADT^A01", func(q *query, text string) error { return readIf(&q.kind, text, text != "") }},
		"state":     {"accepted, ingested, staged, error or missing", func(q *query, text string) error { return readIf(&q.state, text, slices.Contains(states(), text)) }},
		"connector": {"the name of a connector", func(q *query, text string) error { return readIf(&q.connector, text, hub.ValidConnectorName(text)) }},
		"limit":     {"a number from 1 to " + strconv.Itoa(maxLimit), readLimit},
		"cursor":    {"what a page before gave as its cursor", func(q *query, text string) (err error) { q.start, err = parseCursor(text); return err }},
	}
}

// states returns the values of the parameter state.
func states() []string {
	return []string{history.StatusAccepted, history.StatusIngested, history.StatusStaged, history.StatusError, history.StatusMissing}
}

// readIf stores text in field if it is valid.
func readIf(field *string, text string, valid bool) error {
	if !valid {
		return errValue
	}
	*field = text
	return nil
}

func readTime(field *time.Time, text string) (err error) {
	*field, err = time.Parse(time.RFC3339, text)
	return err
}

func readLimit(q *query, text string) (err error) {
	q.limit, err = strconv.Atoi(text)
	if err == nil && (q.limit < 1 || q.limit > maxLimit) {
		err = errValue
	}
	return err
}

// cursor is where a page goes on. It holds a place in the order of ids and nothing else,
// so that any cursor shows its bearer no more than the list itself does. Messages that
// arrive between two pages have later ids and change no later page.
type cursor struct {
	below uuid.UUID // the page lists messages with earlier ids
	// width is how far back the next request looks, see walk.
	width place
}

// newestFirst is the cursor of the first page of the messages accepted before to.
func newestFirst(to time.Time) cursor { return cursor{below: placeAt(to).id(), width: firstWidth} }

// String returns the text form, of letters, digits, - and _.
func (c cursor) String() string {
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(c.below[:], uint64(c.width)))
}

// parseCursor reads the text form.
func parseCursor(text string) (cursor, error) {
	content, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(content) != len(uuid.UUID{})+8 {
		return cursor{}, errValue
	}
	c := cursor{below: uuid.UUID(content[:16]), width: place(binary.BigEndian.Uint64(content[16:]))}
	if c.width == 0 || c.width > maxWidth {
		return cursor{}, errValue
	}
	return c, nil
}
