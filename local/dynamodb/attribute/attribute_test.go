package attribute_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hl7lake/local/dynamodb/attribute"
	"hl7lake/local/wire"
)

// numbers generates numbers in the forms that clients write.
func numbers() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		text := rapid.StringMatching(`-?[0-9]{1,12}(\.[0-9]{1,12})?`).Draw(t, "mantissa")
		if rapid.Bool().Draw(t, "exponent?") {
			text += fmt.Sprintf("e%d", rapid.IntRange(-60, 60).Draw(t, "exponent"))
		}
		return text
	})
}

// ordered generates values of one ordered kind.
func ordered(kind attribute.Kind) *rapid.Generator[attribute.Value] {
	return rapid.Custom(func(t *rapid.T) attribute.Value {
		if kind != attribute.Number {
			return attribute.Value{Kind: kind, Text: string(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 'a', 0xff}), 0, 5).Draw(t, "text"))}
		}
		text, err := attribute.Canonical(numbers().Draw(t, "number"))
		if err != nil {
			t.Skip(err)
		}
		return attribute.Value{Kind: kind, Text: text}
	})
}

func rational(v attribute.Value) *big.Rat {
	r, _ := new(big.Rat).SetString(v.Text)
	return r
}

func TestKeysSortAsTheirValuesDo(t *testing.T) {
	for _, kind := range []attribute.Kind{attribute.String, attribute.Number, attribute.Binary} {
		t.Run(string(kind), rapid.MakeCheck(func(t *rapid.T) {
			a, b := ordered(kind).Draw(t, "a"), ordered(kind).Draw(t, "b")
			want := strings.Compare(a.Text, b.Text)
			if kind == attribute.Number {
				want = rational(a).Cmp(rational(b))
			}
			if got, _ := attribute.Compare(a, b); got != want {
				t.Errorf("Compare(%q, %q) is %d, want %d", a.Text, b.Text, got, want)
			}
			keyA, keyB := attribute.AppendKey(nil, a), attribute.AppendKey(nil, b)
			if got := bytes.Compare(keyA, keyB); got != want {
				t.Errorf("keys of %q and %q compare as %d, want %d", a.Text, b.Text, got, want)
			}
			if want != 0 && bytes.HasPrefix(keyB, keyA) {
				t.Errorf("the key of %q begins with the key of %q", b.Text, a.Text)
			}
		}))
	}
}

func TestAKeyPrefixCoversTheTextsThatBeginWithIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, start := ordered(attribute.String).Draw(t, "text"), ordered(attribute.String).Draw(t, "start")
		low := attribute.AppendKeyPrefix(nil, start)
		high := attribute.After(low)
		key := attribute.AppendKey(nil, text)
		covered := bytes.Compare(key, low) >= 0 && (high == nil || bytes.Compare(key, high) < 0)
		if want := strings.HasPrefix(text.Text, start.Text); covered != want {
			t.Errorf("the prefix %q covers %q: %t", start.Text, text.Text, covered)
		}
	})
}

func TestNumbersComeBackExactlyAndPlain(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "-0.00": "0", "007": "7", "+5": "5", "1.50": "1.5", ".5": "0.5", "1e3": "1000", "12E-4": "0.0012",
		"1763840000000": "1763840000000", "12345678901234567890123456789012345678": "12345678901234567890123456789012345678",
		"1e125": "1" + strings.Repeat("0", 125), "-1E-130": "-0." + strings.Repeat("0", 129) + "1",
	} {
		if got, err := attribute.Canonical(in); got != want || err != nil {
			t.Errorf("%s comes back as %s, %v; want %s", in, got, err, want)
		}
	}
}

func TestWhatIsNoNumberIsRefused(t *testing.T) {
	for in, want := range map[string]string{
		"": "cannot be converted", "abc": "cannot be converted", "1e": "cannot be converted", "--1": "cannot be converted",
		"1 ": "cannot be converted", "NaN": "cannot be converted", "0x1": "cannot be converted", "1.2.3": "cannot be converted",
		"123456789012345678901234567890123456789": "more than 38", "1e126": "overflow", "1e-131": "underflow", "1e99999": "overflow",
	} {
		if _, err := attribute.Canonical(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want %s", in, err, want)
		}
	}
}

func TestSumsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := ordered(attribute.Number).Draw(t, "a"), ordered(attribute.Number).Draw(t, "b")
		sum, err := attribute.Add(a, b)
		if err != nil {
			t.Skip("too many digits")
		}
		if want := new(big.Rat).Add(rational(a), rational(b)); rational(sum).Cmp(want) != 0 {
			t.Errorf("%s + %s = %s", a.Text, b.Text, sum.Text)
		}
		back, err := attribute.Subtract(sum, b)
		if err == nil && back.Text != a.Text {
			t.Errorf("%s + %s - %s = %s", a.Text, b.Text, b.Text, back.Text)
		}
	})
}

func TestAValueReadsBackAsItWasWritten(t *testing.T) {
	for _, text := range []string{
		`{"S":""}`, `{"N":"-1.5"}`, `{"B":"AAE="}`, `{"B":""}`, `{"BOOL":false}`, `{"NULL":true}`,
		`{"M":{}}`, `{"L":[]}`, `{"M":{"a":{"L":[{"S":"x"},{"N":"1"}]}}}`,
		`{"SS":["a","b"]}`, `{"NS":["-1","2","10"]}`, `{"BS":["AA==","AQ=="]}`,
	} {
		var v attribute.Value
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, err := json.Marshal(v)
		if diff := cmp.Diff(text, string(got)); diff != "" || err != nil {
			t.Errorf("%s reads back differently: %v\n%s", text, err, diff)
		}
	}
}

func TestValuesThatDynamoDBWouldRefuseAreRefused(t *testing.T) {
	deep := strings.Repeat(`{"L":[`, 33) + `{"S":"x"}` + strings.Repeat(`]}`, 33)
	for text, want := range map[string]string{
		`{}`: "is empty", `{"S":null}`: "is empty", `{"S":"a","N":"1"}`: "more than one", `{"N":"x"}`: "numeric",
		`{"NULL":false}`: "value of true", `{"SS":[]}`: "may not be empty", `{"SS":["a","a"]}`: "duplicates",
		`{"NS":["1","1.0"]}`: "duplicates", deep: "Nesting Levels",
	} {
		var v attribute.Value
		err := json.Unmarshal([]byte(text), &v)
		if answer := wire.AsError(err); err == nil || answer.Code != "ValidationException" || !strings.Contains(answer.Message, want) {
			t.Errorf("%s gives %v, want %s", text, err, want)
		}
	}
}

func TestSizesAreThoseOfTheDeveloperGuide(t *testing.T) {
	for text, want := range map[string]int{
		`{"a":{"S":"grün"}}`: 1 + 5, `{"a":{"B":"AAE="}}`: 1 + 2, `{"a":{"BOOL":true}}`: 2, `{"a":{"NULL":true}}`: 2,
		`{"a":{"N":"1234"}}`: 1 + 3, `{"a":{"N":"-1234000"}}`: 1 + 4, `{"a":{"SS":["x","yz"]}}`: 1 + 3,
		`{"a":{"L":[{"S":"x"},{"S":"y"}]}}`: 1 + 3 + 2*2, `{"a":{"M":{"k":{"S":"x"}}}}`: 1 + 3 + 3,
	} {
		var item attribute.Item
		if err := json.Unmarshal([]byte(text), &item); err != nil {
			t.Fatal(err)
		}
		if got := item.Size(); got != want {
			t.Errorf("%s is %d bytes, want %d", text, got, want)
		}
	}
}
