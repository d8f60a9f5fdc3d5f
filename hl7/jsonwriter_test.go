package hl7_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/hl7"
)

// quoted returns the content of a JSON string.
func quoted(text string) string {
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ':
			fmt.Fprintf(&b, `\u%04x`, c)
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// jsonByValues writes what AppendJSON does value by value, as Segment.Values gives them.
func jsonByValues(m *hl7.Message) string {
	var segments []string
	seq := 0
	for s := range m.Segments() {
		seq++
		var fields []string
		field, repetition := 0, 0
		if seq == 1 {
			for i, delimiters := range []string{m.Get("MSH-1"), m.Get("MSH-2")} {
				fields = append(fields, fmt.Sprintf(`"%d":[{"1":"%s"}]`, i+1, quoted(delimiters)))
			}
		}
		for p, text := range s.Values() {
			member := fmt.Sprintf(`"%d":"%s"`, p.Component, quoted(text))
			if p.Subcomponent > 1 {
				member = fmt.Sprintf(`"%d.%d":"%s"`, p.Component, p.Subcomponent, quoted(text))
			}
			switch {
			case p.Field != field:
				fields = append(fields, fmt.Sprintf(`"%d":[{%s%s`, p.Field, strings.Repeat("},{", p.Repetition-1), member))
			case p.Repetition != repetition:
				fields[len(fields)-1] += strings.Repeat("},{", p.Repetition-repetition) + member
			default:
				fields[len(fields)-1] += "," + member
			}
			field, repetition = p.Field, p.Repetition
		}
		for i := range fields {
			fields[i] = strings.TrimSuffix(fields[i], "}]") + "}]"
		}
		segments = append(segments, fmt.Sprintf(`{"seq":%d,"id":"%s","fields":{%s}}`, seq, quoted(s.Name()), strings.Join(fields, ",")))
	}
	return "[" + strings.Join(segments, ",") + "]"
}

// The writer reads blocks of 64 bytes, and handles usual values and others in two ways.
// Here each kind is at every offset of a block.
func TestJSONIsTheSameWhereverInABlockAValueStands(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 20)
	segments := map[string]string{
		"short values":        "OBX|1|NM|8867-4^Heart rate^LN||72|/min|60-100|N|||F",
		"nothing":             "ZZZ",
		"only delimiters":     "ZZZ||~^&||^^^|",
		"first and last":      "ZZZ|a||||z",
		"empty at the end":    "ZZZ|a||||",
		"many empty":          "ZZZ|a" + strings.Repeat("|", 130) + "z",
		"many components":     "ZZZ|a" + strings.Repeat("^b", 30),
		"many sub-components": "ZZZ|a" + strings.Repeat("&b", 30) + "^c|d",
		"many repetitions":    "ZZZ|a" + strings.Repeat("~b^c", 30) + "|d",
		"empty repetitions":   "ZZZ|~~a~~~b~|~c|d~~",
		"fields to 140":       "ZZZ" + strings.Repeat("|ab", 140),
		"first of field 126":  "ZZZ" + strings.Repeat("|", 126) + "a^b~c|d",
		"first of field 127":  "ZZZ" + strings.Repeat("|", 127) + "a^b~c|d",
		"nulls":               `ZZZ|""|a|""^""|"|b"c`,
		"escapes":             `ZZZ|a\T\b|\|c|\F\^\X41\|d`,
		"control characters":  "ZZZ|a\x01|b\tc|\x1f|d\x7f|e",
		"beyond ASCII":        "ZZZ|é|表^ﾃｽﾄ|ü" + long + "é|x",
		"16 and 17 bytes":     "ZZZ|" + long[:15] + "|" + long[:16] + "|" + long[:17] + "|" + long[:32] + "|" + long[:33] + "|x",
		"63, 64 and 65 bytes": "ZZZ|" + long[:63] + "|" + long[:64] + "|" + long[:65] + "|x",
		"128 bytes and more":  "ZZZ|" + long[:127] + "|" + long[:128] + "|" + long[:129] + "|" + long + "|x",
		"long, then special":  "ZZZ|" + long + `\T\|` + long + `"|x|"` + long + "|x",
		"a name of its own":   `a "name"|x|y`,
		"long of all":         strings.Repeat("ZZZ|"+strings.Repeat("abc^de|", 300)+"\r", 3),
	}
	// The same messages with delimiters that JSON escapes.
	escaped := strings.NewReplacer("|", `"`, `"`, "^", "^", `\`, `\`, "|")
	for name, segment := range segments {
		for delimiters, change := range map[string]func(string) string{"": strings.Clone, " between quotation marks": escaped.Replace} {
			t.Run(name+delimiters, func(t *testing.T) {
				for shift := range 64 {
					for _, end := range []string{"\r", "", "\rZZZ|after|it\r"} {
						data := change("MSH|^~\\&|" + long[:shift] + "|B\r" + segment + end)
						m, err := hl7.Parse([]byte(data))
						if err != nil {
							t.Fatal(err)
						}
						if diff := cmp.Diff(jsonByValues(m), string(m.AppendJSON(nil, hl7.JSON{}))); diff != "" {
							t.Fatalf("shifted by %d, %q (-by values +JSON):\n%s", shift, data, diff)
						}
					}
				}
			})
		}
	}
}

// The writer copies more than it keeps. That must not change what it appends to.
func TestAppendJSONLeavesWhatWasThere(t *testing.T) {
	m, err := hl7.Parse([]byte("MSH|^~\\&|A|B\rPID|1||2\rZZZ\r"))
	if err != nil {
		t.Fatal(err)
	}
	want := m.AppendJSON(nil, hl7.JSON{})
	for _, capacity := range []int{0, 1, len(want) - 1, len(want), 4096, 1 << 16} {
		memory := append(bytes.Repeat([]byte{'x'}, 10), make([]byte, capacity)...)
		got := m.AppendJSON(memory[:10], hl7.JSON{})
		if string(got[:10]) != "xxxxxxxxxx" || !bytes.Equal(got[10:], want) {
			t.Errorf("with room for %d: %q", capacity, got)
		}
	}
}

// Quoting looks at eight bytes at once.
func TestAByteIsQuotedWhereverInAnEscapedValueItStands(t *testing.T) {
	for c := byte(1); c < 0x80; c++ {
		if bytes.IndexByte([]byte("\n\v\r\x1c|^~&\\"), c) >= 0 {
			continue // it ends the value or begins an escape
		}
		for before := range 18 {
			data := "MSH|^~\\&|\rZZZ|" + strings.Repeat("a", before) + string(c) + strings.Repeat("ü", 4) + `\E\"b` + "\r"
			m, err := hl7.Parse([]byte(data))
			if err != nil {
				t.Fatalf("%q: %v", data, err)
			}
			if diff := cmp.Diff(jsonByValues(m), string(m.AppendJSON(nil, hl7.JSON{}))); diff != "" {
				t.Fatalf("%q (-by values +JSON):\n%s", data, diff)
			}
		}
	}
}

// MSH-1 and MSH-2 are written apart from the other fields, which may all be empty.
func TestAHeaderOfDelimitersAloneIsValidJSON(t *testing.T) {
	const header = `{"seq":1,"id":"MSH","fields":{"1":[{"1":"|"}],"2":[{"1":"^~\\&"}]}}`
	for data, want := range map[string]string{
		"MSH|^~\\&|":            "[" + header + "]",
		"MSH|^~\\&|\r":          "[" + header + "]",
		"MSH|^~\\&||||^~&||\r":  "[" + header + "]",
		"MSH|^~\\&|\rZZZ\r":     "[" + header + `,{"seq":2,"id":"ZZZ","fields":{}}]`,
		"MSH|^~\\&|\rZZZ||\r":   "[" + header + `,{"seq":2,"id":"ZZZ","fields":{}}]`,
		"MSH|^~\\&|\rZZZ|1\r":   "[" + header + `,{"seq":2,"id":"ZZZ","fields":{"1":[{"1":"1"}]}}]`,
		"MSH|^|\r":              `[{"seq":1,"id":"MSH","fields":{"1":[{"1":"|"}],"2":[{"1":"^"}]}}]`,
		"MSH|^|1":               `[{"seq":1,"id":"MSH","fields":{"1":[{"1":"|"}],"2":[{"1":"^"}],"3":[{"1":"1"}]}}]`,
		"MSH\"'|\"\rZZZ\"1'2\r": `[{"seq":1,"id":"MSH","fields":{"1":[{"1":"\""}],"2":[{"1":"'|"}]}},{"seq":2,"id":"ZZZ","fields":{"1":[{"1":"1","2":"2"}]}}]`,
	} {
		m, err := hl7.Parse([]byte(data))
		if err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		got := m.AppendJSON(nil, hl7.JSON{})
		if diff := cmp.Diff(want, string(got)); diff != "" || !json.Valid(got) {
			t.Errorf("%q (-want +got):\n%s", data, diff)
		}
	}
}
