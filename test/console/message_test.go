package console_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"hl7lake/client"
)

// results is an ORU^R01 without the status of its result, which OBX-11 requires.
func results() []byte {
	return []byte("MSH|^~\\&|LAB|HERE|LAKE|THERE|20260102030405||ORU^R01^ORU_R01|R-1|T|2.5.1\r" +
		"PID|1||4711^^^HERE^MR~0815^^^THERE^MR||Sample^Sue^^^^^L||19800203|F\r" +
		"OBR|1||F-77|24323-8^Comprehensive metabolic panel^LN|||20260102\r" +
		"OBX|1|NM|2345-7^Glucose^LN||95|mg/dL|70-99|N\r")
}

func TestAMessageIsShownAsItWasSentAsATreeAsJSONWithFindingsAndItsAcknowledgment(t *testing.T) {
	t.Parallel()
	b, l := newTab(t), start(t)
	a := l.reader(t)
	id := l.send(t, l.client(t, a), client.Message{Body: results()}).ID
	b.signIn(l, a)
	b.click("link", ".*"+id+".*")
	b.find("heading", "ORU.R01.*")

	b.shows("PID|1||4711^^^HERE^MR~0815^^^THERE^MR||Sample^Sue^^^^^L||19800203|F")
	for value, want := range map[string][]string{
		"0815":     {"PID-3[2].1", "ID Number", "Patient Identifier List"},
		"19800203": {"PID-7", "Date/Time of Birth", "TS"},
		"MR":       {"PID-3[1].5", "Identifier Type Code", "table 0203", "Medical record number"},
		"2345-7":   {"OBX-3", "Identifier", "Observation Identifier"},
	} {
		b.hover(b.find("StaticText", value))
		b.eventually(fmt.Sprintf("what %s is", value), func() bool { return containsAll(b.about(), want) })
	}

	b.click("tab", "Tree")
	b.find("cell", "Patient Identifier List")
	b.find("cell", "Sue")
	b.click("tab", "JSON")
	b.eventually("JSON", func() bool {
		var shown struct{ Root string }
		return json.Unmarshal([]byte(evaluate[string](b, `document.querySelector('[role=tabpanel]').innerText`)), &shown) == nil && shown.Root == id
	})
	b.click("tab", "Findings.*")
	b.shows("OBX-11")
	b.click("tab", "ACK")
	b.shows("MSA|AA|R-1")
}

// about is what the view says about the value under the mouse.
func (b *tab) about() string {
	b.t.Helper()
	return evaluate[string](b, `[...document.querySelectorAll('[role=status]')].map((e) => e.innerText).join('\n')`)
}

func containsAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// TestAnErrorLeadsToThePlaceOfItsFault follows it from the errors to the line of the
// message: a second header, as a sender of batches would send it.
func TestAnErrorLeadsToThePlaceOfItsFault(t *testing.T) {
	t.Parallel()
	b, l := newTab(t), start(t)
	a := l.reader(t)
	c := l.client(t, a)
	for n := range 2 {
		l.send(t, c, client.Message{Body: fmt.Appendf(admission(n), "MSH|^~\\&|APP|HERE|LAKE|THERE|2026||ADT^A01|%d|T|2.5.1\rPID|1\r", n)})
	}
	b.signIn(l, a)
	b.click("link", "Errors")
	b.find("rowheader", "batch")
	b.find("cell", "2")
	found, err := b.all("link", "[0-9a-f-]{36}")
	if err != nil || len(found) != 2 {
		t.Fatalf("the errors name %v (%v)", found, err)
	}
	b.click("link", found[0].name)
	b.find("heading", ".*error.*")
	b.eventually("the focus on the fault's line", func() bool {
		return evaluate[string](b, `document.activeElement.closest('.flawed')?.innerText ?? ''`) != ""
	})
	if line := evaluate[string](b, `document.activeElement.closest('.flawed').innerText`); !strings.HasPrefix(line, "3") || !strings.Contains(line, "MSH|") {
		t.Errorf("the focus is on the line %q", line)
	}
}

func TestALongValueIsFoldedUntilSomebodyUnfoldsIt(t *testing.T) {
	t.Parallel()
	b, l := newTab(t), start(t)
	a := l.reader(t)
	const end = "the end of it"
	id := l.send(t, l.client(t, a), client.Message{Body: []byte(string(admission(1)) + "OBX|1|TX|1^A^L||" + strings.Repeat("a long report ", 10_000) + end + "||||||F\r")}).ID
	b.signIn(l, a)
	b.turn("#/messages/" + id)
	for _, part := range []string{"Raw", "Tree"} {
		b.click("tab", part)
		b.find("button", ".* more")
		if shown := b.text(); strings.Contains(shown, end) || len(shown) > 20_000 {
			t.Errorf("%s shows %d bytes", part, len(shown))
		}
		b.click("button", ".* more")
		b.shows(end)
		b.gone("button", ".* more")
	}
}

func TestALongMessageIsShownInPages(t *testing.T) {
	t.Parallel()
	b, l := newTab(t), start(t)
	a := l.reader(t)
	var body strings.Builder
	body.Write(admission(1))
	for i := range 1_100 {
		fmt.Fprintf(&body, "NTE|%d|L|line %[1]d of the report\r", i+1)
	}
	id := l.send(t, l.client(t, a), client.Message{Body: []byte(body.String())}).ID
	b.signIn(l, a)
	b.turn("#/messages/" + id)
	b.shows("line 400 of the report")
	if strings.Contains(b.text(), "line 900 of the report") {
		t.Error("the whole message is on the first page")
	}
	for range 2 {
		b.click("button", "More segments")
		b.settle()
	}
	b.shows("line 1100 of the report")
	b.gone("button", "More segments")
}
