package fault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"hl7lake/local"
	"hl7lake/local/fault"
	"hl7lake/local/template"
)

// scenario is a way through the lake. Together, the scenarios make every call that a
// function can make.
type scenario struct {
	name string
	hl7  bool
	feed bool // lines end in LF, so that the workflow must prepare the message
	size int  // bytes of the message; 0 means a few
	// base are the faults that are always there, so that a second way is taken; nil means
	// none.
	base func(at place, visit, attempt int) fault.Fault
	// together posts the message twice at once. again posts it once more after it was
	// accepted. early asks for it as soon as it is accepted. read fetches it after it has
	// ended.
	together, again, early, read bool
	// deferred takes the institution's share of staging before.
	deferred bool
}

// reads says that the scenario is about reading.
func (s scenario) reads() bool { return s.early || s.read }

const (
	inline = 300_000 // bytes: more than a message of the topic may have
	grown  = 150_000 // bytes of ER7 whose JSON is larger than that
)

// scenarios begin with the simplest. A call that several scenarios make is struck in the
// first of them.
func scenarios() []scenario {
	return []scenario{
		{name: "an admission", hl7: true},
		{name: "an admission with line feeds", hl7: true, feed: true},
		{name: "no HL7"},
		{name: "a large admission", hl7: true, size: inline},
		{name: "large, and no HL7", size: inline},
		{name: "an admission with large JSON", hl7: true, size: grown},
		{name: "a duplicate", hl7: true, again: true},
		{name: "a redelivered event", hl7: true, base: atFirst("writer", fault.Notification, fault.Fault{Kind: fault.Repeat})},
		{name: "two senders at once", hl7: true, together: true, base: atFirst("ingest", "sns:Publish", fault.Fault{Kind: fault.Stall, Delay: 600 * time.Millisecond})},
		{name: "a claim taken over", hl7: true, base: everyAttempt("ingest", "sns:Publish", fault.Fault{Kind: fault.Fail})},
		{name: "a message asked for early", hl7: true, early: true, base: everyAttempt("writer", fault.Event, fault.Fault{Kind: fault.Late, Delay: 2 * time.Second})},
		{name: "a message read", hl7: true, read: true},
		{name: "an admission beyond the share", hl7: true, deferred: true},
	}
}

func atFirst(program, call string, f fault.Fault) func(place, int, int) fault.Fault {
	return func(at place, visit, attempt int) fault.Fault {
		if at.program == program && at.call == call && visit == 1 && attempt == 1 {
			return f
		}
		return fault.Fault{}
	}
}

func everyAttempt(program, call string, f fault.Fault) func(place, int, int) fault.Fault {
	return func(at place, visit, _ int) fault.Fault {
		if at.program == program && at.call == call && visit == 1 {
			return f
		}
		return fault.Fault{}
	}
}

// body returns a message of the scenario; another n makes another message.
func (s scenario) body(n int) []byte {
	var body []byte
	if s.hl7 {
		body = fmt.Appendf(nil, "MSH|^~\\&|APP|HERE|LAKE|THERE|20260102030405||ADT^A01|%d|T|2.5.1\rPID|1||%[1]d^^^HERE^MR||Sample^Sue\r", n)
	} else {
		body = fmt.Appendf(nil, "no message, but kept: %d ", n)
	}
	line := []byte("NTE|1|L|a~b~c~d~e~f~g~h~i~j\r")
	if !s.hl7 {
		line = []byte("and on it goes ")
	}
	if missing := s.size - len(body); missing > 0 {
		body = append(body, bytes.Repeat(line, missing/len(line)+1)...)
	}
	if s.feed {
		body = bytes.ReplaceAll(body, []byte("\r"), []byte("\n"))
	}
	return body
}

// takeShare takes the share that an institution has of staging, for an hour.
func (l *lake) takeShare(ctx context.Context, owner string) error {
	assembly, err := local.Load("../snapshots/dev")
	if err != nil {
		return err
	}
	tables := assembly.OfType("AWS::DynamoDB::Table")
	shares := slices.IndexFunc(tables, func(r *template.Resource) bool { return strings.HasPrefix(r.LogicalID, "Shares") })
	if shares < 0 {
		return errors.New("staging has no table of shares")
	}
	_, err = l.dynamodb().PutItem(ctx, &dynamodb.PutItemInput{TableName: &tables[shares].PhysicalID, Item: map[string]types.AttributeValue{
		"pk":   &types.AttributeValueMemberS{Value: "owner#" + owner},
		"full": &types.AttributeValueMemberN{Value: strconv.FormatInt(time.Now().Add(time.Hour).UnixMicro(), 10)},
	}})
	return err
}

// run plays the scenario for a sender. The message is in the ledger whatever becomes of
// it.
func (s scenario) run(ctx context.Context, l *lake, m *message) error {
	if s.deferred {
		if err := l.takeShare(ctx, m.sender.owner); err != nil {
			return err
		}
	}
	if err := s.post(ctx, l, m); err != nil {
		return err
	}
	if !s.again {
		return nil
	}
	repeated := &message{sender: m.sender, body: m.body}
	err := l.send(ctx, repeated)
	m.answers = append(m.answers, repeated.answers...)
	if last := repeated.answers[len(repeated.answers)-1]; err == nil && last.Status != http.StatusConflict {
		err = fmt.Errorf("the duplicate was answered %d", last.Status)
	}
	return err
}

func (s scenario) post(ctx context.Context, l *lake, m *message) error {
	if !s.together {
		return l.send(ctx, m)
	}
	other := &message{name: m.name, sender: m.sender, body: m.body}
	var failed error
	var sending sync.WaitGroup
	sending.Go(func() { failed = l.send(ctx, other) })
	err := l.send(ctx, m)
	sending.Wait()
	m.answers = append(m.answers, other.answers...)
	if err == nil {
		err = failed
	}
	return err
}

// readBack fetches what became of the message. It repeats if the lake cannot answer, as a
// reader does.
func readBack(ctx context.Context, l *lake, m *message) error {
	id, _ := m.id()
	for path, want := range map[string]func([]byte) bool{
		"":      telling(id),
		"/er7":  func(body []byte) bool { return bytes.Equal(body, m.body) },
		"/json": telling(id),
	} {
		if err := l.readUntil(ctx, m.sender, "/messages/"+id+path, want); err != nil {
			return err
		}
	}
	return nil
}

// telling are the statuses of answers that name the message.
func telling(id string) func([]byte) bool {
	return func(body []byte) bool { return bytes.Contains(body, []byte(id)) }
}

// readUntil asks until the answer is 200. Any other answer except a 5xx ends it.
func (l *lake) readUntil(ctx context.Context, s sender, path string, want func([]byte) bool) error {
	for {
		told := l.get(ctx, s, path)
		switch {
		case told.Status == http.StatusOK && want([]byte(told.Body)):
			return nil
		case told.Status == http.StatusOK:
			return fmt.Errorf("GET %s answers something else than what was sent", path)
		case told.Status != 0 && told.Status < 500:
			return fmt.Errorf("GET %s answers %d", path, told.Status)
		}
		select {
		case <-time.After(resendAfter):
		case <-ctx.Done():
			return fmt.Errorf("GET %s was never answered: %+v", path, told)
		}
	}
}
