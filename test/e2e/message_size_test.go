package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"hl7lake/client"
)

// document returns a message of exactly size bytes, most of them a document in OBX-5.
func document(size int) []byte {
	message := fmt.Appendf(nil, "MSH|^~\\&|APP|HERE|LAKE|THERE|20260102030405||ORU^R01|%d|T|2.5.1\rOBX|1|ED|X^Document||", size)
	return append(message, bytes.Repeat([]byte("QUJD"), size/4+1)[:size-len(message)]...)
}

func TestMessagesOfEverySizeComeBackByteForByteAndBecomeJSON(t *testing.T) {
	l := start(t)
	tokens := l.admin(t)
	c := l.client(t, tokens)
	const inline = 262_144 // bytes: the limits of the topic and of the workflow's states
	for _, size := range []int{
		1_000, 120_000, inline - 9_000, inline - 8_192, inline - 1, inline, inline + 1, 1 << 20, 4 << 20,
	} {
		body := document(size)
		r := l.mustDo(t, er7(token(t, tokens), body))
		if r.status != http.StatusCreated {
			t.Errorf("%d bytes are answered %d %s", size, r.status, r.body)
			continue
		}
		id := r.answer(t).ID
		if history := ended(t, c, id); history.Status != client.Staged {
			t.Errorf("%d bytes ended as %s", size, history.Status)
			continue
		}
		back, err := c.ER7(t.Context(), id)
		if err != nil || !bytes.Equal(back, body) {
			t.Errorf("%d bytes came back as %d (%v)", size, len(back), err)
		}
		line, err := c.JSON(t.Context(), id)
		if err != nil || !json.Valid(line) || bytes.Count(bytes.TrimSuffix(line, []byte("\n")), []byte("\n")) != 0 {
			t.Errorf("%d bytes did not become one line of JSON (%v)", size, err)
		}
	}
}

// segments returns a message whose JSON is eight times as large: that many segments of
// one character.
func segments(n int) []byte {
	message := fmt.Appendf(nil, "MSH|^~\\&|APP|HERE|LAKE|THERE|20260102030405||ORU^R01|%d|T|2.5.1\r", n)
	return append(message, bytes.Repeat([]byte("ZZZ|1\r"), n)...)
}

// A function that takes more than its memory dies, on AWS and here.
func TestTheLargestJSONIsFiledAndALargerOneIsAnErrorThatSaysSo(t *testing.T) {
	l := start(t)
	c := l.client(t, l.admin(t))
	for n, want := range map[int]client.Status{620_000: client.Staged, 740_000: client.Errored} {
		receipt, err := c.Send(t.Context(), client.Message{Body: segments(n)})
		if err != nil {
			t.Fatal(err)
		}
		history := ended(t, c, receipt.ID)
		last := history.Steps[len(history.Steps)-1]
		t.Logf("%d segments: %s, %d bytes, %v", n, history.Status, last.Size, last.Reason)
		if history.Status != want {
			t.Errorf("%d segments ended as %s", n, history.Status)
		}
		if want == client.Staged && (last.Size < 31<<20 || last.Size > 32<<20 || last.Attempts != 1) {
			t.Errorf("the JSON has %d bytes and took %d attempts", last.Size, last.Attempts)
		}
		if want == client.Errored && (last.Reason == nil || last.Reason.Code != "json-too-large") {
			t.Errorf("the reason is %v", last.Reason)
		}
	}
}
