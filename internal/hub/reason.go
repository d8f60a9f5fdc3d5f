package hub

import (
	"regexp"
	"strconv"
	"strings"
)

// Reason says why and where a message could not be staged, without any of its content.
// Its text form is a list of key=value, which is the rest of an error event's subject:
// `code=no-header segment=1 path=MSH-2 offset=0`.
type Reason struct {
	Code    string // a short name of the failure, such as no-header
	Segment int    // counted from 1; 0 means that no segment is at fault
	Path    string // such as MSH-2; empty if no field is at fault
	Offset  int    // in bytes from the start of the message
}

// CodeWorkflow is the code of a failure of the workflow and not of the message.
const CodeWorkflow = "workflow"

var (
	codePattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,23}$`)
	pathPattern = regexp.MustCompile(`^[A-Z][A-Z0-9]{2}(\[\d{1,5}\])?(-\d{1,4}(\[\d{1,5}\])?(\.\d{1,3}){0,2})?$`)
)

// String returns the text form. It leaves out a code or path that is not plain, because
// that could only come from content.
func (r Reason) String() string {
	var words []string
	if codePattern.MatchString(r.Code) {
		words = append(words, "code="+r.Code)
	}
	if r.Segment > 0 {
		words = append(words, "segment="+strconv.Itoa(r.Segment))
	}
	if pathPattern.MatchString(r.Path) {
		words = append(words, "path="+r.Path)
	}
	return strings.Join(append(words, "offset="+strconv.Itoa(r.Offset)), " ")
}

// within returns the text form in at most the given number of bytes, which must have room
// for a code.
func (r Reason) within(room int) string {
	if len(r.String()) > room {
		r.Path = ""
	}
	switch text := r.String(); {
	case len(text) <= room:
		return text
	case codePattern.MatchString(r.Code):
		return "code=" + r.Code
	default:
		return ""
	}
}

// ParseReason reads the text form, in any order, and ignores unknown keys. It reports
// false if there is no code.
func ParseReason(text string) (Reason, bool) {
	words := keyValues(text)
	reason := Reason{Segment: number(words["segment"]), Offset: number(words["offset"])}
	if codePattern.MatchString(words["code"]) {
		reason.Code = words["code"]
	}
	if pathPattern.MatchString(words["path"]) {
		reason.Path = words["path"]
	}
	return reason, reason.Code != ""
}

// keyValues splits key=value words that are separated by spaces.
func keyValues(text string) map[string]string {
	words := make(map[string]string)
	for word := range strings.FieldsSeq(text) {
		if key, value, ok := strings.Cut(word, "="); ok {
			words[key] = value
		}
	}
	return words
}

// number returns the natural number that text writes, or 0.
func number(text string) int {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0
	}
	return int(n)
}
