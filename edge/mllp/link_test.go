package mllp

import (
	"errors"
	"io"
	"testing"
)

func TestALinkSkipsAnswersToOtherMessages(t *testing.T) {
	for name, test := range map[string]struct{ answers, want string }{
		"the answer":                      {ack("7"), "7"},
		"a late answer first":             {ack("6") + ack("7"), "7"},
		"an answer that names no message": {ack(""), ""},
		"noise and a line end first":      {"x\r\n" + ack("7"), "7"},
	} {
		t.Run(name, func(t *testing.T) {
			r := receive(t, func(int, string) string { return test.answers })
			link, err := Dial(t.Context(), r.address, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer link.Close()
			answer, err := link.Send(t.Context(), AppendFrame(nil, []byte(message("7"))))
			if err != nil || answer.Get("MSA-2") != test.want {
				t.Errorf("got %v, %v", answer, err)
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			if len(r.received) != 1 || r.received[0] != message("7") {
				t.Errorf("received %q", r.received)
			}
		})
	}
}

func TestALinkThatEndsWithoutAnAnswerSaysWhy(t *testing.T) {
	for name, test := range map[string]struct {
		answer string
		want   error
	}{
		"at once":     {"", io.EOF},
		"in a frame":  {"\vMSH|", io.ErrUnexpectedEOF},
		"after noise": {"x", io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			answered := false
			r := receive(t, func(int, string) string {
				if answered {
					return ""
				}
				answered = true
				return test.answer
			})
			link, err := Dial(t.Context(), r.address, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer link.Close()
			if test.answer != "" { // the second message makes the receiver go
				if _, err := link.conn.Write(AppendFrame(nil, []byte(message("6")))); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := link.Send(t.Context(), []byte(message("7"))); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

func TestAnAnswerThatIsNoMessageIsAnError(t *testing.T) {
	r := receive(t, func(int, string) string { return string(AppendFrame(nil, []byte("OK"))) })
	link, err := Dial(t.Context(), r.address, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	if answer, err := link.Send(t.Context(), []byte(message("7"))); err == nil {
		t.Errorf("got %v", answer)
	}
}

func TestContentIsWhatAFrameHolds(t *testing.T) {
	for name, test := range map[string]struct{ message, want string }{
		"no frame":                 {"MSH|a\r", "MSH|a\r"},
		"a frame":                  {"\vMSH|a\r\x1c\r", "MSH|a\r"},
		"a frame with LF":          {"\vMSH|a\r\x1c\n", "MSH|a\r"},
		"a frame without its CR":   {"\vMSH|a\r\x1c", "MSH|a\r"},
		"a frame without its end":  {"\vMSH|a\r", "MSH|a\r"},
		"an end without its begin": {"MSH|a\r\x1c\r", "MSH|a\r\x1c\r"},
		"an empty frame":           {"\v\x1c\r", ""},
		"nothing":                  {"", ""},
	} {
		if got := string(Content([]byte(test.message))); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}
