package main

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"hl7lake/internal/hub"
	"hl7lake/internal/testing/canary"
)

// ask asks as the owner's user, with a query.
func (r *readSide) ask(t testing.TB, path, query string) events.APIGatewayV2HTTPResponse {
	t.Helper()
	r.query = query
	defer func() { r.query = "" }()
	return r.get(t, "/messages/"+root.String()+path, owner)
}

// viewOf decodes the answer to a request for a view.
func viewOf(t *testing.T, response events.APIGatewayV2HTTPResponse) (v viewed) {
	t.Helper()
	if response.StatusCode != 200 || response.Headers["Cache-Control"] != "no-store" {
		t.Fatalf("%d %s", response.StatusCode, response.Body)
	}
	if err := json.Unmarshal([]byte(response.Body), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

const umlaut = "MSH|^~\\&|A|B|||2026||ADT^A01|7|T|2.3\rPID|1||\xe4\\T\\b\r"

func TestAViewShowsTheMessageAsItWasReadLast(t *testing.T) {
	r := newReadSide(t)
	r.file(t, ingested(umlaut), 1)
	if v := viewOf(t, r.ask(t, "/view", "")); v.ID != root || v.Charset != "iso-8859-1" || v.Segments[1].Fields[2].Repetitions[0].Text != "ä&b" {
		t.Errorf("%+v", v)
	}
	chosen := staged("{}")
	chosen.ReadIn = "iso-8859-5"
	r.file(t, chosen, 2)
	if v := viewOf(t, r.ask(t, "/view", "from=1")); v.Charset != "iso-8859-5" || v.From != 1 || v.Segments[0].Fields[2].Repetitions[0].Text != "ф&b" {
		t.Errorf("%+v", v)
	}
}

func TestAMessageThatCannotBeParsedIsViewedAsLines(t *testing.T) {
	r := newReadSide(t)
	r.file(t, ingested("Hello\rworld"), 1)
	v := viewOf(t, r.ask(t, "/view", ""))
	if v.Fault == nil || v.Fault.Code != "no-header" || len(v.Lines) != 2 || v.Segments != nil {
		t.Errorf("%+v", v)
	}
	if got := text(t, r.ask(t, "/value", "segment=1")); got != "world" {
		t.Errorf("%q", got)
	}
	if response := r.ask(t, "/value", "segment=1&path=PID-3"); response.StatusCode != 404 {
		t.Errorf("%d %s", response.StatusCode, response.Body)
	}
}

// text returns the body of an answer in text.
func text(t *testing.T, response events.APIGatewayV2HTTPResponse) string {
	t.Helper()
	body, err := base64.StdEncoding.DecodeString(response.Body)
	if response.StatusCode != 200 || response.Headers["Content-Type"] != "text/plain; charset=utf-8" || err != nil {
		t.Fatalf("%d %v %s", response.StatusCode, response.Headers, response.Body)
	}
	return string(body)
}

func TestAValueIsGivenAsSentOrDecoded(t *testing.T) {
	r := newReadSide(t)
	r.file(t, ingested(umlaut), 1)
	for query, want := range map[string]string{
		"segment=1":                        "PID|1||ä\\T\\b",
		"segment=1&path=PID-3":             "ä\\T\\b",
		"segment=1&path=PID-3%5B1%5D.1.1":  "ä\\T\\b",
		"segment=1&path=PID-3.1&form=raw":  "ä\\T\\b",
		"segment=1&path=PID-3.1&form=text": "ä&b",
		"segment=1&path=PID-2":             "",
		"segment=0&path=MSH-2":             "^~\\&",
	} {
		if got := text(t, r.ask(t, "/value", query)); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for _, query := range []string{"segment=2", "segment=1&path=PID-4", "segment=1&path=MSH-3", "segment=1&path=PID"} {
		if got := r.ask(t, "/value", query); got.StatusCode != 404 || !strings.Contains(got.Body, `"no-value"`) {
			t.Errorf("%s: %d %s", query, got.StatusCode, got.Body)
		}
	}
}

func TestAViewIsAskedForInOneWayOnly(t *testing.T) {
	r := newReadSide(t)
	r.file(t, ingested(umlaut), 1)
	for path, queries := range map[string][]string{
		"/view":  {"from=-1", "from=x", "from=", "from=1&from=2", "to=1", "%", "from=99999999999"},
		"/value": {"", "segment=", "segment=-1", "segment=1&path=PID-0", "segment=1&path=", "segment=1&segment=1", "segment=1&form=json", "segment=1&more=1", "%"},
	} {
		for _, query := range queries {
			if got := r.ask(t, path, query); got.StatusCode != 400 || !strings.Contains(got.Body, `"bad-query"`) {
				t.Errorf("%s?%s: %d %s", path, query, got.StatusCode, got.Body)
			}
		}
	}
	if v := viewOf(t, r.ask(t, "/view", "from=1000")); v.Segments != nil || v.Next != 0 {
		t.Errorf("%+v", v)
	}
}

func TestWhatHasNoViewSaysWhy(t *testing.T) {
	for name, test := range map[string]struct {
		file   func(r *readSide)
		status int
		code   string
	}{
		"not in the lake yet": {func(r *readSide) { r.file(t, staged("{}"), 1) }, 404, "not-yet"},
		"not ER7":             {func(r *readSide) { r.file(t, claims("ISA*"), 1) }, 404, "not-er7"},
		"expired":             {func(r *readSide) { r.buckets.Remove("lake/" + r.file(t, ingested("MSH"), 1).Key) }, 410, "gone"},
		"larger than any that is accepted": {func(r *readSide) {
			r.file(t, ingested(strings.Repeat("x", maxParsed+1)), 1)
		}, 422, "too-large"},
	} {
		r := newReadSide(t)
		test.file(r)
		for _, path := range []string{"/view", "/value"} {
			if got := r.ask(t, path, map[string]string{"/value": "segment=0"}[path]); got.StatusCode != test.status || !strings.Contains(got.Body, `"`+test.code+`"`) {
				t.Errorf("%s, %s: %d %s", name, path, got.StatusCode, got.Body)
			}
		}
	}
}

func TestAValueThatIsTooLargeForAnAnswerIsRefused(t *testing.T) {
	r := newReadSide(t)
	r.file(t, ingested(umlaut+"NTE|1||"+strings.Repeat("x", maxInline+1)), 1)
	if got := r.ask(t, "/value", "segment=2&path=NTE-3"); got.StatusCode != 422 || !strings.Contains(got.Body, `"too-large"`) {
		t.Errorf("%d %s", got.StatusCode, got.Body)
	}
	if v := viewOf(t, r.ask(t, "/view", "")); v.Segments[2].Fields[2].Repetitions[0].Folded != maxInline+1-1024 {
		t.Errorf("%+v", v)
	}
}

func TestAViewIsRecordedAndNothingOfItIsLogged(t *testing.T) {
	r := newReadSide(t)
	r.file(t, ingested(string(canary.Message())), 1)
	r.file(t, refused(hub.Reason{Code: "no-header"}), 2)
	r.ask(t, "/view", "")
	r.ask(t, "/value", "segment=1&path=PID-5")
	r.ask(t, "/value", "segment=1&path="+canary.ControlID)
	for _, want := range []string{`"outcome":"done"`, `"part":"view"`, `"part":"value"`, `"outcome":"bad-query"`} {
		if !strings.Contains(r.log.String(), want) {
			t.Errorf("%s is not in %s", want, r.log.String())
		}
	}
	canary.Check(t, "the log", r.log.String())
}

// Each message has a megabyte.
func BenchmarkView(b *testing.B) {
	const size, header = 1 << 20, "MSH|^~\\&|LAB|HERE|||2026||ORU^R01^ORU_R01|7|T|2.5.1\rPID|1||7^^^HERE^MR||Doe^Jo||19710820|F\rOBR|1|||24323-8^Panel^LN\r"
	for name, part := range map[string]string{
		"results":        "OBX|1|NM|2345-7^Glucose [Mass/volume] in Serum or Plasma^LN||98|mg/dL^milligram per deciliter^UCUM|70-105|N|||F|||20260302081501-0500\r",
		"a document":     "OBX|1|ED|18842-5^Discharge summary^LN||^application^pdf^Base64^" + strings.Repeat("JVBERi0x", size/8),
		"identifiers":    "1^^^A&1&ISO^MR~",
		"short segments": "NTE|1\r",
	} {
		b.Run(name, func(b *testing.B) {
			r := newReadSide(b)
			body := header + strings.Repeat(part, max(1, size/len(part)))
			if name == "identifiers" {
				body = header + "PID|1||" + strings.Repeat(part, size/len(part))
			}
			r.file(b, ingested(body), 1)
			for b.Loop() {
				if response := r.ask(b, "/view", ""); response.StatusCode != 200 {
					b.Fatal(response.Body)
				}
			}
		})
	}
}

func FuzzNoPlaceMakesTheLakeFail(f *testing.F) {
	f.Add("segment=1&path=PID-3[1].1&form=text")
	f.Add("segment=99999999999&path=PID[2]-3")
	f.Add("from=1")
	f.Fuzz(func(t *testing.T, query string) {
		r := newReadSide(t)
		r.file(t, ingested(umlaut), 1)
		for _, path := range []string{"/view", "/value"} {
			switch response := r.ask(t, path, query); response.StatusCode {
			case 200, 400, 404:
			default:
				t.Errorf("%s: %d %s", path, response.StatusCode, response.Body)
			}
		}
	})
}
