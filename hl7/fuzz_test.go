package hl7_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
	"unicode/utf8"

	"hl7lake/hl7"
	"hl7lake/hl7/internal/sample"
)

// patience is how long a fuzz target waits before it takes a small input for an endless
// loop.
const patience = 5 * time.Second

func seed(f *testing.F) {
	files, err := filepath.Glob("testdata/*.hl7")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add(sample.ADT())
}

// inTime fails the test if do does not return soon.
func inTime(t *testing.T, do func()) {
	timer := time.AfterFunc(patience, func() { panic("no end in sight") })
	defer timer.Stop()
	do()
}

func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		inTime(t, func() {
			header, _ := hl7.Peek(data)
			hl7.Normalize(nil, data)
			m, err := hl7.Parse(data)
			if err != nil {
				return
			}
			// A line end within MSH ends what Peek reads. If other segments decide the
			// character set, Peek cannot know it.
			if m.Charset().Used == "utf-8" && !bytes.Contains(m.Segment(0).Raw(), []byte("\n")) && header != m.Header() {
				t.Errorf("Peek says %+v, the message %+v", header, m.Header())
			}
			if !bytes.Equal(m.Encode(), data) {
				t.Error("Encode is not the input")
			}
			for i := range m.Len() {
				s := m.Segment(i)
				if len(s.Raw()) == 0 {
					t.Error("an empty segment")
				}
				if !utf8.ValidString(s.Get("1")) {
					t.Error("text that is not UTF-8")
				}
			}
			m.Header()
		})
	})
}

func FuzzJSON(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		inTime(t, func() {
			m, err := hl7.Parse(data)
			if err != nil {
				return
			}
			checkJSON(t, m)
			checkCanonical(t, m)
		})
	})
}

func FuzzFromJSON(f *testing.F) {
	f.Add([]byte(`[{"seq":1,"id":"MSH","fields":{"1":[{"1":"|"}],"2":[{"1":"^~\\&"}],"9":[{"1":"ACK"}]}}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		inTime(t, func() {
			m, err := hl7.FromJSON(data)
			if err != nil {
				return
			}
			if _, err := hl7.Parse(m.Encode()); err != nil {
				t.Error(err)
			}
		})
	})
}

func FuzzReader(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		inTime(t, func() {
			var back []byte
			r := hl7.NewReader(bytes.NewReader(data))
			for {
				p, err := r.Next()
				if err != nil {
					break
				}
				if len(p.Data) == 0 || p.Offset != int64(len(back)) {
					t.Fatal("a part that is empty or in the wrong place")
				}
				back = append(back, p.Data...)
			}
			if !bytes.Equal(back, data) {
				t.Error("the parts are not the stream")
			}
			told := 0
			r = hl7.NewReader(bytes.NewReader(data))
			r.Tell = func(n hl7.Notice) {
				if n.Length > 0 && n.Offset != int64(told) || n.Offset < 0 || n.Offset > int64(len(data)) {
					t.Errorf("%v, where %d bytes are told", n, told)
				}
				told += n.Length
			}
			for m, err := range r.Messages() {
				if err != nil {
					continue // and reported
				}
				if m.Len() == 0 || !bytes.HasPrefix(data[told:], m.Encode()) {
					t.Error("a message that is empty or no slice of the stream")
				}
				told += len(m.Encode())
			}
			if told != len(data) {
				t.Errorf("%d of %d bytes are told", told, len(data))
			}
		})
	})
}

// A text that is set at a path is what is read there, and nothing else changes.
func FuzzSet(f *testing.F) {
	f.Add("PID-5.1", `a|b^c~d&e\f\H\g`, `|^~\&`)
	f.Add("ZZZ-3[2].2.2", "one\ntwo\rthree\x0b\x1b", `|^~\&#`)
	f.Add("PID-1", "C:\\temp\\x", "$^~")
	f.Fuzz(func(t *testing.T, path, text, delimiters string) {
		p, err := hl7.ParsePath(path)
		if err != nil || len(delimiters) == 0 || max(p.Occurrence, p.Field, p.Repetition, p.Component, p.Subcomponent) > 100 {
			return
		}
		input := "MSH" + delimiters + delimiters[:1] + "A\rPID" + delimiters[:1] + "1\rZZZ\rEND" + delimiters[:1] + "9"
		m, err := hl7.Parse([]byte(input))
		if err != nil || !utf8.ValidString(text) {
			return
		}
		if m.Set(path, text) != nil {
			return
		}
		if got := m.Get(path); got != text {
			t.Errorf("Set %q at %s, Get %q from %q", text, path, got, m.Encode())
		}
		if p.Segment != "END" && m.Get("END-1") != "9" {
			t.Errorf("the last segment changed: %q", m.Encode())
		}
	})
}
