package attribute

import (
	"encoding/binary"
)

// The bytes that AppendKey ends texts with, and escapes zero bytes with. The
// end sorts before an escaped zero byte, so that a text sorts before any longer
// one that it begins.
const (
	keyEnd    = 0x01
	keyEscape = 0xff
)

// The first byte of a number's key: where it lies to zero.
const (
	keyNegative = iota + 1
	keyZero
	keyPositive
)

// AppendKey appends the value of an ordered kind to key in a form whose bytes
// sort as the values do, and that no other value's form begins with, so that
// several can follow each other in one key.
func AppendKey(key []byte, v Value) []byte {
	if v.Kind == Number {
		return appendNumberKey(key, v.Text)
	}
	return append(AppendKeyPrefix(key, v), 0x00, keyEnd)
}

// AppendKeyPrefix appends what the keys of all texts that begin with v begin with.
func AppendKeyPrefix(key []byte, v Value) []byte {
	for i := range len(v.Text) {
		key = append(key, v.Text[i])
		if v.Text[i] == 0x00 {
			key = append(key, keyEscape)
		}
	}
	return key
}

// appendNumberKey writes sign, exponent and digits, each digit as itself plus
// one and a zero at the end; those of a negative number are inverted.
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

// After returns the smallest key that sorts after every key that begins with
// prefix, or nil when there is none.
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
