package hl7

import (
	"math/bits"
	"slices"
	"strconv"
)

// A jsonWriter writes segments as JSON. Most values are short, so most of the time is spent
// on going from one value to the next. [jsonWriter.run] does that fast for the most usual
// values and delimiters, and [jsonWriter.step] handles all others.
type jsonWriter struct {
	m   *Message
	out []byte // with its whole capacity
	n   int    // how much of it is written

	// The fields are read in blocks of 64 bytes, one for each word of the marks.
	end        int              // of the segment
	base       int              // of the block
	edge       [windowSize]byte // see window
	delimiters uint64           // of the block, without those already passed; the segment's end counts as one
	special    uint64           // of the block

	// The next value.
	start     int
	hard      bool   // it has special bytes before the block
	field     uint64 // its number
	before    uint64 // which text of between comes before it; in the upper half, how many empty repetitions
	component uint64 // its number; in the upper half, how many sub-components come before it
}

const (
	windowSize = 64 + 64 + 16 // 64 bytes before a block, the block, and what a copy may read after it

	// windowJSON is the longest JSON of a window: 64 values with at most 15 bytes before and one
	// byte after each, and the values. blockRoom is room for several. A copy may write up to
	// room, and the next one overwrites the rest.
	windowJSON = 64*(15+1) + 64 + 64
	blockRoom  = 4096
	room       = blockRoom + 32

	upper = 1 << 32 // one in the upper half of a word that holds two numbers
)

// between has the texts between two values, in 16 bytes each: the text before component 1 in
// the same repetition, in the next repetition, and in each of the fields 1 to 99. The last
// byte is the length of the text plus '@'.
const between = "" +
	`,"1":"         F},{"1":"       H}],"1":[{"1":" N}],"2":[{"1":" N}],"3":[{"1":" N}],"4":[{"1":" N}],"5":[{"1":" N` +
	`}],"6":[{"1":" N}],"7":[{"1":" N}],"8":[{"1":" N}],"9":[{"1":" N}],"10":[{"1":"O}],"11":[{"1":"O}],"12":[{"1":"O` +
	`}],"13":[{"1":"O}],"14":[{"1":"O}],"15":[{"1":"O}],"16":[{"1":"O}],"17":[{"1":"O}],"18":[{"1":"O}],"19":[{"1":"O` +
	`}],"20":[{"1":"O}],"21":[{"1":"O}],"22":[{"1":"O}],"23":[{"1":"O}],"24":[{"1":"O}],"25":[{"1":"O}],"26":[{"1":"O` +
	`}],"27":[{"1":"O}],"28":[{"1":"O}],"29":[{"1":"O}],"30":[{"1":"O}],"31":[{"1":"O}],"32":[{"1":"O}],"33":[{"1":"O` +
	`}],"34":[{"1":"O}],"35":[{"1":"O}],"36":[{"1":"O}],"37":[{"1":"O}],"38":[{"1":"O}],"39":[{"1":"O}],"40":[{"1":"O` +
	`}],"41":[{"1":"O}],"42":[{"1":"O}],"43":[{"1":"O}],"44":[{"1":"O}],"45":[{"1":"O}],"46":[{"1":"O}],"47":[{"1":"O` +
	`}],"48":[{"1":"O}],"49":[{"1":"O}],"50":[{"1":"O}],"51":[{"1":"O}],"52":[{"1":"O}],"53":[{"1":"O}],"54":[{"1":"O` +
	`}],"55":[{"1":"O}],"56":[{"1":"O}],"57":[{"1":"O}],"58":[{"1":"O}],"59":[{"1":"O}],"60":[{"1":"O}],"61":[{"1":"O` +
	`}],"62":[{"1":"O}],"63":[{"1":"O}],"64":[{"1":"O}],"65":[{"1":"O}],"66":[{"1":"O}],"67":[{"1":"O}],"68":[{"1":"O` +
	`}],"69":[{"1":"O}],"70":[{"1":"O}],"71":[{"1":"O}],"72":[{"1":"O}],"73":[{"1":"O}],"74":[{"1":"O}],"75":[{"1":"O` +
	`}],"76":[{"1":"O}],"77":[{"1":"O}],"78":[{"1":"O}],"79":[{"1":"O}],"80":[{"1":"O}],"81":[{"1":"O}],"82":[{"1":"O` +
	`}],"83":[{"1":"O}],"84":[{"1":"O}],"85":[{"1":"O}],"86":[{"1":"O}],"87":[{"1":"O}],"88":[{"1":"O}],"89":[{"1":"O` +
	`}],"90":[{"1":"O}],"91":[{"1":"O}],"92":[{"1":"O}],"93":[{"1":"O}],"94":[{"1":"O}],"95":[{"1":"O}],"96":[{"1":"O` +
	`}],"97":[{"1":"O}],"98":[{"1":"O}],"99":[{"1":"O`

const (
	sameRepetition = 0
	nextRepetition = 1
	aField         = 1 // plus its number
	betweens       = len(between) / 16
)

// written records what was written.
func (w *jsonWriter) written(b []byte) { w.out, w.n = b[:cap(b)], len(b) }

// grow makes room for run.
func (w *jsonWriter) grow() {
	if len(w.out)-w.n < room {
		w.written(slices.Grow(w.out[:w.n], room))
	}
}

// fields writes the fields in text[start:end]. The first one has the given number. The text
// before the first value overwrites last, the end of what was written. fields restores it
// when it has written all values.
func (w *jsonWriter) fields(first, start, end int, last string) {
	begin := w.n - len(last)
	w.n, w.start, w.end, w.hard = begin, start, end, false
	w.field, w.before, w.component = uint64(first), uint64(first)+aField, 1
	w.base = start &^ 63
	w.enter()
	w.delimiters &= ^uint64(0) << (start % 64)
	w.special &= ^uint64(0) << (start % 64)
	for more := true; more; {
		w.grow()
		if w.run(); w.delimiters != 0 {
			more = w.step()
			continue
		}
		w.hard = w.hard || w.special != 0
		w.base += 64
		w.enter()
	}
	if w.n == begin {
		w.n += len(last)
		return
	}
	copy(w.out[begin:], last)
	w.written(append(w.out[:w.n], "}]"...))
}

// enter reads the marks of the block at w.base.
func (w *jsonWriter) enter() {
	w.delimiters, w.special = w.m.marks.delimiters[w.base/64], w.m.marks.special[w.base/64]
	if left := w.end - w.base; left < 64 {
		w.delimiters = w.delimiters&(1<<left-1) | 1<<left
	}
}

// window returns the text that begins 64 bytes before the block. Before and after the text
// are zeros, which are not delimiters.
func (w *jsonWriter) window() *[windowSize]byte {
	text := w.m.text
	if w.base >= 64 && len(text)-w.base >= windowSize-64 {
		return (*[windowSize]byte)(text[w.base-64:])
	}
	w.edge = [windowSize]byte{}
	copy(w.edge[max(64-w.base, 0):], text[max(w.base-64, 0):])
	return &w.edge
}

// run writes values and moves past their delimiters, block by block, while these are usual:
// a value without special bytes, within the window, in the first 9 components of the first
// 99 fields; a delimiter of fields or components. It stops before the delimiter of another
// value and before another delimiter, at the end of the segment, and at the end of a block
// if there is not enough room or text for the next.
//
// The masks on offsets change nothing: offsets in out are below blockRoom, and those in
// window below 128. They make the compiler leave out its checks.
func (w *jsonWriter) run() {
	if w.hard || w.start < w.base-64 {
		return
	}
	marks, text, end := &w.m.marks, w.m.text, w.end
	fieldSeparator, componentSeparator := w.m.delimiters.Field, w.m.delimiters.Component
	out, n := (*[room]byte)(w.out[w.n:]), 0
	window, base, start := w.window(), w.base, w.start-w.base+64 // start and at are offsets in the window
	delimiters, special := w.delimiters, w.special
	field, before, component := w.field, w.before, w.component
blocks:
	for {
		for delimiters != 0 {
			at := 64 + bits.TrailingZeros64(delimiters)
			if length := at - start; length != 0 {
				if before >= uint64(betweens) || component > 9 || special&(delimiters-1)&^delimiters != 0 {
					break blocks
				}
				to, text := out[n&(blockRoom-1):], between[16*before:16*before+16]
				*(*[16]byte)(to) = [16]byte([]byte(text))
				size := int(text[15]-'@') & 15
				to[(size-4)&15] = '0' + byte(component)
				n += size
				for i := 0; ; i += 16 { // once for most values
					*(*[16]byte)(out[(n+i)&(blockRoom-1):]) = [16]byte(window[(start+i)&127:])
					if i+16 >= length {
						break
					}
				}
				n += length
				out[n&(blockRoom-1)] = '"'
				n++
				before, start = sameRepetition, at
			}
			switch window[at&127] {
			case componentSeparator:
				component = component%upper + 1
			case fieldSeparator:
				field++
				before, component = field+aField, 1
			default:
				break blocks
			}
			start = at + 1
			delimiters &= delimiters - 1
		}
		if special != 0 || start < 64 || n > blockRoom-windowJSON || len(text)-base < windowSize {
			break
		}
		base, start = base+64, start-64
		delimiters, special = marks.delimiters[base/64], marks.special[base/64]
		if left := end - base; left < 64 {
			delimiters = delimiters&(1<<left-1) | 1<<left
		}
		window = (*[windowSize]byte)(text[base-64:])
	}
	w.n += n
	w.base, w.start = base, start+base-64
	w.delimiters, w.special = delimiters, special
	w.field, w.before, w.component = field, before, component
}

// step writes a value of any kind and moves past the delimiter after it. It reports false at
// the segment's end.
func (w *jsonWriter) step() bool {
	at := w.base + bits.TrailingZeros64(w.delimiters)
	passed := w.delimiters ^ (w.delimiters - 1)
	if w.start < at {
		w.value(at, w.hard || w.special&passed != 0)
	}
	if at == w.end {
		return false
	}
	w.start, w.hard = at+1, false
	w.delimiters &^= passed
	w.special &^= passed
	switch w.m.text[at] {
	case w.m.delimiters.Field:
		w.field++
		w.before, w.component = w.field+aField, 1
	case w.m.delimiters.Component:
		w.component = w.component%upper + 1
	case w.m.delimiters.Subcomponent:
		w.component += upper
	default:
		w.component = 1
		if w.before == sameRepetition {
			w.before = nextRepetition
		} else {
			w.before += upper
		}
	}
	return true
}

// value writes the value before end, and the text before it.
func (w *jsonWriter) value(end int, special bool) {
	b, repetitions := w.out[:w.n], w.before/upper
	switch w.before % upper {
	case sameRepetition:
		b = append(b, ',')
	case nextRepetition:
		repetitions++
	default:
		b = append(b, `}],"`...)
		b = strconv.AppendUint(b, w.field, 10)
		b = append(b, `":[{`...)
	}
	for range repetitions {
		b = append(b, "},{"...)
	}
	b = append(b, '"')
	b = strconv.AppendUint(b, w.component%upper, 10)
	if subcomponents := w.component / upper; subcomponents > 0 {
		b = append(b, '.')
		b = strconv.AppendUint(b, subcomponents+1, 10)
	}
	b = append(b, `":"`...)
	if special {
		b = w.m.appendValue(b, w.m.text[w.start:end])
	} else {
		b = append(b, w.m.text[w.start:end]...)
	}
	w.written(append(b, '"'))
	w.before = sameRepetition
}
