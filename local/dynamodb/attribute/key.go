package attribute

import (
	"encoding/binary"
)

// The bytes with which AppendKey ends texts and escapes zero bytes. The end sorts before
// an escaped zero byte, so that a text sorts before any longer one that begins with it.
const (
	keyEnd    = 0x01
	keyEscape = 0xff
)

// The first byte of a number's key: its position relative to zero.
const (
	keyNegative = iota + 1
	keyZero
	keyPositive
)

// AppendKey appends a value of an ordered kind to key in a form whose bytes sort like the
// values. No value's form begins with another one's, so several can follow each other in
// one key.
func AppendKey(key []byte, v Value) []byte {
	if v.Kind == Number {
		return appendNumberKey(key, v.Text)
	}
	return append(AppendKeyPrefix(key, v), 0x00, keyEnd)
}

// AppendKeyPrefix appends the common beginning of the keys of all texts that begin with
// v.
func AppendKeyPrefix(key []byte, v Value) []byte {
	for i := range len(v.Text) {
		key = append(key, v.Text[i])
		if v.Text[i] == 0x00 {
			key = append(key, keyEscape)
		}
	}
	return key
}

// appendNumberKey writes sign, exponent and digits, each digit as itself plus one, and a
// zero at the end. A negative number's are inverted.
func appendNumberKey(key []byte, text string) []byte {
	d := canonicalDecimal(text)
	if d.digits == "" {
		return append(key, keyZero)
	}
	sign, flip := byte(keyPositive), byte(0)
	if d.negative {
		sign, flip = keyNegative, 0xff
	}
	key = append(key, sign)
	start := len(key)
	key = binary.BigEndian.AppendUint16(key, uint16(d.exponent+1<<15))
	for _, digit := range []byte(d.digits) {
		key = append(key, digit-'0'+1)
	}
	key = append(key, 0x00)
	for i := start; i < len(key); i++ {
		key[i] ^= flip
	}
	return key
}

// After returns the smallest key that sorts after every key that begins with prefix, or
// nil if there is none.
func After(prefix []byte) []byte {
	for end := len(prefix); end > 0; end-- {
		if prefix[end-1] != 0xff {
			after := append([]byte(nil), prefix[:end]...)
			after[end-1]++
			return after
		}
	}
	return nil
}
