package console_test

import (
	"slices"
	"strings"
	"testing"

	"hl7lake/client"
	"hl7lake/internal/testing/canary"
)

// TestPatientDataIsShownAndLeavesNoTrace looks at a message with a marker in every field
// that can hold patient data, in every view.
func TestPatientDataIsShownAndLeavesNoTrace(t *testing.T) {
	t.Parallel()
	b, l := newTab(t), start(t)
	a := l.user(t, client.User{Email: "reader@example.org", Read: client.Institutions{canary.Owner}, Write: canary.Owner})
	c := l.client(t, a)
	ids := []string{l.send(t, c, client.Message{Body: canary.Message()}).ID}
	for _, broken := range canary.Broken() {
		ids = append(ids, l.send(t, c, client.Message{Body: broken}).ID)
	}
	b.signIn(l, a)
	shown := b.walk(ids...)
	if !slices.ContainsFunc(shown, func(text string) bool { return canary.Leaks(text) != nil }) {
		t.Error("no view has shown the marker, so that its absence elsewhere proves nothing")
	}
	b.leavesNoTrace()
}

// leavesNoTrace looks for the canary's marker in all that the tab has left behind.
func (b *tab) leavesNoTrace() {
	b.t.Helper()
	left := b.leaves()
	canary.Check(b.t, "the console log", left.Console)
	canary.Check(b.t, "an address or a title", left.Visited)
	canary.Check(b.t, "the history of the tab", left.History)
	canary.Check(b.t, "the storage", left.Storage)
	canary.Check(b.t, "a cookie", left.Cookies)
	canary.Check(b.t, "an address or a header of a request", left.Requests)
}

// TestAnotherInstitutionsMessageIsNowhere looks for it in every view, and asks for it by
// its id.
func TestAnotherInstitutionsMessageIsNowhere(t *testing.T) {
	t.Parallel()
	b, l := newTab(t), start(t)
	theirs := l.client(t, l.user(t, client.User{Email: "theirs@example.org", Read: client.Institutions{"lakeside"}, Write: "lakeside"}))
	ours := l.reader(t)
	our := l.send(t, l.client(t, ours), client.Message{Body: admission(1)}).ID
	hidden := []string{l.send(t, theirs, client.Message{Body: admission(2)}).ID, l.send(t, theirs, client.Message{Body: []byte("a line of text")}).ID}
	b.signIn(l, ours)
	for _, text := range b.walk(our) {
		if strings.Contains(text, hidden[0]) || strings.Contains(text, hidden[1]) || strings.Contains(text, "lakeside") {
			t.Errorf("another institution's message is shown: %s", text)
		}
	}
	for _, id := range append(hidden, "01a22c1f-ae48-7000-8000-000000000009") {
		b.turn("#/messages/" + id)
		b.find("alert", "")
		if text := b.text(); strings.Contains(text, "lakeside") || strings.Contains(text, "ADT") {
			t.Errorf("%s is shown as %s", id, text)
		}
	}
}

// TestMarkupInAMessageIsShownAsText sends what would run if a page took values for
// markup. The page's policy would stop most of it and report it, which fails the test as
// well.
func TestMarkupInAMessageIsShownAsText(t *testing.T) {
	t.Parallel()
	values := []string{
		`<script>window.ran=1</script>`, `<img src=x onerror="window.ran=1">`, `"><svg onload=window.ran=1>`, `javascript:window.ran=1`,
		`<a href="javascript:window.ran=1">x</a>`, `</td></table><iframe srcdoc="<script>parent.ran=1</script>">`, `{{constructor.constructor("window.ran=1")()}}`,
		`<style>*{display:none}</style>`, `<base href="https://example.com/">`, `<meta http-equiv=refresh content=0>`, `__proto__`, `&lt;b&gt;`,
	}
	var message strings.Builder
	message.WriteString("MSH|^~\\&|" + values[0] + "|" + values[1] + "|" + values[2] + "||20260102030405||ADT^A01^ADT_A01|" + values[3] + "|T|2.5.1\r")
	escaped := strings.NewReplacer("|", `\F\`, "^", `\S\`, "&", `\T\`, "~", `\R\`)
	message.WriteString("PID|1||" + escaped.Replace(strings.Join(values, "~")) + "\r")
	for i, value := range values {
		message.WriteString("ZXS|" + string(rune('A'+i)) + "|" + escaped.Replace(value) + "\r")
	}
	b, l := newTab(t), start(t)
	a := l.reader(t)
	id := l.send(t, l.client(t, a), client.Message{Body: []byte(message.String())}).ID
	b.signIn(l, a)
	all := strings.Join(b.walk(id), "\n")
	if evaluate[bool](b, "'ran' in window || document.querySelector('main script, main img, main iframe, main style, base, meta[http-equiv], [href^=javascript]') !== null") {
		t.Error("a value became markup")
	}
	for _, value := range values {
		if !strings.Contains(all, value) {
			t.Errorf("no view shows %s", value)
		}
	}
}
