package cloudwatchlogs

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"hl7lake/local/wire"
)

// pattern reports whether a line matches (Amazon CloudWatch Logs User Guide, Filter
// pattern syntax for metric filters, subscription filters, filter log events, and Live
// Tail).
type pattern func(line []byte) bool

// parsePattern reads a filter pattern: terms, or a condition on JSON. It refuses patterns
// of lines with spaces between their fields ([a, b]) and regular expressions.
func parsePattern(text string) (pattern, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return func([]byte) bool { return true }, nil
	case strings.HasPrefix(text, "["), strings.HasPrefix(text, "%"):
		return nil, wire.Unsupported("the filter pattern " + text)
	case strings.HasPrefix(text, "{"):
		return parseCondition(text)
	}
	return parseTerms(text)
}

func invalid() error {
	return wire.Errorf("InvalidParameterException", "Invalid filter pattern")
}

// parseTerms reads words and quoted phrases. A line must have all of them and none of
// those with a minus and, if some have a question mark, one of these.
func parseTerms(text string) (pattern, error) {
	var all, none, some []string
	words := regexp.MustCompile(`([-?]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))(?:\s+|$)`)
	for text != "" {
		word := words.FindStringSubmatchIndex(text)
		if word == nil || word[0] != 0 {
			return nil, invalid()
		}
		part := words.FindStringSubmatch(text)
		term := part[3]
		if term == "" {
			term = strings.ReplaceAll(part[2], `\"`, `"`)
		}
		switch part[1] {
		case "-":
			none = append(none, term)
		case "?":
			some = append(some, term)
		default:
			all = append(all, term)
		}
		text = text[word[1]:]
	}
	return func(line []byte) bool {
		has := func(term string) bool { return strings.Contains(string(line), term) }
		lacks := func(term string) bool { return !has(term) }
		return !slices.ContainsFunc(all, lacks) && !slices.ContainsFunc(none, has) && (len(some) == 0 || slices.ContainsFunc(some, has))
	}, nil
}

// condition is one on a line's JSON.
type condition func(document any) bool

func parseCondition(text string) (pattern, error) {
	inner, closed := strings.CutSuffix(strings.TrimPrefix(text, "{"), "}")
	p := &conditionParser{tokens: tokens(inner)}
	holds, ok := p.either()
	if !closed || !ok || len(p.tokens) > 0 {
		return nil, invalid()
	}
	return func(line []byte) bool {
		var document any
		return json.Unmarshal(line, &document) == nil && holds(document)
	}, nil
}

// tokens splits a condition. Anything else becomes a token that no rule accepts.
func tokens(text string) []string {
	return regexp.MustCompile(`\$(?:\.[A-Za-z0-9_-]+|\[\d+\]|\["[^"]*"\])+|"(?:[^"\\]|\\.)*"|&&|\|\||!=|<=|>=|[=<>()]|[^\s"()=<>&|!]+|\S`).FindAllString(text, -1)
}

// conditionParser takes tokens from the front.
type conditionParser struct{ tokens []string }

func (p *conditionParser) next() string {
	if len(p.tokens) == 0 {
		return ""
	}
	token := p.tokens[0]
	p.tokens = p.tokens[1:]
	return token
}

func (p *conditionParser) take(token string) bool {
	if len(p.tokens) == 0 || !strings.EqualFold(p.tokens[0], token) {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

// either reads conditions with || between them.
func (p *conditionParser) either() (condition, bool) {
	left, ok := p.both()
	for ok && p.take("||") {
		var right condition
		first := left
		right, ok = p.both()
		left = func(document any) bool { return first(document) || right(document) }
	}
	return left, ok
}

// both reads conditions with && between them, which bind more closely.
func (p *conditionParser) both() (condition, bool) {
	left, ok := p.one()
	for ok && p.take("&&") {
		var right condition
		first := left
		right, ok = p.one()
		left = func(document any) bool { return first(document) && right(document) }
	}
	return left, ok
}

func (p *conditionParser) one() (condition, bool) {
	if p.take("(") {
		inner, ok := p.either()
		return inner, ok && p.take(")")
	}
	selector := p.next()
	if !strings.HasPrefix(selector, "$") {
		return nil, false
	}
	switch {
	case p.take("IS"):
		value := strings.ToUpper(p.next())
		want, known := map[string]any{"NULL": nil, "TRUE": true, "FALSE": false}[value]
		return func(document any) bool { got, there := find(document, selector); return there && got == want }, known
	case p.take("NOT"):
		return func(document any) bool { _, there := find(document, selector); return !there }, p.take("EXISTS")
	}
	return compare(selector, p.next(), p.next())
}

// compare reads a comparison with a text, in which * stands for anything, or with a
// number.
func compare(selector, operator, operand string) (condition, bool) {
	text := strings.Trim(operand, `"`)
	number, err := strconv.ParseFloat(operand, 64)
	if operand == "" || strings.HasPrefix(operand, "%") || !slices.Contains([]string{"=", "!=", "<", "<=", ">", ">="}, operator) {
		return nil, false
	}
	if err != nil { // only numbers can be greater or less
		glob := regexp.MustCompile("^(?s:" + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, ".*") + ")$")
		return func(document any) bool {
			value, there := find(document, selector)
			got, isText := value.(string)
			return there && isText && glob.MatchString(got) == (operator == "=")
		}, operator == "=" || operator == "!="
	}
	return func(document any) bool {
		value, _ := find(document, selector)
		got, isNumber := value.(float64)
		if !isNumber {
			return false
		}
		return map[string]bool{"=": got == number, "!=": got != number, "<": got < number, "<=": got <= number, ">": got > number, ">=": got >= number}[operator]
	}, true
}

// find returns what a selector such as $.a.b[0] selects, and whether it exists.
func find(document any, selector string) (any, bool) {
	for _, step := range regexp.MustCompile(`\.([A-Za-z0-9_-]+)|\[(\d+)\]|\["([^"]*)"\]`).FindAllStringSubmatch(selector, -1) {
		switch value := document.(type) {
		case map[string]any:
			member, there := value[step[1]+step[3]]
			if !there || step[2] != "" {
				return nil, false
			}
			document = member
		case []any:
			at, err := strconv.Atoi(step[2])
			if err != nil || at >= len(value) {
				return nil, false
			}
			document = value[at]
		default:
			return nil, false
		}
	}
	return document, true
}
