package hl7

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// marksOneByOne says of each byte what it is.
func marksOneByOne(text []byte, d Delimiters) (m marks) {
	m.delimiters, m.special = make(index, len(text)/64+1), make(index, len(text)/64+1)
	for i, c := range text {
		switch c {
		case d.Field, d.Component, d.Repetition, d.Subcomponent:
			if c != 0 {
				m.delimiters[i/64] |= 1 << (i % 64)
			}
		}
		if c < ' ' || c == '"' || c == '\\' || c == d.Escape {
			m.special[i/64] |= 1 << (i % 64)
		}
		m.beyondASCII = m.beyondASCII || c > 0x7f
	}
	return m
}

func checkMarks(t *testing.T, text []byte, d Delimiters) {
	t.Helper()
	want := marksOneByOne(text, d)
	var got marks
	got.set(text, d)
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(marks{})); diff != "" {
		t.Errorf("marks of %q with %+v (-one by one +at once):\n%s", text, d, diff)
	}
	blocks := text[:len(text)&^63]
	words, delimiters, special := newWordMarker(d), make(index, len(blocks)/64), make(index, len(blocks)/64)
	beyondASCII := words.mark(delimiters, special, blocks)
	want = marksOneByOne(blocks, d)
	want.delimiters, want.special = want.delimiters[:len(delimiters)], want.special[:len(special)]
	if diff := cmp.Diff(want, marks{delimiters, special, beyondASCII}, cmp.AllowUnexported(marks{})); diff != "" {
		t.Errorf("marks of %q with %+v (-one by one +by words):\n%s", blocks, d, diff)
	}
}

var delimitersToMark = map[string]Delimiters{
	"standard":         Standard,
	"fewer":            {Field: '|', Component: '^'},
	"no escape":        {Field: '|', Component: '^', Repetition: '~', Subcomponent: '&'},
	"own escape":       {Field: '|', Component: '^', Repetition: '~', Escape: '/', Subcomponent: '&'},
	"quotes delimit":   {Field: '"', Component: '\\', Repetition: '!', Escape: '}', Subcomponent: '\''},
	"all in one row":   {Field: '#', Component: '$', Repetition: '%', Escape: '*', Subcomponent: '+', Truncation: '-'},
	"all in one block": {Field: '!', Component: ':', Repetition: '@', Escape: '[', Subcomponent: '`'},
}

func TestEveryByteIsMarkedForWhatItIs(t *testing.T) {
	var all []byte
	for c := range 256 {
		all = append(all, byte(c))
	}
	for name, d := range delimitersToMark {
		t.Run(name, func(t *testing.T) {
			checkMarks(t, all, d)
			for c := range all { // alone, so that no neighbour has an effect
				text := bytes.Repeat([]byte{'x'}, 64)
				text[c%64] = byte(c)
				checkMarks(t, text, d)
			}
		})
	}
}

func TestMarksAreTheSameAtEachLengthAndAlignment(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	memory := make([]byte, 400)
	for i := range memory {
		memory[i] = "|^~\\&abc\r\n\"\x00\x1f\x7f\x80\xff"[random.IntN(16)]
	}
	for length := range 200 {
		checkMarks(t, memory[:length], Standard)
		checkMarks(t, memory[length:length+130], Standard)
	}
}

// The marks of an earlier text must not remain.
func TestMarksForgetTheTextBefore(t *testing.T) {
	var m marks
	m.set(bytes.Repeat([]byte("|\\\xff"), 100), Standard)
	m.set([]byte("MSH|^~"), Standard)
	if diff := cmp.Diff(marksOneByOne([]byte("MSH|^~"), Standard), m, cmp.AllowUnexported(marks{})); diff != "" {
		t.Errorf("(-of the second text alone +in memory used before):\n%s", diff)
	}
}

func FuzzMarks(f *testing.F) {
	f.Add([]byte("MSH|^~\\&|A|B\rPID|1||\"\"\xe9^^&"), []byte("|^~\\&"))
	f.Fuzz(func(t *testing.T, text, delimiters []byte) {
		d := Standard
		for i, role := range []*byte{&d.Field, &d.Component, &d.Repetition, &d.Escape, &d.Subcomponent} {
			if i < len(delimiters) && canDelimit(delimiters[i]) {
				*role = delimiters[i]
			}
		}
		checkMarks(t, text, d)
	})
}
