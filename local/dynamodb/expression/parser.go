package expression

import (
	"strconv"
	"strings"
)

type tokenKind int

const (
	end         tokenKind = iota
	word                  // an attribute's name, a function's, or a keyword
	placeholder           // #name
	literal               // :value
	digits                // a list's index
	mark                  // an operator or punctuation
)

type token struct {
	kind tokenKind
	text string
	at   int // offset in the expression
}

// parser reads one expression, a token at a time.
type parser struct {
	scope  *Scope
	text   string
	before token // the token before the current one
	token  token // the current token
	offset int   // where the next token begins, spaces included
}

// next makes the token that follows the current one.
func (p *parser) next() {
	for p.offset < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.offset]) >= 0 {
		p.offset++
	}
	rest := p.text[p.offset:]
	kind, length := end, 0
	switch {
	case rest == "":
	case rest[0] == '#' || rest[0] == ':':
		kind, length = placeholder, 1+lengthOf(rest[1:], isName)
		if rest[0] == ':' {
			kind = literal
		}
	case isDigit(rest[0]):
		kind, length = digits, lengthOf(rest, isDigit)
	case isName(rest[0]):
		kind, length = word, lengthOf(rest, isName)
	default:
		kind, length = mark, markLength(rest)
	}
	p.before = p.token
	p.token = token{kind, rest[:length], p.offset}
	p.offset += length
}

// lengthOf returns how many bytes at the front of text are of a kind.
func lengthOf(text string, is func(byte) bool) int {
	for i := range len(text) {
		if !is(text[i]) {
			return i
		}
	}
	return len(text)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isName(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || isDigit(c) || c == '_'
}

func markLength(text string) int {
	for _, double := range []string{"<>", "<=", ">="} {
		if strings.HasPrefix(text, double) {
			return len(double)
		}
	}
	return 1
}

// is reports whether the current token is the mark or the keyword. Keywords are in
// capitals here, and in any case in the expression.
func (p *parser) is(text string) bool {
	switch p.token.kind {
	case mark:
		return p.token.text == text
	case word:
		return strings.EqualFold(p.token.text, text)
	default:
		return false
	}
}

// accept moves on if the current token is text.
func (p *parser) accept(text string) bool {
	if !p.is(text) {
		return false
	}
	p.next()
	return true
}

func (p *parser) expect(text string) error {
	if !p.accept(text) {
		return p.unexpected()
	}
	return nil
}

// unexpected refuses the current token.
func (p *parser) unexpected() error {
	text := p.token.text
	if p.token.kind == end {
		text = "<EOF>"
	}
	near := strings.TrimSpace(p.text[p.before.at:p.offset])
	return invalid("Syntax error; token: %q, near: %q", text, near)
}

// isCall reports whether the current token is a function's name.
func (p *parser) isCall() bool {
	return p.token.kind == word && strings.HasPrefix(strings.TrimLeft(p.text[p.offset:], " \t\r\n"), "(")
}

// call reads a function's name and its arguments.
func call[Argument any](p *parser, argument func() (Argument, error)) (name string, arguments []Argument, err error) {
	name = p.token.text
	p.next()
	arguments, err = list(p, argument)
	return name, arguments, err
}

// list reads elements between parentheses.
func list[Element any](p *parser, read func() (Element, error)) (elements []Element, err error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	for {
		element, err := read()
		if err != nil {
			return nil, err
		}
		elements = append(elements, element)
		if !p.accept(",") {
			return elements, p.expect(")")
		}
	}
}

// path reads a document path: a.b[1].#c.
func (p *parser) path() (Path, error) {
	first, err := p.pathName()
	path := Path{first}
	for err == nil && (p.is(".") || p.is("[")) {
		var next step
		if p.accept(".") {
			next, err = p.pathName()
		} else {
			next, err = p.pathIndex()
		}
		path = append(path, next)
	}
	return path, err
}

func (p *parser) pathName() (step, error) {
	text := p.token.text
	switch p.token.kind {
	case word:
		if isReserved(text) {
			return step{}, invalid("Attribute name is a reserved keyword; reserved keyword: %s", text)
		}
	case placeholder:
		name, err := p.scope.name(text)
		if err != nil {
			return step{}, err
		}
		text = name
	default:
		return step{}, p.unexpected()
	}
	p.next()
	return step{name: text}, nil
}

func (p *parser) pathIndex() (step, error) {
	p.next()
	index, err := strconv.Atoi(p.token.text)
	if p.token.kind != digits || err != nil {
		return step{}, p.unexpected()
	}
	p.next()
	return step{index: index, isIndex: true}, p.expect("]")
}

// literal reads a :value.
func (p *parser) literal() (constant, error) {
	value, err := p.scope.value(p.token.text)
	p.next()
	return constant{value}, err
}
