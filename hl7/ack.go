package hl7

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AckCode is the acknowledgment code of MSA-1 (HL7 v2.5.1, 2.15.8.1, table 0008).
type AckCode string

// The acknowledgment codes. A… says what became of the message. C… only says whether it
// was received and is kept.
const (
	ApplicationAccept AckCode = "AA"
	ApplicationError  AckCode = "AE"
	ApplicationReject AckCode = "AR"
	CommitAccept      AckCode = "CA"
	CommitError       AckCode = "CE"
	CommitReject      AckCode = "CR"
)

// An Ack is what a receiver says about a message. Code, ControlID and Time are required.
type Ack struct {
	Code      AckCode
	ControlID string    // of the acknowledgment itself: MSH-10
	Time      time.Time // MSH-7
	Problems  []Problem
}

// NewAck returns an acknowledgment of now with a random control id, of 20 characters:
// MSH-10 had no more before v2.7.
func NewAck(code AckCode, problems ...Problem) Ack {
	return Ack{Code: code, ControlID: NewControlID(), Time: time.Now(), Problems: problems}
}

// NewControlID returns a random id for MSH-10 or BHS-11, of 20 characters.
func NewControlID() string { return rand.Text()[:20] }

// check returns an error that wraps ErrAck if a lacks something that is required.
func (a Ack) check() error {
	codes := []AckCode{ApplicationAccept, ApplicationError, ApplicationReject, CommitAccept, CommitError, CommitReject}
	missing := ""
	switch {
	case !slices.Contains(codes, a.Code):
		missing = "Code"
	case strings.TrimSpace(a.ControlID) == "":
		missing = "ControlID"
	case a.Time.IsZero():
		missing = "Time"
	case slices.ContainsFunc(a.Problems, func(p Problem) bool { return p.Code == "" }):
		missing = "the code of a problem"
	default:
		return nil
	}
	return fmt.Errorf("hl7: %w: %s", ErrAck, missing)
}

// A Problem is one thing that is wrong with a message.
type Problem struct {
	Path     Path   // the place; the zero Path means the message as a whole
	Code     string // HL7 table 0357, such as "101"; required
	Name     string // the text of table 0357, such as "Required field missing"
	Severity string // HL7 table 0516: "E" unless set, "W", "I", "F"
	Text     string // for a person: ERR-8, before v2.5 MSA-3
}

// Wants reports whether the sender asked for an acknowledgment with that code. In
// original mode it asks for every A… and for no C…. In enhanced mode, which a value in
// MSH-15 or MSH-16 selects, MSH-15 decides about C… and MSH-16 about A… (HL7 v2.5.1,
// 2.9.2, 2.9.3 and table 0155). A null does not count as a value. Case is ignored. A
// value that is not in the table is taken as AL, because an answer too many does less
// harm than one too few.
func (m *Message) Wants(code AckCode) bool {
	accept, application := m.ackCondition(15), m.ackCondition(16)
	commit := strings.HasPrefix(string(code), "C")
	if accept == "" && application == "" {
		return !commit
	}
	condition := application
	if commit {
		condition = accept
	}
	success := strings.HasSuffix(string(code), "A")
	switch condition {
	case "", "NE":
		return false
	case "SU":
		return success
	case "ER":
		return !success
	}
	return true
}

// AnswerCode returns the one of two codes that the sender of m looks for, where only one
// acknowledgment can be given, as over HTTP: commit in enhanced mode, unless the sender
// asks for an application acknowledgment, which says more (HL7 v2.5.1, 2.9.3).
func (m *Message) AnswerCode(application, commit AckCode) AckCode {
	if m.InEnhancedMode() && !m.Wants(ApplicationAccept) && !m.Wants(ApplicationError) {
		return commit
	}
	return application
}

// InEnhancedMode reports whether the sender asked for acknowledgments in enhanced mode,
// by a value in MSH-15 or MSH-16 (HL7 v2.5.1, 2.9.3).
func (m *Message) InEnhancedMode() bool {
	return m.ackCondition(15) != "" || m.ackCondition(16) != ""
}

// ackCondition returns MSH-15 or MSH-16 in upper case, or "" for a null.
func (m *Message) ackCondition(field int) string {
	value := strings.ToUpper(strings.TrimSpace(m.msh(field, 1)))
	if value == Null {
		return ""
	}
	return value
}

// Acknowledge returns the acknowledgment of m, in m's own delimiters, version and
// character set. It has an MSH with the applications and facilities exchanged, an MSA
// with MSH-10 unchanged, and the problems. Since v2.5 each problem is an ERR segment;
// before, each is a repetition of ERR-1 with its text in MSA-3 (HL7 v2.5.1, 2.13.1; HL7
// v2.4, 2.16.5). The acknowledgment is written whether or not the sender wants it (see
// [Message.Wants]). The error wraps [ErrAck] or [ErrNotEncodable].
func (m *Message) Acknowledge(a Ack) (*Message, error) {
	if len(m.segments) == 0 {
		return nil, fmt.Errorf("hl7: %w", ErrNoSegment)
	}
	if err := a.check(); err != nil {
		return nil, err
	}
	ack, err := m.ackHeader(a)
	if err != nil {
		return nil, err
	}
	if err := ack.AddSegment("MSA", string(a.Code)); err != nil {
		return nil, err
	}
	if id, _ := m.Segment(0).raw(Path{Field: 10}); len(id) > 0 {
		if err := ack.SetRaw("MSA-2", id); err != nil {
			return nil, err
		}
	}
	if m.before("2.5") {
		err = ack.addLocations(a.Problems)
	} else {
		err = ack.addErrors(a.Problems)
	}
	return ack, err
}

// ackHeader returns a message that has only the acknowledgment's MSH.
func (m *Message) ackHeader(a Ack) (*Message, error) {
	controlID, err := m.escape(a.ControlID)
	if err != nil {
		return nil, fmt.Errorf("hl7: MSH-10: %w", err)
	}
	messageType := []string{"ACK"}
	if event := m.msh(9, 2); isCode(event) && m.delimiters.Component != 0 {
		messageType = append(messageType, event)
		if !m.before("2.4") {
			messageType = append(messageType, "ACK")
		}
	}
	raw := m.Segment(0).rawField
	fields := m.replyFields(a.Time)
	fields[9-1] = strings.Join(messageType, string(m.delimiters.Component))
	fields[10-1], fields[11-1], fields[12-1], fields[18-1] = string(controlID), raw(11), raw(12), raw(18)
	return m.reply(fields)
}

// ackTime is how the time of an answer is written.
const ackTime = "20060102150405-0700"

// replyFields returns the fields of an answer's header, up to MSH-18. It has the
// delimiters of m, sender and receiver exchanged, and the time; the others are empty.
func (m *Message) replyFields(at time.Time) []string {
	raw := m.Segment(0).rawField
	fields := make([]string, 18)
	copy(fields, []string{string(m.delimiters.Field), raw(2), raw(5), raw(6), raw(3), raw(4), at.Format(ackTime)})
	return fields
}

// rawField returns a field unchanged, or "" if there is none.
func (s Segment) rawField(n int) string {
	value, _ := s.raw(Path{Field: n})
	return string(value)
}

// reply returns a message that has only a header with these fields, of which the first is
// the field separator. It is in the character set that m was read in, so that m's sender
// can read it.
func (m *Message) reply(fields []string) (*Message, error) {
	text := "MSH" + fields[0] + strings.TrimRight(strings.Join(fields[1:], fields[0]), fields[0])
	answer := new(Message)
	if err := answer.adopt([]byte(text + "\r")); err != nil {
		return nil, err
	}
	if m.charset.encoding != nil {
		answer.charset = charset{name: m.charset.name, encoding: m.charset.encoding, outside: m.charset.outside}
	}
	return answer, nil
}

// before reports whether the message's version is earlier than the given one.
func (m *Message) before(version string) bool {
	own, ok := VersionNumber(m.Version())
	return ok && CompareVersions(own, version) < 0
}

// addErrors adds an ERR segment for each problem (HL7 v2.5.1, 2.15.5).
func (m *Message) addErrors(problems []Problem) error {
	for i, p := range problems {
		if err := m.AddSegment("ERR"); err != nil {
			return err
		}
		severity := cmp.Or(p.Severity, "E")
		err := m.setAll(fmt.Sprintf("ERR[%d]-", i+1), map[string]string{
			"2.1": p.Path.Segment, "2.2": p.sequence(), "2.3": decimal(p.Path.Field), "2.4": decimal(p.Path.Repetition),
			"2.5": decimal(p.Path.Component), "2.6": decimal(p.Path.Subcomponent),
			"3.1": p.Code, "3.2": p.Name, "3.3": "HL70357", "4": severity, "8": p.Text,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// addLocations adds one ERR segment with a repetition of ERR-1 for each problem, and
// their texts to MSA-3 (HL7 v2.4, 2.16.5 and 2.16.8).
func (m *Message) addLocations(problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	if err := m.AddSegment("ERR"); err != nil {
		return err
	}
	var texts []string
	for i, p := range problems {
		err := m.setAll(fmt.Sprintf("ERR-1[%d].", i+1), map[string]string{
			"1": p.Path.Segment, "2": p.sequence(), "3": decimal(p.Path.Field),
			"4.1": p.Code, "4.2": p.Name, "4.3": "HL70357",
		})
		if err != nil {
			return err
		}
		if p.Text != "" {
			texts = append(texts, p.Text)
		}
	}
	return m.setAll("MSA-", map[string]string{"3": strings.Join(texts, "; ")})
}

// sequence returns the position of a problem's segment among the segments of that name.
func (p Problem) sequence() string {
	if p.Path.Segment == "" {
		return ""
	}
	return strconv.Itoa(max(p.Path.Occurrence, 1))
}

func (m *Message) setAll(at string, values map[string]string) error {
	for path, text := range values {
		if text == "" {
			continue
		}
		if err := m.Set(at+path, text); err != nil {
			return err
		}
	}
	return nil
}

func decimal(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
