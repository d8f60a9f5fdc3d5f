package attribute

import (
	"math/big"
	"strconv"
	"strings"

	"hl7lake/local/wire"
)

// The limits of numbers (Amazon DynamoDB Developer Guide, "Supported data
// types", Number): 38 significant digits, magnitudes from 1E-130 to
// 9.9999999999999999999999999999999999999E+125. exponents are those of decimal.
const (
	maxDigits   = 38
	minExponent = -129
	maxExponent = 126
)

// decimal is ±0.digits × 10^exponent. digits neither begins nor ends with a zero; for
// zero it is empty.
type decimal struct {
	negative bool
	digits   string
	exponent int
}

// Canonical returns a number in the form that DynamoDB returns: plain digits without an
// exponent or needless zeros. Errors are ValidationExceptions.
func Canonical(text string) (string, error) {
	d, err := parseDecimal(text)
	if err != nil {
		return "", err
	}
	return d.String(), nil
}

func parseDecimal(text string) (decimal, error) {
	mantissa, exponent, ok := splitExponent(text)
	var d decimal
	switch {
	case strings.HasPrefix(mantissa, "-"):
		d.negative, mantissa = true, mantissa[1:]
	case strings.HasPrefix(mantissa, "+"):
		mantissa = mantissa[1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if !ok || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return d, wire.Errorf("ValidationException", "The parameter cannot be converted to a numeric value")
	}
	significant := strings.TrimLeft(digits, "0")
	d.exponent = exponent + len(whole) - (len(digits) - len(significant))
	d.digits = strings.TrimRight(significant, "0")
	return d.checked()
}

// splitExponent splits 12e3 into 12 and 3. ok is false if what follows the e is not an
// integer of a sensible size.
func splitExponent(text string) (mantissa string, exponent int, ok bool) {
	at := strings.IndexAny(text, "eE")
	if at < 0 {
		return text, 0, true
	}
	const far = 1000
	exponent, err := strconv.Atoi(text[at+1:])
	if err != nil {
		return "", 0, false
	}
	return text[:at], min(max(exponent, -far), far), true
}

func (d decimal) checked() (decimal, error) {
	switch {
	case d.digits == "":
		return decimal{}, nil
	case len(d.digits) > maxDigits:
		return d, wire.Errorf("ValidationException", "Attempting to store more than 38 significant digits in a Number")
	case d.exponent > maxExponent:
		return d, wire.Errorf("ValidationException",
			"Number overflow. Attempting to store a number with magnitude larger than supported range")
	case d.exponent < minExponent:
		return d, wire.Errorf("ValidationException",
			"Number underflow. Attempting to store a number with magnitude smaller than supported range")
	}
	return d, nil
}

// String writes the number in its canonical form.
func (d decimal) String() string {
	if d.digits == "" {
		return "0"
	}
	var text strings.Builder
	if d.negative {
		text.WriteByte('-')
	}
	switch {
	case d.exponent <= 0:
		text.WriteString("0." + strings.Repeat("0", -d.exponent) + d.digits)
	case d.exponent >= len(d.digits):
		text.WriteString(d.digits + strings.Repeat("0", d.exponent-len(d.digits)))
	default:
		text.WriteString(d.digits[:d.exponent] + "." + d.digits[d.exponent:])
	}
	return text.String()
}

// canonicalDecimal reads what Canonical wrote.
func canonicalDecimal(text string) decimal {
	d, _ := parseDecimal(text) // it was checked when the value was made
	return d
}

// Add returns a + b. The error is a ValidationException if the result has too many digits
// or is out of range.
func Add(a, b Value) (Value, error) { return sum(a, b, (*big.Int).Add) }

// Subtract returns a - b, with the errors of Add.
func Subtract(a, b Value) (Value, error) { return sum(a, b, (*big.Int).Sub) }

func sum(a, b Value, combine func(z, x, y *big.Int) *big.Int) (Value, error) {
	left, right := canonicalDecimal(a.Text), canonicalDecimal(b.Text)
	scale := min(left.scale(), right.scale())
	result := combine(new(big.Int), left.integer(scale), right.integer(scale))
	text, err := Canonical(result.String() + "e" + strconv.Itoa(scale))
	return Value{Kind: Number, Text: text}, err
}

// scale returns the power of ten of the last digit.
func (d decimal) scale() int { return d.exponent - len(d.digits) }

// integer is d / 10^scale, for a scale not above d's own.
func (d decimal) integer(scale int) *big.Int {
	n, ok := new(big.Int).SetString(d.digits+strings.Repeat("0", d.scale()-scale), 10)
	if !ok {
		return new(big.Int) // zero has no digits
	}
	if d.negative {
		n.Neg(n)
	}
	return n
}

func compareNumbers(a, b string) int {
	return strings.Compare(string(appendNumberKey(nil, a)), string(appendNumberKey(nil, b)))
}

// numberSize follows the guide: about one byte for two significant digits, one more, and
// one for a sign.
func numberSize(text string) int {
	d := canonicalDecimal(text)
	size := (len(d.digits)+1)/2 + 1
	if d.negative {
		size++
	}
	return size
}
