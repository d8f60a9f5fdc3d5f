package hl7

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strconv"
)

// A jsonWriter writes segments as JSON. Most values are short, so most of the time is
// spent on going from one value to the next. [jsonWriter.run] does that fast for the most
// usual values and delimiters, and [jsonWriter.step] handles all others.
//
// The quotation mark that ends a value is written with the text before the next one.
type jsonWriter struct {
	m   *Message
	out []byte // with its whole capacity
	n   int    // how much of it is written

	// The fields are read in blocks of 64 bytes, one for each word of the marks.
	end        int              // of the segment
	base       int              // of the block
	edge       [windowSize]byte // see window
	delimiters uint64           // of the block, without those already passed; the segment's end counts as one
	special    uint64           // of the block, without those already passed

	// The next value.
	start        int
	hard         bool // it has special bytes before the block
	before       int  // which text comes before it: an offset in between
	empty        int  // how many empty repetitions come after that text
	field        int
	component    int
	subcomponent int
}

const (
	maxUsual   = 32                       // the length of the longest value that run writes
	windowSize = maxUsual + 64 + maxUsual // a block, and what is read before and after it

	// run writes until it has written more than blockRoom bytes. The last value and the
	// text before it, which may exceed that, have room for at most 15 + 5 + maxUsual
	// bytes.
	blockRoom = 4096
	room      = blockRoom + 64
)

// between has the texts before the key of a value, in 16 bytes each: the text in the same
// repetition, in the next repetition, and in each of the fields 1 to 126. The last byte
// is the length of the text plus '@'. Nothing writes to between.
var between = []byte("" +
	`",             B"},{           D` +
	`"}],"1":[{     J"}],"2":[{     J"}],"3":[{     J"}],"4":[{     J"}],"5":[{     J"}],"6":[{     J"}],"7":[{     J` +
	`"}],"8":[{     J"}],"9":[{     J"}],"10":[{    K"}],"11":[{    K"}],"12":[{    K"}],"13":[{    K"}],"14":[{    K` +
	`"}],"15":[{    K"}],"16":[{    K"}],"17":[{    K"}],"18":[{    K"}],"19":[{    K"}],"20":[{    K"}],"21":[{    K` +
	`"}],"22":[{    K"}],"23":[{    K"}],"24":[{    K"}],"25":[{    K"}],"26":[{    K"}],"27":[{    K"}],"28":[{    K` +
	`"}],"29":[{    K"}],"30":[{    K"}],"31":[{    K"}],"32":[{    K"}],"33":[{    K"}],"34":[{    K"}],"35":[{    K` +
	`"}],"36":[{    K"}],"37":[{    K"}],"38":[{    K"}],"39":[{    K"}],"40":[{    K"}],"41":[{    K"}],"42":[{    K` +
	`"}],"43":[{    K"}],"44":[{    K"}],"45":[{    K"}],"46":[{    K"}],"47":[{    K"}],"48":[{    K"}],"49":[{    K` +
	`"}],"50":[{    K"}],"51":[{    K"}],"52":[{    K"}],"53":[{    K"}],"54":[{    K"}],"55":[{    K"}],"56":[{    K` +
	`"}],"57":[{    K"}],"58":[{    K"}],"59":[{    K"}],"60":[{    K"}],"61":[{    K"}],"62":[{    K"}],"63":[{    K` +
	`"}],"64":[{    K"}],"65":[{    K"}],"66":[{    K"}],"67":[{    K"}],"68":[{    K"}],"69":[{    K"}],"70":[{    K` +
	`"}],"71":[{    K"}],"72":[{    K"}],"73":[{    K"}],"74":[{    K"}],"75":[{    K"}],"76":[{    K"}],"77":[{    K` +
	`"}],"78":[{    K"}],"79":[{    K"}],"80":[{    K"}],"81":[{    K"}],"82":[{    K"}],"83":[{    K"}],"84":[{    K` +
	`"}],"85":[{    K"}],"86":[{    K"}],"87":[{    K"}],"88":[{    K"}],"89":[{    K"}],"90":[{    K"}],"91":[{    K` +
	`"}],"92":[{    K"}],"93":[{    K"}],"94":[{    K"}],"95":[{    K"}],"96":[{    K"}],"97":[{    K"}],"98":[{    K` +
	`"}],"99":[{    K"}],"100":[{   L"}],"101":[{   L"}],"102":[{   L"}],"103":[{   L"}],"104":[{   L"}],"105":[{   L` +
	`"}],"106":[{   L"}],"107":[{   L"}],"108":[{   L"}],"109":[{   L"}],"110":[{   L"}],"111":[{   L"}],"112":[{   L` +
	`"}],"113":[{   L"}],"114":[{   L"}],"115":[{   L"}],"116":[{   L"}],"117":[{   L"}],"118":[{   L"}],"119":[{   L` +
	`"}],"120":[{   L"}],"121":[{   L"}],"122":[{   L"}],"123":[{   L"}],"124":[{   L"}],"125":[{   L"}],"126":[{   L`)

const (
	sameRepetition = 0
	nextRepetition = 16
	lastField      = 127 * 16
)

// fieldText returns the offset in between of the text before a field. If the field is not
// in between, the offset is beyond lastField.
func fieldText(number int) int { return (number + 1) * 16 }

// The keys of the components 1 to 9 up to the value: "1":" and so on, with the first byte
// in the lowest bits.
const (
	firstKey = '"' | '1'<<8 | '"'<<16 | ':'<<24 | '"'<<32
	lastKey  = firstKey + 8<<8
	keySize  = 5
)

// written records what was written.
func (w *jsonWriter) written(b []byte) { w.out, w.n = b[:cap(b)], len(b) }

// grow makes room for run.
func (w *jsonWriter) grow() {
	if len(w.out)-w.n < room {
		w.written(slices.Grow(w.out[:w.n], room))
	}
}

// fields writes the values in text[start:end], without the quotation mark after the last
// one. The first field has the given number.
func (w *jsonWriter) fields(first, start, end int) {
	if start >= end {
		return
	}
	w.start, w.end, w.hard = start, end, false
	w.enterField(first)
	w.enterBlock(start &^ 63)
	passed := uint64(1)<<(start&63) - 1
	w.delimiters &^= passed
	w.special &^= passed
	for w.start < end {
		w.grow()
		if w.run(); w.delimiters == 0 {
			w.hard = w.hard || w.special != 0
			w.enterBlock(w.base + 64)
		} else if w.start < end {
			w.step()
		}
	}
}

// enterField begins a field.
func (w *jsonWriter) enterField(number int) {
	w.field, w.component, w.subcomponent = number, 1, 1
	w.before, w.empty = fieldText(number), 0
}

// enterBlock reads the marks of the block at base.
func (w *jsonWriter) enterBlock(base int) {
	word := uint(base) / 64
	w.base, w.delimiters, w.special = base, w.m.marks.delimiters[word], w.m.marks.special[word]
	if left := w.end - base; left < 64 {
		end := uint64(1) << (left & 63)
		w.delimiters = w.delimiters&(end-1) | end
		w.special &= end - 1
	}
}

// window returns the text that begins maxUsual bytes before the block. Before and after
// the text are zeros, which are not delimiters.
func (w *jsonWriter) window() *[windowSize]byte {
	text, from := w.m.text, w.base-maxUsual
	if from >= 0 && from <= len(text)-windowSize {
		return (*[windowSize]byte)(text[from:])
	}
	w.edge = [windowSize]byte{}
	copy(w.edge[max(-from, 0):], text[max(from, 0):])
	return &w.edge
}

// isUsual reports whether run can write the next value, as far as it is known.
func (w *jsonWriter) isUsual() bool {
	return !w.hard && w.before <= lastField && w.empty == 0 && w.component <= 9 && w.subcomponent == 1
}

// run writes values and moves past their delimiters, block by block, while these are
// usual: a value of at most maxUsual bytes, none of them special, in the first 9
// components of the first 126 fields; a delimiter of fields, components or repetitions.
// It stops before the delimiter of another value and before another delimiter, at the
// segment's end, and in a block with special bytes after the last delimiter before them.
//
// The inner loop is passed once for each delimiter. It writes a value by copies of fixed
// sizes. Each of them overwrites what the one before copied too much:
//
//	"}],"5":[{          16 bytes of between; the last one holds the length of the text
//	          "1":"     8 bytes of the key
//	               DOE  16 bytes of the window, and 16 more if the value is longer
//
// In the loop, start and at are offsets from where the block begins. If the value began
// before it, start is negative. The compiler leaves out all checks of bounds there,
// because it can prove that at <= 64, 0 < length <= maxUsual and 0 <= n <= blockRoom.
func (w *jsonWriter) run() {
	if !w.isUsual() {
		return
	}
	d, texts, out, n := &w.m.delimiters, (*[lastField + 16]byte)(between), (*[room]byte)(w.out[w.n:]), 0
	start, before, field, key := w.start-w.base, w.before, fieldText(w.field), firstKey+uint64(w.component-1)<<8
blocks:
	for {
		window := w.window()
		delimiters := w.delimiters & (w.special - 1) &^ w.special // those before the first special byte
		for delimiters != 0 {
			at := bits.TrailingZeros64(delimiters)
			if length := at - start; length != 0 {
				if uint(length) > maxUsual || uint(n) > blockRoom {
					break blocks
				}
				to, text, value := out[n:], texts[before&lastField:], window[maxUsual+at-length:]
				size := int(text[15]) & 15
				*(*[16]byte)(to) = [16]byte(text)
				binary.LittleEndian.PutUint64(to[size:], key)
				*(*[16]byte)(to[size+keySize:]) = [16]byte(value)
				if length > 16 {
					*(*[16]byte)(to[size+keySize+16:]) = [16]byte(value[16:])
				}
				n += size + keySize + length
				before, start = sameRepetition, at
			}
			switch c := window[maxUsual+at]; {
			case c == d.Field && field < lastField:
				field += 16
				before, key = field, firstKey
			case c == d.Component && key < lastKey:
				key += 1 << 8
			case c == d.Repetition && before == sameRepetition && c != 0: // which is 0 if the message has none
				before, key = nextRepetition, firstKey
			default:
				break blocks
			}
			start = at + 1
			delimiters &= delimiters - 1
		}
		if w.special != 0 {
			break
		}
		start -= 64
		w.enterBlock(w.base + 64)
	}
	w.n += n
	w.delimiters &= ^uint64(0) << (max(start, 0) & 63)
	w.start, w.before = w.base+start, before
	w.field, w.component = field/16-1, int((key-firstKey)>>8)+1
}

// step writes a value of any kind and moves past the delimiter after it, if that is not
// the segment's end.
func (w *jsonWriter) step() {
	at := w.base + bits.TrailingZeros64(w.delimiters)
	passed := w.delimiters ^ (w.delimiters - 1)
	if w.start < at {
		w.value(at, w.hard || w.special&passed != 0)
	}
	if w.start = at; at == w.end {
		return
	}
	w.start, w.hard = at+1, false
	w.delimiters &^= passed
	w.special &^= passed
	switch w.m.text[at] {
	case w.m.delimiters.Field:
		w.enterField(w.field + 1)
	case w.m.delimiters.Component:
		w.component, w.subcomponent = w.component+1, 1
	case w.m.delimiters.Subcomponent:
		w.subcomponent++
	default:
		w.component, w.subcomponent = 1, 1
		if w.before == sameRepetition {
			w.before = nextRepetition
		} else {
			w.empty++
		}
	}
}

// value writes the value before end, and the text before it.
func (w *jsonWriter) value(end int, special bool) {
	b := w.out[:w.n]
	switch w.before {
	case sameRepetition:
		b = append(b, `",`...)
	case nextRepetition:
		b = append(b, `"},{`...)
	default:
		b = append(b, `"}],"`...)
		b = strconv.AppendInt(b, int64(w.field), 10)
		b = append(b, `":[{`...)
	}
	for range w.empty {
		b = append(b, "},{"...)
	}
	b = append(b, '"')
	b = strconv.AppendInt(b, int64(w.component), 10)
	if w.subcomponent > 1 {
		b = append(b, '.')
		b = strconv.AppendInt(b, int64(w.subcomponent), 10)
	}
	b = append(b, `":"`...)
	if special {
		b = w.m.appendValue(b, w.m.text[w.start:end])
	} else {
		b = append(b, w.m.text[w.start:end]...)
	}
	w.written(b)
	w.before, w.empty = sameRepetition, 0
}
