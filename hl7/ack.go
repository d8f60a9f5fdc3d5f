package hl7

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AckCode is the acknowledgment code of MSA-1 (HL7 v2.5.1, 2.15.8.1, table 0008).
type AckCode string

// The acknowledgment codes: A… says what became of the message, C… only whether it was
// received and is kept.
const (
	ApplicationAccept AckCode = "AA"
	ApplicationError  AckCode = "AE"
	ApplicationReject AckCode = "AR"
	CommitAccept      AckCode = "CA"
	CommitError       AckCode = "CE"
	CommitReject      AckCode = "CR"
)

// An Ack is what a receiver says about a message.
type Ack struct {
	Code      AckCode
	ControlID string    // of the acknowledgment itself: MSH-10
	Time      time.Time // MSH-7
	Problems  []Problem // an ERR segment for each
}

// A Problem is one thing that is wrong with a message.
type Problem struct {
	Path     Path   // where; the zero Path where it is the message as a whole
	Code     string // HL7 table 0357, such as "101"
	Name     string // what table 0357 calls it, such as "Required field missing"
	Severity string // HL7 table 0516: "E" unless set, "W", "I", "F"
	Text     string // for a person: ERR-8
}

// Wants reports whether the sender asked for an acknowledgment with that code: in
// original mode for every A… and no C…; in enhanced mode, which a value in MSH-15 or
// MSH-16 chooses, as MSH-15 says for C… and MSH-16 for A… (HL7 v2.5.1, 2.9.2, 2.9.3 and
// table 0155).
func (m *Message) Wants(code AckCode) bool {
	accept, application := m.msh(15, 1), m.msh(16, 1)
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
	case "AL":
		return true
	case "SU":
		return success
	case "ER":
		return !success
	}
	return false
}

// Acknowledge returns the acknowledgment of m in m's own delimiters, version and
// character set: MSH with the applications and facilities changed over, MSA with m's
// control id, and an ERR segment for each problem (HL7 v2.5.1, 2.13.1). It is written
// whether the sender wants it or not (see [Message.Wants]). The error wraps
// [ErrNotEncodable].
func (m *Message) Acknowledge(a Ack) (*Message, error) {
	if len(m.segments) == 0 {
		return nil, fmt.Errorf("hl7: %w", ErrNoSegment)
	}
	ack, err := m.ackHeader(a)
	if err != nil {
		return nil, err
	}
	if err := ack.AddSegment("MSA", string(a.Code), m.ControlID()); err != nil {
		return nil, err
	}
	for i, problem := range a.Problems {
		if err := ack.addProblem(i+1, problem, m); err != nil {
			return nil, err
		}
	}
	return ack, nil
}

// ackHeader returns a message of nothing but the acknowledgment's MSH.
func (m *Message) ackHeader(a Ack) (*Message, error) {
	raw := func(n int) string {
		value, _ := m.Segment(0).raw(Path{Field: n})
		return string(value)
	}
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
	fields := make([]string, 18)
	copy(fields, []string{string(m.delimiters.Field), raw(2), raw(5), raw(6), raw(3), raw(4)})
	fields[7-1] = a.Time.Format("20060102150405-0700")
	fields[9-1] = strings.Join(messageType, string(m.delimiters.Component))
	fields[10-1], fields[11-1], fields[12-1], fields[18-1] = string(controlID), raw(11), raw(12), raw(18)
	text := "MSH" + fields[0] + strings.TrimRight(strings.Join(fields[1:], fields[0]), fields[0])
	ack := new(Message)
	return ack, ack.adopt([]byte(text + "\r"))
}

// before reports whether the message's version is an earlier one.
func (m *Message) before(version string) bool {
	numbers := func(s string) (n []int) {
		for part := range strings.SplitSeq(s, ".") {
			i, err := strconv.Atoi(part)
			if err != nil {
				return n
			}
			n = append(n, i)
		}
		return n
	}
	own := numbers(m.Version())
	return len(own) > 0 && slices.Compare(own, numbers(version)) < 0
}

// addProblem adds an ERR segment: ERR-2 to ERR-8 since v2.5, ERR-1 before (HL7 v2.5.1,
// 2.15.5; HL7 v2.4, 2.16.5).
func (m *Message) addProblem(n int, p Problem, about *Message) error {
	if err := m.AddSegment("ERR"); err != nil {
		return err
	}
	sequence := ""
	if p.Path.Segment != "" {
		sequence = strconv.Itoa(max(p.Path.Occurrence, 1))
	}
	at := fmt.Sprintf("ERR[%d]-", n)
	if about.before("2.5") {
		return m.setAll(at, map[string]string{
			"1.1": p.Path.Segment, "1.2": sequence, "1.3": decimal(p.Path.Field),
			"1.4.1": p.Code, "1.4.2": p.Name, "1.4.3": "HL70357",
		})
	}
	severity := p.Severity
	if severity == "" {
		severity = "E"
	}
	return m.setAll(at, map[string]string{
		"2.1": p.Path.Segment, "2.2": sequence, "2.3": decimal(p.Path.Field), "2.4": decimal(p.Path.Repetition),
		"2.5": decimal(p.Path.Component), "2.6": decimal(p.Path.Subcomponent),
		"3.1": p.Code, "3.2": p.Name, "3.3": "HL70357", "4": severity, "8": p.Text,
	})
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
