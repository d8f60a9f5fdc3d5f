package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"hl7lake/internal/hub"
	"hl7lake/internal/testing/canary"
	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/allowance"
	"hl7lake/lambdas/internal/problem"
	"hl7lake/lambdas/internal/received"
	"hl7lake/lambdas/internal/telemetry"
)

const owner = "st-elsewhere"

const adt = "MSH|^~\\&|EPIC|ST|LAKE|ST|20260102||ADT^A01^ADT_A01|C1|P|2.5.1\rPID|1||77^^^ST\r"

// frontDoor is ingest in front of fakes, as Lambda runs it.
type frontDoor struct {
	tables  *fake.Tables
	topic   *fake.Topic
	buckets *fake.Buckets
	log     *bytes.Buffer
	answer  problem.Handler
}

func newFrontDoor(t testing.TB) *frontDoor {
	door := &frontDoor{tables: fake.NewTables(t), topic: &fake.Topic{}, buckets: &fake.Buckets{}, log: &bytes.Buffer{}}
	logger := telemetry.NewLogger(door.log)
	h := handler{
		logger:    logger,
		metrics:   telemetry.Metrics{Environment: "test"},
		allowance: allowance.New(fake.Received, door.tables, allowance.Limit{PerSecond: 20, Burst: 200}),
		received:  received.Table{Name: fake.Received, DB: door.tables},
		hub:       hub.Topic{ARN: "hub", Publisher: door.topic, ClaimCheck: hub.ClaimCheck{Bucket: "checks", Objects: door.buckets}},
	}
	door.answer = problem.Answer(logger, h.serve)
	return door
}

// timeout is the function's time-out.
const timeout = 20 * time.Second

func (d *frontDoor) post(t testing.TB, request events.APIGatewayV2HTTPRequest) events.APIGatewayV2HTTPResponse {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	response, err := d.answer(ctx, request)
	if err != nil {
		t.Fatalf("Lambda would see %v", err)
	}
	return response
}

// event returns the one event that the hub has.
func (d *frontDoor) event(t *testing.T) hub.Event {
	t.Helper()
	batch := d.topic.Deliveries()
	if len(batch.Records) != 1 {
		t.Fatalf("the hub has %d events", len(batch.Records))
	}
	e, err := hub.ClaimCheck{Bucket: "checks", Objects: d.buckets}.Open(t.Context(), hub.FromSNS(batch.Records[0].SNS))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func request(contentType, body string) events.APIGatewayV2HTTPRequest {
	r := events.APIGatewayV2HTTPRequest{Headers: map[string]string{"content-type": contentType}, Body: body}
	return as(r, map[string]string{"custom:write": owner})
}

// ambiguous returns the detail for JSON with an ambiguous member at that byte.
func ambiguous(at int) string {
	return fmt.Sprintf(`The JSON object has a member twice, or "msg" or "encoding" in other letters: see byte %d.`, at)
}

func as(r events.APIGatewayV2HTTPRequest, claims map[string]string) events.APIGatewayV2HTTPRequest {
	r.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
		JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: claims},
	}
	return r
}

func binary(contentType string, body []byte) events.APIGatewayV2HTTPRequest {
	r := request(contentType, base64.StdEncoding.EncodeToString(body))
	r.IsBase64Encoded = true
	return r
}

// original returns a request in the original design's form.
func original(body []byte, encoding string) events.APIGatewayV2HTTPRequest {
	return request("application/json", fmt.Sprintf(`{"msg":%q,"encoding":%q}`, base64.StdEncoding.EncodeToString(body), encoding))
}

// id reads an answer of 201 or 409 and fails the test if it is not in the original
// design's words.
func id(t *testing.T, response events.APIGatewayV2HTTPResponse) uuid.UUID {
	t.Helper()
	var got answer
	if err := json.Unmarshal([]byte(response.Body), &got); err != nil {
		t.Fatalf("%d %s", response.StatusCode, response.Body)
	}
	words := map[int]string{201: "Message ingested", 409: "Rejected due to being a duplicate"}
	if got.Status != words[response.StatusCode] || got.ID.Version() != 7 || response.Headers["Location"] != "/messages/"+got.ID.String() {
		t.Fatalf("%d %s %v", response.StatusCode, response.Body, response.Headers)
	}
	return got.ID
}

func TestAMessageIsIngestedOnceAndThenADuplicate(t *testing.T) {
	door := newFrontDoor(t)
	first := door.post(t, original([]byte(adt), "utf-8"))
	again := door.post(t, original([]byte(adt), "utf-8"))
	if first.StatusCode != 201 || again.StatusCode != 409 || id(t, first) != id(t, again) {
		t.Fatalf("%d %s, then %d %s", first.StatusCode, first.Body, again.StatusCode, again.Body)
	}
	root := id(t, first)
	want := hub.Event{
		Name: hub.Ingested, Kind: hub.ER7, ID: root, Root: root, Owner: owner, Type: "ADT^A01", Charset: "utf-8", Body: []byte(adt),
	}
	if diff := cmp.Diff(want, door.event(t)); diff != "" {
		t.Error(diff)
	}
}

// to returns the request with the address of a kind.
func to(r events.APIGatewayV2HTTPRequest, path string) events.APIGatewayV2HTTPRequest {
	r.RawPath = path
	return r
}

func TestWhatNoCodeOfTheLakeKnowsIsTakenByteForByte(t *testing.T) {
	const edi = "ISA*00*~\r\nGS*HC~\n\xff"
	door := newFrontDoor(t)
	first := door.post(t, to(binary("application/edi-x12", []byte(edi)), "/stage/messages/x12/edi"))
	again := door.post(t, to(binary("application/octet-stream", []byte(edi)), "/messages/x12/edi"))
	if first.StatusCode != 201 || again.StatusCode != 409 || id(t, first) != id(t, again) {
		t.Fatalf("%d %s, then %d %s", first.StatusCode, first.Body, again.StatusCode, again.Body)
	}
	root := id(t, first)
	want := hub.Event{Name: hub.Ingested, Kind: "x12/edi", ID: root, Root: root, Owner: owner, Type: hub.UnknownType, Body: []byte(edi)}
	if diff := cmp.Diff(want, door.event(t)); diff != "" {
		t.Error(diff)
	}
	for name, other := range map[string]events.APIGatewayV2HTTPRequest{
		"other line ends": to(binary("application/octet-stream", []byte(strings.ReplaceAll(edi, "\r\n", "\n"))), "/messages/x12/edi"),
		"another format":  to(binary("application/octet-stream", []byte(edi)), "/messages/x12/txt"),
		"as ER7":          binary("application/hl7-v2", []byte(edi)),
		"JSON as it is":   to(request("application/json", `{"msg":"TVNI","encoding":"utf-8"}`), "/messages/fhir-r4/json"),
	} {
		if response := door.post(t, other); response.StatusCode != 201 {
			t.Errorf("%s: %d %s", name, response.StatusCode, response.Body)
		}
	}
}

func TestER7IsTheSameByBothAddresses(t *testing.T) {
	door := newFrontDoor(t)
	const path = "/messages/hl7v2/er7"
	first := door.post(t, original([]byte(adt), "utf-8"))
	again := door.post(t, to(original([]byte(strings.ReplaceAll(adt, "\r", "\n")), "utf-8"), path))
	if first.StatusCode != 201 || again.StatusCode != 409 || id(t, first) != id(t, again) {
		t.Fatalf("%d %s, then %d %s", first.StatusCode, first.Body, again.StatusCode, again.Body)
	}
	if response := door.post(t, to(binary("image/png", []byte(adt)), path)); response.StatusCode != 415 {
		t.Errorf("%d %s", response.StatusCode, response.Body)
	}
}

func TestAnAddressThatNamesNoKindIsRefused(t *testing.T) {
	door := newFrontDoor(t)
	for _, path := range []string{
		"/messages/X12/edi", "/messages/x12/edi/more", "/messages/x12/", "/messages/-/edi", "/messages/x_12/edi", "/messages/" + strings.Repeat("x", 33) + "/edi",
	} {
		response := door.post(t, to(binary("application/octet-stream", []byte("ISA")), path))
		if response.StatusCode != 400 || !strings.Contains(response.Body, "bad-kind") || strings.Contains(response.Body, "x_12") {
			t.Errorf("%s: %d %s", path, response.StatusCode, response.Body)
		}
	}
	if response := door.post(t, to(request("", "ISA"), "/messages/x12/edi")); response.StatusCode != 415 {
		t.Errorf("without a Content-Type: %d %s", response.StatusCode, response.Body)
	}
}

// TestTheSameMessageByAnotherWayIsADuplicate posts a message as different engines do:
// each form once as the first, followed by all others.
func TestTheSameMessageByAnotherWayIsADuplicate(t *testing.T) {
	forms := map[string]string{
		"CR":                 adt,
		"LF":                 strings.ReplaceAll(adt, "\r", "\n"),
		"CRLF":               strings.ReplaceAll(adt, "\r", "\r\n"),
		"MLLP":               "\x0b" + adt + "\x1c\r",
		"byte order mark":    "\ufeff" + adt,
		"no last terminator": strings.TrimSuffix(adt, "\r"),
	}
	const detail = "Line ends, framing or a byte order mark differ from the first one's, and nothing else."
	for name, first := range forms {
		t.Run(name+" first", func(t *testing.T) {
			door := newFrontDoor(t)
			accepted := door.post(t, binary("application/hl7-v2", []byte(first)))
			if accepted.StatusCode != 201 || strings.Contains(accepted.Body, "detail") {
				t.Fatalf("%d %s", accepted.StatusCode, accepted.Body)
			}
			for second, body := range forms {
				response := door.post(t, binary("application/hl7-v2", []byte(body)))
				want := answer{Status: "Rejected due to being a duplicate", ID: id(t, accepted)}
				if second != name {
					want.Detail = detail
				}
				var got answer
				if err := json.Unmarshal([]byte(response.Body), &got); err != nil {
					t.Fatal(err)
				}
				if response.StatusCode != 409 || got != want {
					t.Errorf("%s: %d %+v", second, response.StatusCode, got)
				}
			}
			if got := door.event(t).Body; string(got) != first {
				t.Errorf("the hub has %q", got)
			}
		})
	}
}

// TestAMessageWhoseFirstAttemptFailedIsKeptOnceWhicheverWayItComesAgain: 201 promises the
// sender's bytes, and the hub may have others under the same id.
func TestAMessageWhoseFirstAttemptFailedIsKeptOnceWhicheverWayItComesAgain(t *testing.T) {
	inLF := strings.ReplaceAll(adt, "\r", "\n")
	for name, published := range map[string]bool{"published": true, "not published": false} {
		t.Run(name, func(t *testing.T) {
			door := newFrontDoor(t)
			outage := func(context.Context, string) error { return fake.Refusal("SNS", "Publish", "InternalError", 500) }
			door.topic.Faults = fake.Faults{Before: outage}
			if published {
				door.topic.Faults = fake.Faults{After: outage}
			}
			if response := door.post(t, binary("application/hl7-v2", []byte(inLF))); response.StatusCode != 503 {
				t.Fatalf("%d %s", response.StatusCode, response.Body)
			}
			door.topic.Faults = fake.Faults{}
			response := door.post(t, request("text/plain", adt))
			if response.StatusCode != 409 || !strings.Contains(response.Body, `"detail"`) {
				t.Errorf("%d %s", response.StatusCode, response.Body)
			}
			ids := map[string]bool{}
			for _, in := range door.topic.Published() {
				ids[*in.MessageAttributes["id"].StringValue] = true
			}
			if len(ids) != 1 || !ids[id(t, response).String()] {
				t.Errorf("told %s, published %v", id(t, response), ids)
			}
		})
	}
}

// resend is one post of a message that is sent repeatedly.
type resend struct {
	Form  string
	Fails int  // the number of the AWS call that fails, from 1; 0 for none
	After bool // it took effect nevertheless
	Pause time.Duration
}

// TestAnAnswerNeverPromisesBytesThatAreNotTheOnesKept posts a message repeatedly, each
// time in any of its forms, with a fault at any call and any time in between. The lake
// keeps what is published first. At most one post gets a 201, and the kept bytes are its
// own. If no difference is told, the duplicate also has the same bytes.
func TestAnAnswerNeverPromisesBytesThatAreNotTheOnesKept(t *testing.T) {
	form := rapid.SampledFrom([]string{adt, strings.ReplaceAll(adt, "\r", "\n"), "\x0b" + adt + "\x1c\r"})
	post := rapid.Custom(func(t *rapid.T) resend {
		return resend{
			form.Draw(t, "form"), rapid.IntRange(0, 8).Draw(t, "fails"), rapid.Bool().Draw(t, "after"),
			time.Duration(rapid.IntRange(0, 40).Draw(t, "pause")) * time.Second,
		}
	})
	rapid.Check(t, func(r *rapid.T) {
		posts := rapid.SliceOfN(post, 1, 8).Draw(r, "posts")
		var wrong string
		synctest.Test(t, func(t *testing.T) { wrong = play(t, posts) })
		if wrong != "" {
			r.Fatal(wrong)
		}
	})
}

// play makes the posts and says what is wrong with their answers, if anything.
func play(t *testing.T, posts []resend) (wrong string) {
	door := newFrontDoor(t)
	accepted := 0
	for i, p := range posts {
		calls := 0
		strike := func(context.Context, string) error {
			if calls++; calls == p.Fails {
				return errors.New("outage")
			}
			return nil
		}
		faults := fake.Faults{Before: strike}
		if p.After {
			faults = fake.Faults{After: strike}
		}
		door.tables.Faults, door.topic.Faults = faults, faults
		response := door.post(t, binary("application/hl7-v2", []byte(p.Form)))
		door.tables.Faults, door.topic.Faults = fake.Faults{}, fake.Faults{}

		first, ids := "", map[string]bool{}
		for _, record := range door.topic.Deliveries().Records {
			e, err := hub.ClaimCheck{}.Open(t.Context(), hub.FromSNS(record.SNS))
			if err != nil {
				t.Fatal(err)
			}
			if ids[e.ID.String()] = true; first == "" {
				first = string(e.Body)
			}
		}
		told := fmt.Sprintf("post %d, %q, is told %d %s; kept is %q of %d ids", i, p.Form, response.StatusCode, response.Body, first, len(ids))
		switch status := response.StatusCode; {
		case len(ids) > 1, status != 201 && status != 409 && status != 503, status == 409 && first == "":
			return told
		case status == 201:
			if accepted++; accepted > 1 || first != p.Form {
				return told
			}
		case status == 409 && !strings.Contains(response.Body, "detail") && first != p.Form:
			return told
		}
		time.Sleep(p.Pause)
	}
	return ""
}

func TestEveryFormOfARequestGivesTheSendersBytes(t *testing.T) {
	latin1 := []byte("MSH|^~\\&|M\xfcller\r")
	for _, test := range []struct {
		name    string
		request events.APIGatewayV2HTTPRequest
		body    []byte
		charset string
	}{
		{"the original's JSON", original(latin1, "ISO-8859-1"), latin1, "ISO-8859-1"},
		{"JSON without an encoding", request("application/json", `{"msg":"TVNI"}`), []byte("MSH"), ""},
		{"JSON with line breaks in base64", request("application/json", `{"msg":"TV\r\nNI"}`), []byte("MSH"), ""},
		{"JSON as problem-free as it can be", request("application/json; charset=utf-8", `{"msg":"TVNI","more":[1],"encoding":" utf-8 "}`), []byte("MSH"), "utf-8"},
		{"JSON that the gateway took for binary", binary("application/json", []byte(`{"msg":"TVNI"}`)), []byte("MSH"), ""},
		{"raw ER7", binary("application/hl7-v2", []byte(adt)), []byte(adt), ""},
		{"raw ER7 by the name that HAPI gives it", binary("application/hl7-v2+er7; charset=utf-8", []byte(adt)), []byte(adt), "utf-8"},
		{"raw ER7 by the name that it had before", binary("x-application/hl7-v2+er7", []byte(adt)), []byte(adt), ""},
		{"raw ER7 that came as text", request("application/hl7-v2", adt), []byte(adt), ""},
		{"raw ER7 in another charset", binary("application/hl7-v2; charset=windows-1252", latin1), latin1, "windows-1252"},
		{"text", request("text/plain;charset=UTF-8", adt), []byte(adt), "UTF-8"},
		{"text in quotes", request(`Text/Plain; charset="us-ascii"`, adt), []byte(adt), "us-ascii"},
		{"U+FFFD that was sent so", binary("application/hl7-v2", []byte("MSH|\ufffd")), []byte("MSH|\ufffd"), ""},
		{"not HL7", request("text/plain", "Hello there"), []byte("Hello there"), ""},
		{"blanks around", request("text/plain", " \r\n x \r\n"), []byte(" \r\n x \r\n"), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			door := newFrontDoor(t)
			if response := door.post(t, test.request); response.StatusCode != 201 {
				t.Fatalf("%d %s", response.StatusCode, response.Body)
			}
			e := door.event(t)
			if !bytes.Equal(e.Body, test.body) || e.Charset != test.charset {
				t.Errorf("the hub has %q in %q", e.Body, e.Charset)
			}
		})
	}
}

func TestWhatIsNotHL7IsOfUnknownType(t *testing.T) {
	for name, body := range map[string]string{
		"a text":                "Hello there",
		"a type that is a name": "MSH|^~\\&|||||||Doe^Jane|1\r",
		"no type":               "MSH|^~\\&|A\r",
	} {
		door := newFrontDoor(t)
		door.post(t, request("text/plain", body))
		if got := door.event(t).Type; got != hub.UnknownType {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestABadRequestIsToldWhatIsWrongAndNotWhatItHolds(t *testing.T) {
	const secret = "Zacharias"
	broken := request("application/hl7-v2", secret+"!")
	broken.IsBase64Encoded = true
	packed := request("application/hl7-v2", adt)
	packed.Headers["Content-Encoding"] = "gzip"
	for _, test := range []struct {
		name    string
		request events.APIGatewayV2HTTPRequest
		status  int
		detail  string
	}{
		{"no claims at all", events.APIGatewayV2HTTPRequest{}, 403, "Insufficient privileges to write"},
		{"no write claim", as(request("text/plain", adt), map[string]string{"custom:read": owner}), 403, "Insufficient privileges to write"},
		{"an empty write claim", as(request("text/plain", adt), map[string]string{"custom:write": ""}), 403, "Insufficient privileges to write"},
		{"a write claim that is no name", as(request("text/plain", adt), map[string]string{"custom:write": "a/../b"}), 403, "Insufficient privileges to write"},
		{"no content type", request("", adt), 415, "Send application/json, application/hl7-v2 or text/plain."},
		{"a form", request("application/x-www-form-urlencoded", adt), 415, "Send application/json, application/hl7-v2 or text/plain."},
		{"a content type that is none", request("text/plain; charset", adt), 415, "Send application/json, application/hl7-v2 or text/plain."},
		{"a packed body", packed, 415, "Send the body as it is, without a Content-Encoding."},
		{"not JSON", request("application/json", `{"msg": `+secret), 400, "The body is not JSON: see byte 9."},
		{"JSON cut off", request("application/json", `{"msg":"`), 400, "The body is not JSON: see byte 8."},
		{"no JSON at all", request("application/json", ""), 400, "The body is not JSON: see byte 0."},
		{"two JSON values", request("application/json", `{"msg":"TVNI"}{}`), 400, "The body is not JSON: see byte 15."},
		{"a JSON list", request("application/json", `["`+secret+`"]`), 400, `The body must be a JSON object with the strings "msg" (base64) and, if need be, "encoding".`},
		{"msg is a number", request("application/json", `{"msg":12345}`), 400, `The body must be a JSON object with the strings "msg" (base64) and, if need be, "encoding".`},
		{"msg twice", request("application/json", `{"msg":"TVNI","msg":"TVNJ"}`), 400, ambiguous(13)},
		{"msg twice, once in escapes", request("application/json", `{"msg":"TVNI","\u006dsg":"TVNJ"}`), 400, ambiguous(13)},
		{"msg in capitals beside msg", request("application/json", `{"msg":"TVNI","MSG":"TVNJ"}`), 400, ambiguous(13)},
		{"msg in capitals", request("application/json", `{"MSG":"TVNI"}`), 400, ambiguous(1)},
		{"msg with a long s", request("application/json", `{"mſg":"TVNI","msg":"TVNJ"}`), 400, ambiguous(1)},
		{"encoding twice", request("application/json", `{"encoding":"utf-8","msg":"TVNI","Encoding":"latin1"}`), 400, ambiguous(32)},
		{"another member twice", request("application/json", `{"a":1,"a":2,"msg":"TVNI"}`), 400, ambiguous(6)},
		{"a list of objects in msg's place", request("application/json", `[{"msg":"TVNI"}]`), 400, `The body must be a JSON object with the strings "msg" (base64) and, if need be, "encoding".`},
		{"null", request("application/json", `null`), 400, `The JSON object has no string "msg".`},
		{"no msg", request("application/json", `{"encoding":"utf-8"}`), 400, `The JSON object has no string "msg".`},
		{"msg is null", request("application/json", `{"msg":null}`), 400, `The JSON object has no string "msg".`},
		{"msg is not base64", request("application/json", `{"msg":"MSH|`+secret+`"}`), 400, `"msg" is not base64 with padding: see character 4.`},
		{"msg lacks padding", request("application/json", `{"msg":"TVN"}`), 400, `"msg" is not base64 with padding: see character 1.`},
		{"msg is empty", request("application/json", `{"msg":"","encoding":"utf-8"}`), 400, "The message is empty."},
		{"an empty body", request("text/plain", ""), 400, "The message is empty."},
		{"a blank body", request("text/plain", "\r\n \t"), 400, "The message is empty."},
		{"an unknown charset", request("text/plain; charset=klingon", adt), 400, `The charset "klingon" is not known. Use a name of the IANA registry, such as utf-8 or iso-8859-1.`},
		{"an unknown encoding", original([]byte(adt), "utf-7777"), 400, `The charset "utf-7777" is not known. Use a name of the IANA registry, such as utf-8 or iso-8859-1.`},
		{"an encoding that is a text", original([]byte(adt), secret+" was here\r\n<b>"), 400, "The charset is not a name of the IANA registry, such as utf-8 or iso-8859-1."},
		{"an endless encoding", original([]byte(adt), strings.Repeat("x", 1000)), 400, "The charset is not a name of the IANA registry, such as utf-8 or iso-8859-1."},
		{"text that the gateway altered", request("text/plain; charset=iso-8859-1", "MSH|M\ufffdller"), 400, errAltered.Detail},
		{"raw ER7 that the gateway altered", request("application/hl7-v2", "MSH|M\ufffdller"), 400, errAltered.Detail},
		{"base64 that the gateway broke", broken, 400, "The body could not be read."},
		{"one byte too many", request("text/plain", strings.Repeat("x", maxBody+1)), 413, errTooLarge.Detail},
	} {
		t.Run(test.name, func(t *testing.T) {
			door := newFrontDoor(t)
			response := door.post(t, test.request)
			var body struct {
				Status int
				Detail string
				Code   string
			}
			if err := json.Unmarshal([]byte(response.Body), &body); err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != test.status || body.Status != test.status || body.Detail != test.detail || body.Code == "" {
				t.Errorf("%d %s", response.StatusCode, response.Body)
			}
			if response.Headers["Content-Type"] != "application/problem+json" {
				t.Errorf("answered as %s", response.Headers["Content-Type"])
			}
			if strings.Contains(response.Body+door.log.String(), secret) {
				t.Errorf("content in %s or in %s", response.Body, door.log)
			}
			if n := len(door.topic.Published()); n != 0 {
				t.Errorf("%d events", n)
			}
		})
	}
}

func TestTheLargestBodyIsIngested(t *testing.T) {
	door := newFrontDoor(t)
	body := strings.Repeat("x", maxBody)
	if response := door.post(t, request("text/plain", body)); response.StatusCode != 201 {
		t.Fatalf("%d %s", response.StatusCode, response.Body)
	}
	if got := door.event(t).Body; string(got) != body {
		t.Errorf("the hub has %d bytes", len(got))
	}
}

func TestAHundredEqualPostsAtOnceGiveOneMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		door := newFrontDoor(t)
		door.topic.Before = func(context.Context, string) error { time.Sleep(300 * time.Millisecond); return nil }
		var posts sync.WaitGroup
		var mu sync.Mutex
		statuses, ids := map[int]int{}, map[uuid.UUID]bool{}
		for range 100 {
			posts.Go(func() {
				response := door.post(t, request("text/plain", adt))
				mu.Lock()
				defer mu.Unlock()
				statuses[response.StatusCode]++
				ids[id(t, response)] = true
			})
		}
		posts.Wait()
		if diff := cmp.Diff(map[int]int{201: 1, 409: 99}, statuses); diff != "" {
			t.Error(diff)
		}
		if len(ids) != 1 || len(door.topic.Published()) != 1 {
			t.Errorf("%d ids, %d events", len(ids), len(door.topic.Published()))
		}
	})
}

func TestAPostWhileAnotherIsUnderWayIsAskedToComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		door := newFrontDoor(t)
		door.topic.Before = func(context.Context, string) error { time.Sleep(10 * time.Second); return nil }
		var first sync.WaitGroup
		first.Go(func() {
			if response := door.post(t, request("text/plain", adt)); response.StatusCode != 201 {
				t.Errorf("the first: %d %s", response.StatusCode, response.Body)
			}
		})
		synctest.Wait()
		start := time.Now()
		response := door.post(t, request("text/plain", adt))
		if response.StatusCode != 503 || response.Headers["Retry-After"] == "" || !strings.Contains(response.Body, "in-flight") {
			t.Errorf("the second: %d %s %v", response.StatusCode, response.Body, response.Headers)
		}
		if waited := time.Since(start); waited > patience {
			t.Errorf("the second waited %s", waited)
		}
		first.Wait()
	})
}

// TestWhateverFailsAResendGivesTheMessageOnce goes through every call of an accepted
// post. Each fails once, before or after it took effect. The sender then gets a 503 and
// sends again, and there is one message, with the id that the sender is told.
func TestWhateverFailsAResendGivesTheMessageOnce(t *testing.T) {
	outage := errors.New("outage")
	// The calls in their order: take from the allowance, claim, publish, finish.
	calls := []string{"UpdateItem", "PutItem", "Publish", "PutItem"}
	for n, name := range calls {
		for _, kind := range []string{"before", "after"} {
			t.Run(fmt.Sprintf("%d %s %s", n, name, kind), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					door := newFrontDoor(t)
					calls := 0
					once := func(context.Context, string) error {
						if calls++; calls == n+1 {
							return outage
						}
						return nil
					}
					faults := fake.Faults{Before: once}
					if kind == "after" {
						faults = fake.Faults{After: once}
					}
					door.tables.Faults, door.topic.Faults = faults, faults

					first := door.post(t, request("text/plain", adt))
					if first.StatusCode != 503 || first.Headers["Retry-After"] == "" {
						t.Fatalf("the first: %d %s", first.StatusCode, first.Body)
					}
					time.Sleep(timeout + margin + time.Second) // a claim whose answer was lost expires
					second := door.post(t, request("text/plain", adt))
					if second.StatusCode != 201 && second.StatusCode != 409 {
						t.Fatalf("the second: %d %s", second.StatusCode, second.Body)
					}
					ids := map[string]bool{}
					for _, in := range door.topic.Published() {
						ids[*in.MessageAttributes["id"].StringValue] = true
					}
					if len(ids) != 1 || !ids[id(t, second).String()] {
						t.Errorf("told %s, published %v", id(t, second), ids)
					}
					if third := door.post(t, request("text/plain", adt)); third.StatusCode != 409 || id(t, third) != id(t, second) {
						t.Errorf("the third: %d %s", third.StatusCode, third.Body)
					}
				})
			})
		}
	}
}

func TestAFailedPublishLetsTheNextTryInAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		door := newFrontDoor(t)
		door.topic.Before = func(context.Context, string) error { return fake.Refusal("SNS", "Publish", "InternalError", 500) }
		if response := door.post(t, request("text/plain", adt)); response.StatusCode != 503 {
			t.Fatalf("%d %s", response.StatusCode, response.Body)
		}
		door.topic.Before = nil
		start := time.Now()
		if response := door.post(t, request("text/plain", adt)); response.StatusCode != 201 || time.Since(start) > 0 {
			t.Fatalf("%d %s after %s", response.StatusCode, response.Body, time.Since(start))
		}
	})
}

func TestAPublishThatHangsIsAnsweredInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		door := newFrontDoor(t)
		door.topic.Before = func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }
		start := time.Now()
		response := door.post(t, request("text/plain", adt))
		if response.StatusCode != 503 || time.Since(start) >= timeout {
			t.Errorf("%d after %s", response.StatusCode, time.Since(start))
		}
	})
}

func TestAfterAPanicTheNextTryIsTakenAtOnceWithTheSameID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		door := newFrontDoor(t)
		door.topic.Before = func(context.Context, string) error { panic("as a fault of ours does") }
		if response := door.post(t, request("text/plain", adt)); response.StatusCode != 500 {
			t.Fatalf("%d %s", response.StatusCode, response.Body)
		}
		claimed := door.tables.Items(t, fake.Received)
		door.topic.Before = nil
		time.Sleep(10 * time.Millisecond)
		start := time.Now()
		response := door.post(t, request("text/plain", adt))
		if response.StatusCode != 201 || time.Since(start) > 100*time.Millisecond {
			t.Fatalf("%d %s after %s", response.StatusCode, response.Body, time.Since(start))
		}
		var first struct{ ID string }
		if err := attributevalue.UnmarshalMap(claimed[0], &first); err != nil || first.ID != id(t, response).String() {
			t.Errorf("the id was %q and is %s", first.ID, id(t, response))
		}
	})
}

func TestAnIDIsFindableBeforeTheHubHasTheMessage(t *testing.T) {
	door := newFrontDoor(t)
	table := received.Table{Name: fake.Received, DB: door.tables}
	door.topic.Before = func(context.Context, string) error {
		for _, item := range door.tables.Items(t, fake.Received) {
			if _, announced := item["state"]; announced {
				continue
			}
			return nil
		}
		t.Error("the hub is told before the id is announced")
		return nil
	}
	response := door.post(t, request("text/plain", adt))
	if got, err := table.Owner(t.Context(), id(t, response)); got != owner || err != nil {
		t.Errorf("the id is %q's: %v", got, err)
	}
}

func TestNoPatientDataLeavesBesideTheBody(t *testing.T) {
	inputs := canary.Broken()
	inputs["a message"] = canary.Message()
	inputs["a large message"] = append(canary.Message(), bytes.Repeat(canary.Message(), 1000)...)
	for name, input := range inputs {
		t.Run(name, func(t *testing.T) {
			door := newFrontDoor(t)
			r := as(binary("application/hl7-v2; charset=utf-8", input), map[string]string{"custom:write": canary.Owner})
			for _, status := range []int{201, 409} {
				response := door.post(t, r)
				if response.StatusCode != status {
					t.Fatalf("%d %s", response.StatusCode, response.Body)
				}
				canary.Check(t, "the answer", response)
			}
			for _, in := range door.topic.Published() {
				canary.Check(t, "an attribute or subject", []any{in.MessageAttributes, in.Subject})
			}
			canary.Check(t, "a claim-check key", door.buckets.Names())
			canary.Check(t, "the received table", door.tables.Items(t, fake.Received))
			canary.Check(t, "the log", door.log.String())
		})
	}
}

func FuzzNoRequestMakesTheLakeFail(f *testing.F) {
	f.Add("application/json", `{"msg":"TVNI","encoding":"utf-8"}`, false)
	f.Add("application/json", `{"msg":{"a":[1e999]}}`, false)
	f.Add("application/hl7-v2; charset=latin1", "TVNI", true)
	f.Add("text/plain;charset=\"\\\xff\"", adt, false)
	f.Add("text/plain;charset*=utf-8''%e2%82%ac", adt, true)
	f.Fuzz(func(t *testing.T, contentType, body string, isBase64 bool) {
		r := request(contentType, body)
		r.IsBase64Encoded = isBase64
		response := newFrontDoor(t).post(t, r)
		switch response.StatusCode {
		case 201, 400, 413, 415:
		default:
			t.Errorf("%d %s", response.StatusCode, response.Body)
		}
		if len(response.Body) > 500 {
			t.Errorf("an answer of %d bytes", len(response.Body))
		}
	})
}

func TestEveryPostIsRecordedAndCounted(t *testing.T) {
	type line = map[string]any
	door := newFrontDoor(t)
	user := map[string]string{"sub": "user-1", "token_use": "id", "custom:write": owner}
	machine := map[string]string{"sub": "machine-1", "token_use": "access", "scope": "lake/write." + owner}
	accepted := id(t, door.post(t, as(request("text/plain", adt), user))).String()
	for _, r := range []events.APIGatewayV2HTTPRequest{
		as(request("text/plain", adt), machine),
		as(request("text/plain", ""), machine),
		as(request("text/plain", adt), map[string]string{"sub": "user-2", "token_use": "id"}),
	} {
		door.post(t, r)
	}
	door.topic.Before = func(context.Context, string) error { return errors.New("outage") }
	door.post(t, as(request("text/plain", adt+"NTE|1\r"), user))

	want := []line{
		{"outcome": "accepted", "who": "user-1", "id": accepted, "owner": owner, "environment": "test", "Accepted": 1.0},
		{"outcome": "duplicate", "who": "machine-1", "id": accepted, "owner": owner, "environment": "test", "Duplicate": 1.0},
		{"outcome": "empty-body", "who": "machine-1", "owner": owner, "environment": "test", "Refused": 1.0},
		{"outcome": "no-write-privilege", "who": "user-2", "environment": "test", "Refused": 1.0},
		{"outcome": "failed", "who": "user-1", "owner": owner},
	}
	got := fake.Lines(t, door.log.String(), "who", "outcome", "who", "id", "owner", "environment", "Accepted", "Duplicate", "Refused")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
