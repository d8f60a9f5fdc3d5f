package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hl7lake/internal/testing/canary"
	"hl7lake/internal/testing/fake"
)

// toHL7 returns a request of POST /hl7, as API Gateway passes it on.
func toHL7(contentType, body string) events.APIGatewayV2HTTPRequest {
	r := to(binary(contentType, []byte(body)), "/hl7")
	r.RouteKey = routeHL7
	return r
}

// hl7Of returns the body of an answer in HL7, and fails the test if it is none.
func hl7Of(t testing.TB, response events.APIGatewayV2HTTPResponse) string {
	t.Helper()
	body, err := base64.StdEncoding.DecodeString(response.Body)
	if err != nil || response.StatusCode != 200 || !response.IsBase64Encoded || !strings.Contains(response.Headers["Content-Type"], "hl7-v2") {
		t.Fatalf("%d %v %s", response.StatusCode, response.Headers, response.Body)
	}
	return string(body)
}

var (
	times = regexp.MustCompile(`\d{14}[+-]\d{4}`)
	ids   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)
	names = regexp.MustCompile(`\b[A-Z2-7]{20}\b`)
)

// shape returns an answer with a word for whatever differs each time, in lines.
func shape(text string) []string {
	text = names.ReplaceAllString(ids.ReplaceAllString(times.ReplaceAllString(text, "NOW"), "ID"), "CONTROL")
	return strings.Split(strings.TrimSuffix(text, "\r"), "\r")
}

// codes returns the MSA-1 and MSA-2 of each acknowledgment in an answer, in their order.
func codes(text string) (all []string) {
	for line := range strings.SplitSeq(text, "\r") {
		if fields := strings.Split(line, "|"); fields[0] == "MSA" {
			all = append(all, strings.Join(append(fields, "")[1:3], " "))
		}
	}
	return all
}

func TestAMessageOverHTTPIsAcknowledgedWhenTheHubHasItAndADuplicateToo(t *testing.T) {
	door := newFrontDoor(t)
	first := door.post(t, toHL7("application/hl7-v2; charset=utf-8", adt))
	again := door.post(t, toHL7("application/hl7-v2; charset=utf-8", strings.ReplaceAll(adt, "\r", "\n")))
	event := door.event(t)
	if string(event.Body) != adt || event.Type != "ADT^A01" || event.Charset != "utf-8" {
		t.Errorf("the hub has %q", event.Body)
	}
	const header = `MSH|^~\&|LAKE|ST|EPIC|ST|NOW||ACK^A01^ACK|CONTROL|P|2.5.1`
	for response, want := range map[*events.APIGatewayV2HTTPResponse][]string{
		&first: {header, "MSA|AA|C1|Kept as ID"}, &again: {header, "MSA|AA|C1|Kept before as ID"},
	} {
		text := hl7Of(t, *response)
		if diff := cmp.Diff(want, shape(text)); diff != "" {
			t.Error(diff)
		}
		if !strings.Contains(text, event.ID.String()) || response.Headers["Location"] != "/messages/"+event.ID.String() {
			t.Errorf("told %s, %v", text, response.Headers)
		}
	}
	if response := door.post(t, request("text/plain", adt)); response.StatusCode != 409 || id(t, response) != event.ID {
		t.Errorf("at /er7: %d %s", response.StatusCode, response.Body)
	}
}

func TestTheAnswerHasTheMediaTypeAndTheCharsetOfTheRequest(t *testing.T) {
	const latin = "MSH|^~\\&|APP|K\xfcche|||2026||ADT^A01|C1|P|2.5\rPID|1\r"
	for _, test := range []struct{ contentType, body, want, facility string }{
		{"application/hl7-v2", adt, "application/hl7-v2; charset=utf-8", "|ST|"},
		{"application/hl7-v2+er7; charset=UTF-8", adt, "application/hl7-v2+er7; charset=UTF-8", "|ST|"},
		{"x-application/hl7-v2+er7;charset=iso-8859-1", latin, "x-application/hl7-v2+er7; charset=iso-8859-1", "|K\xfcche|"},
		{"application/hl7-v2", strings.Replace(latin, "2.5\r", "2.5||||||8859/1\r", 1), "application/hl7-v2; charset=iso-8859-1", "|K\xfcche|"},
	} {
		response := newFrontDoor(t).post(t, toHL7(test.contentType, test.body))
		if text := hl7Of(t, response); response.Headers["Content-Type"] != test.want || !strings.Contains(text, test.facility) {
			t.Errorf("%s: %s %q", test.contentType, response.Headers["Content-Type"], text)
		}
	}
}

// TestTheCodeIsTheOneThatTheSenderLooksFor: HL7 v2.5.1, 2.9.
func TestTheCodeIsTheOneThatTheSenderLooksFor(t *testing.T) {
	for mode, want := range map[string]string{"": "AA", "|||AL|NE": "CA", "|||AL|AL": "AA", "||||AL": "AA", "||||ER": "AA", "|||NE|NE": "CA"} {
		body := strings.Replace(adt, "2.5.1\r", "2.5.1"+mode+"\r", 1)
		if got := codes(hl7Of(t, newFrontDoor(t).post(t, toHL7("application/hl7-v2", body)))); got[0] != want+" C1" {
			t.Errorf("%q: %v", mode, got)
		}
	}
}

func TestAMessageThatCannotBeReadIsNotKeptAndAnsweredWithTheReason(t *testing.T) {
	for name, test := range map[string]struct {
		body string
		want []string
	}{
		"no end of the header": {"MSH|^~\\&", []string{"MSA|AE", "ERR||MSH^1^3|101^Required field missing^HL70357|E||||the MSH segment ends before its third field"}},
		"bad delimiters":       {"MSH|abcd|A||||||ADT|C7|P|2.5\r", []string{"MSA|AE|C7", "ERR||MSH^1^2|102^Data type error^HL70357|E||||unusable delimiters"}},
		"two without a batch":  {adt + strings.Replace(adt, "C1", "C2", 1), []string{"MSA|AE|C1", "ERR||MSH^1|100^Segment sequence error^HL70357|E||||more than one message"}},
		"enhanced mode":        {strings.Replace(adt, "2.5.1\r", "2.5.1|||AL\rMSH|\r", 1), []string{"MSA|CE|C1", "ERR||MSH^1|100^Segment sequence error^HL70357|E||||more than one message"}},
		"an endless header":    {"MSH|^~\\&|A|B|||||ADT|C9" + strings.Repeat("9", maxHeader) + "|P|2.5\r", []string{"MSA|AE", "ERR|||207^Application internal error^HL70357|E||||" + longHeader.problem.Text}},
	} {
		t.Run(name, func(t *testing.T) {
			door := newFrontDoor(t)
			got := shape(hl7Of(t, door.post(t, toHL7("application/hl7-v2", test.body))))
			if diff := cmp.Diff(test.want, got[1:]); diff != "" {
				t.Error(diff)
			}
			if n := len(door.topic.Published()); n != 0 {
				t.Errorf("%d events", n)
			}
			if got := fake.Lines(t, door.log.String(), "outcome", "Refused"); len(got) != 1 || got[0]["Refused"] != 1.0 {
				t.Errorf("recorded %v", got)
			}
		})
	}
}

func TestAStatusOtherThan200ComesWithoutHL7(t *testing.T) {
	outage := func(context.Context, string) error { return fake.Refusal("SNS", "Publish", "InternalError", 500) }
	packed := toHL7("application/hl7-v2", adt)
	packed.Headers["content-encoding"] = "gzip"
	for _, test := range []struct {
		name    string
		request events.APIGatewayV2HTTPRequest
		before  func(context.Context, string) error
		status  int
		code    string
	}{
		{"no privilege", as(toHL7("application/hl7-v2", adt), nil), nil, 403, "no-write-privilege"},
		{"text", toHL7("text/plain", adt), nil, 415, "unsupported-media-type"},
		{"JSON", toHL7("application/json", `{"msg":"TVNI"}`), nil, 415, "unsupported-media-type"},
		{"no type", toHL7("", adt), nil, 415, "unsupported-media-type"},
		{"XML", toHL7("application/hl7-v2+xml", "<ADT_A01/>"), nil, 415, "unsupported-media-type"},
		{"packed", packed, nil, 415, "unsupported-content-encoding"},
		{"an unknown charset", toHL7("application/hl7-v2; charset=klingon", adt), nil, 400, "unknown-charset"},
		{"nothing", toHL7("application/hl7-v2", "\r\n"), nil, 400, "empty-body"},
		{"no HL7", toHL7("application/hl7-v2", "Hello"), nil, 400, "no-hl7"},
		{"too many messages", toHL7("application/hl7-v2", "BHS|^~\\&\r"+strings.Repeat("MSH|^~\\&|A|\r", maxParts+1)), nil, 413, "too-many-messages"},
		{"too many batches", toHL7("application/hl7-v2", strings.Repeat("BHS|^~\\&\r", maxEnvelopes+1)), nil, 413, "too-many-messages"},
		{"an outage", toHL7("application/hl7-v2", adt), outage, 503, "unavailable"},
		{"an outage for a batch", toHL7("application/hl7-v2", "BHS|^~\\&\r"+adt), outage, 503, "unavailable"},
	} {
		t.Run(test.name, func(t *testing.T) {
			door := newFrontDoor(t)
			door.topic.Before = test.before
			response := door.post(t, test.request)
			if response.StatusCode != test.status || !strings.Contains(response.Body, test.code) || response.Headers["Content-Type"] != "application/problem+json" {
				t.Errorf("%d %v %s", response.StatusCode, response.Headers, response.Body)
			}
			if n := len(door.topic.Published()); n != 0 && test.before == nil {
				t.Errorf("%d events", n)
			}
		})
	}
}

// numbered returns a message of its own for each n.
func numbered(n int) string { return strings.Replace(adt, "C1", fmt.Sprintf("C%d", n), 1) }

func TestABatchIsAnsweredByABatchInItsOrder(t *testing.T) {
	door := newFrontDoor(t)
	door.post(t, toHL7("application/hl7-v2", numbered(2)))
	body := "FHS|^~\\&|EPIC|ST|LAKE|ST|2026||||F1\rBHS|^~\\&|EPIC|ST|LAKE|ST|2026||||B1\r" + numbered(1) + numbered(2) +
		"MSH|^~\\\rBTS|3\rBHS|^~\\&|||||||||B2\r" + numbered(4) + "BTS|1\rFTS|2\r"
	got := shape(hl7Of(t, door.post(t, toHL7("application/hl7-v2", body))))
	const header = `MSH|^~\&|LAKE|ST|EPIC|ST|NOW||ACK^A01^ACK|CONTROL|P|2.5.1`
	want := []string{
		`FHS|^~\&|LAKE|ST|EPIC|ST|NOW||||CONTROL|F1`, `BHS|^~\&|LAKE|ST|EPIC|ST|NOW||||CONTROL|B1`,
		header, "MSA|AA|C1|Kept as ID",
		header, "MSA|AA|C2|Kept before as ID",
		`MSH|^~\|||||NOW||ACK|CONTROL`, "MSA|AE", "ERR||MSH^1^3|101^Required field missing^HL70357|E||||the MSH segment ends before its third field",
		"BTS|3",
		`BHS|^~\&|||||NOW||||CONTROL|B2`, header, "MSA|AA|C4|Kept as ID", "BTS|1", "FTS|2",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if n := len(door.topic.Published()); n != 3 {
		t.Errorf("%d events", n)
	}
}

func TestNothingInABatchIsPassedOverInSilence(t *testing.T) {
	for name, test := range map[string]struct {
		body string
		want []string
	}{
		"a wrong count":         {"BHS|^~\\&\r" + numbered(1) + "BTS|7\r", []string{"AA C1", "AE "}},
		"text between":          {"BHS|^~\\&\r" + numbered(1) + "BTS|1\rHello\r", []string{"AA C1", "AE "}},
		"a header in a line":    {"BHS|^~\\&\r" + numbered(1) + "ZZZ|1FMSH|^~\\&|A|\r" + numbered(2) + "BTS|2\r", []string{"AE C1", "AA C2"}},
		"no trailer":            {"BHS|^~\\&\r" + numbered(1), []string{"AA C1"}},
		"messages in the file":  {"FHS|^~\\&\r" + numbered(1) + numbered(2) + "FTS|1\r", []string{"AA C1", "AA C2"}},
		"a batch after a batch": {"BHS|^~\\&\r" + numbered(1) + "BHS|^~\\&\r" + numbered(2), []string{"AA C1", "AA C2"}},
		"no message":            {"FHS|^~\\&\rFTS|0\r", nil},
		"only a trailer":        {"BTS|0\r", nil},
	} {
		t.Run(name, func(t *testing.T) {
			text := hl7Of(t, newFrontDoor(t).post(t, toHL7("application/hl7-v2", test.body)))
			if diff := cmp.Diff(test.want, codes(text)); diff != "" {
				t.Errorf("%s\n%s", diff, text)
			}
			if strings.Count(text, "BHS|") != strings.Count(text, "BTS|") || strings.Count(text, "FHS|") != strings.Count(text, "FTS|") {
				t.Errorf("not ended: %q", text)
			}
		})
	}
}

// A breakdown is what goes wrong while a batch is posted.
type breakdown struct {
	messages int
	call     int    // the call to AWS that fails, from 1 on
	kind     string // "before": it has no effect; "after": its answer is lost; "hang": time runs out
}

// TestABatchThatBreaksOffEndsWithEachMessageOnceAfterAResend posts a batch, of which any
// call to AWS may fail, and then the whole batch again, until all of it is acknowledged.
func TestABatchThatBreaksOffEndsWithEachMessageOnceAfterAResend(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		messages := rapid.IntRange(1, 6).Draw(r, "messages")
		down := breakdown{
			messages: messages,
			call:     rapid.IntRange(1, 3*messages+2).Draw(r, "call"),
			kind:     rapid.SampledFrom([]string{"before", "after", "hang"}).Draw(r, "kind"),
		}
		var wrong string
		synctest.Test(t, func(t *testing.T) { wrong = down.play(t) })
		if wrong != "" {
			r.Fatal(wrong)
		}
	})
}

// faults makes the call fail.
func (b breakdown) faults() fake.Faults {
	calls := 0
	fail := func(ctx context.Context, _ string) error {
		if calls++; calls != b.call {
			return nil
		}
		if b.kind == "hang" {
			<-ctx.Done()
			return ctx.Err()
		}
		return errors.New("outage")
	}
	if b.kind == "after" {
		return fake.Faults{After: fail}
	}
	return fake.Faults{Before: fail}
}

// play returns what is wrong, if anything is.
func (b breakdown) play(t *testing.T) (wrong string) {
	body, want := "BHS|^~\\&|A||||||||B1\r", []string{}
	for n := range b.messages {
		body += numbered(n)
		want = append(want, fmt.Sprintf("AA C%d", n))
	}
	door := newFrontDoor(t)
	faults := b.faults()
	door.tables.Faults, door.topic.Faults = faults, faults
	acknowledged := 0
	if first := door.post(t, toHL7("application/hl7-v2", body)); first.StatusCode == 200 {
		got := codes(hl7Of(t, first))
		for acknowledged < len(got) && got[acknowledged] == want[acknowledged] {
			acknowledged++
		}
		if len(got) != b.messages || strings.Contains(strings.Join(got[acknowledged:], "\n"), "AA") {
			return fmt.Sprintf("answered %q", got)
		}
	}
	if has := len(door.topic.Published()); has < acknowledged {
		return fmt.Sprintf("%d acknowledged, and the hub has %d", acknowledged, has)
	}
	door.tables.Faults, door.topic.Faults = fake.Faults{}, fake.Faults{}
	time.Sleep(timeout + margin + time.Second) // a claim whose answer was lost expires
	if diff := cmp.Diff(want, codes(hl7Of(t, door.post(t, toHL7("application/hl7-v2", body))))); diff != "" {
		return "sent again: " + diff
	}
	kept := map[string]bool{}
	for _, in := range door.topic.Published() {
		kept[*in.MessageAttributes["id"].StringValue] = true
	}
	if len(kept) != b.messages {
		return fmt.Sprintf("%d messages became %d", b.messages, len(kept))
	}
	return ""
}

func TestWhenTimeRunsOutTheRestOfABatchIsAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		door := newFrontDoor(t)
		door.topic.Before = func(ctx context.Context, _ string) error {
			select {
			case <-time.After(5 * time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		body := "BHS|^~\\&\r" + numbered(1) + numbered(2) + numbered(3) + numbered(4) + numbered(5) + "MSH|^~\\\r"
		start := time.Now()
		text := hl7Of(t, door.post(t, toHL7("application/hl7-v2", body)))
		if diff := cmp.Diff([]string{"AA C1", "AA C2", "AA C3", "AR C4", "AR C5", "AE "}, codes(text)); diff != "" {
			t.Error(diff)
		}
		if took := time.Since(start); took >= timeout {
			t.Errorf("answered after %s", took)
		}
		door.topic.Before = nil
		text = hl7Of(t, door.post(t, toHL7("application/hl7-v2", body)))
		if diff := cmp.Diff([]string{"AA C1", "AA C2", "AA C3", "AA C4", "AA C5", "AE "}, codes(text)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEachMessageOfABatchCountsAgainstTheShareAndABatchWaitsALittleForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // 20 messages a second, 200 at once
		door := newFrontDoor(t)
		body := "BHS|^~\\&\r"
		for n := range 300 {
			body += numbered(n)
		}
		start := time.Now()
		text := hl7Of(t, door.post(t, toHL7("application/hl7-v2", body)))
		taken, later := strings.Count(text, "MSA|AA|"), strings.Count(text, "MSA|AR|")
		if taken < 200 || taken > 250 || taken+later != 300 || time.Since(start) > 2*patience {
			t.Errorf("%d taken and %d left for later, after %s", taken, later, time.Since(start))
		}
		if response := door.post(t, toHL7("application/hl7-v2", numbered(1000))); response.StatusCode != 429 || response.Headers["Retry-After"] == "" {
			t.Errorf("the next one: %d %s", response.StatusCode, response.Body)
		}
	})
}

func TestAMessageThatAnotherRequestIsAcceptingDoesNotHoldUpTheRestOfABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		door := newFrontDoor(t)
		hang := true
		door.topic.Before = func(context.Context, string) error {
			if hang {
				hang = false
				time.Sleep(10 * time.Second)
			}
			return nil
		}
		var first sync.WaitGroup
		defer first.Wait()
		first.Go(func() { door.post(t, toHL7("application/hl7-v2", numbered(2))) })
		synctest.Wait()
		body := "BHS|^~\\&\r" + numbered(1) + numbered(2) + numbered(3)
		text := hl7Of(t, door.post(t, toHL7("application/hl7-v2", body)))
		if diff := cmp.Diff([]string{"AA C1", "AR C2", "AA C3"}, codes(text)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestNoPatientDataLeavesBesideTheBodyOfAPostInHL7(t *testing.T) {
	inputs := canary.Broken()
	inputs["a message"] = canary.Message()
	inputs["a batch"] = append([]byte("BHS|^~\\&\r"), canary.Message()...)
	inputs["a batch with a message in a line"] = append([]byte("BHS|^~\\&\rX"), canary.Message()...)
	for name, input := range inputs {
		t.Run(name, func(t *testing.T) {
			door := newFrontDoor(t)
			response := door.post(t, as(toHL7("application/hl7-v2", string(input)), map[string]string{"custom:write": canary.Owner}))
			canary.Check(t, "the headers", response.Headers)
			if response.StatusCode != 200 {
				canary.Check(t, "the answer", response.Body)
			}
			canary.Check(t, "the log", door.log.String())
			canary.Check(t, "the received table", door.tables.Items(t, fake.Received))
		})
	}
}

// TestTheAnswerToAnyPostFitsIntoLambdas: 6 MB (AWS Lambda quotas).
func TestTheAnswerToAnyPostFitsIntoLambdas(t *testing.T) {
	field := strings.Repeat("x", maxHeader-100)
	file := "FHS|^~\\&|" + field + "\r"
	for range maxEnvelopes - 2 {
		file += "BHS|^~\\&|" + field + "\r"
	}
	for range maxParts {
		file += "MSH|^~\\&|" + field + "||||||ADT|1|P|2.5\r"
	}
	door := newFrontDoor(t)
	door.post(t, toHL7("application/hl7-v2", "MSH|^~\\&|"+field+"||||||ADT|1|P|2.5\r")) // so that all are duplicates
	response := door.post(t, toHL7("application/hl7-v2", file))
	if acks := codes(hl7Of(t, response)); len(acks) != maxParts || len(response.Body) > maxBody*9/10 {
		t.Errorf("%d acknowledgments in %d bytes", len(acks), len(response.Body))
	}
}

func FuzzNoPostInHL7MakesTheLakeFail(f *testing.F) {
	f.Add(adt)
	f.Add("BHS|^~\\&\r" + adt + "BTS|1\r")
	f.Add("FHS|^~\\&\rBHS|\rMSH|^~\\&|A\r\x0bMSH|^~\\&|A|\x1c\rBTS\rFTS|x")
	f.Add("\xff\xfeB\x00H\x00S\x00|\x00^\x00~\x00\\\x00&\x00\r\x00M\x00S\x00H\x00|\x00^\x00~\x00\\\x00&\x00|\x00")
	f.Fuzz(func(t *testing.T, body string) {
		response := newFrontDoor(t).post(t, toHL7("application/hl7-v2", body))
		switch response.StatusCode {
		case 200, 400, 413:
		default:
			t.Errorf("%d %s", response.StatusCode, response.Body)
		}
		if most := (maxParts + 1) * 2 * maxHeader; len(response.Body) > most {
			t.Errorf("an answer of %d bytes", len(response.Body))
		}
	})
}
