package hl7_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hl7lake/hl7"
)

// wide writes ASCII in UTF-16, low byte first.
func wide(text string) string {
	var b strings.Builder
	for i := range len(text) {
		b.WriteString(text[i:i+1] + "\x00")
	}
	return b.String()
}

func TestAnAcknowledgmentGoesBackWhereTheMessageCameFrom(t *testing.T) {
	at := time.Date(2026, 3, 14, 9, 15, 42, 0, time.UTC)
	problem := hl7.Problem{
		Path: hl7.Path{Segment: "PID", Occurrence: 1, Field: 5, Repetition: 1, Component: 1},
		Code: "101", Name: "Required field missing", Text: "no name",
	}
	for name, test := range map[string]struct {
		message string
		ack     hl7.Ack
		want    string
	}{
		"accept": {
			"MSH|^~\\&|WARDS|NORTH^1.2^ISO|LAKE|SOUTH|20260314||ADT^A01^ADT_A01|NF1|P|2.5.1\r",
			hl7.Ack{Code: hl7.ApplicationAccept, ControlID: "K1", Time: at},
			"MSH|^~\\&|LAKE|SOUTH|WARDS|NORTH^1.2^ISO|20260314091542+0000||ACK^A01^ACK|K1|P|2.5.1\rMSA|AA|NF1\r",
		},
		"error, v2.5.1": {
			"MSH|^~\\&|WARDS|NORTH|LAKE|SOUTH|20260314||ADT^A01|NF1|P|2.5.1||||||UNICODE UTF-8\r",
			hl7.Ack{Code: hl7.ApplicationError, ControlID: "K1", Time: at, Problems: []hl7.Problem{problem, {Code: "207", Name: "Application internal error", Severity: "F"}}},
			"MSH|^~\\&|LAKE|SOUTH|WARDS|NORTH|20260314091542+0000||ACK^A01^ACK|K1|P|2.5.1||||||UNICODE UTF-8\rMSA|AE|NF1\r" +
				"ERR||PID^1^5^1^1|101^Required field missing^HL70357|E||||no name\rERR|||207^Application internal error^HL70357|F\r",
		},
		"error, v2.3": {
			"MSH|^~\\&|WARDS|NORTH|LAKE|SOUTH|20260314||ADT^A01|NF1|P|2.3\r",
			hl7.Ack{Code: hl7.ApplicationReject, ControlID: "K1", Time: at, Problems: []hl7.Problem{problem}},
			"MSH|^~\\&|LAKE|SOUTH|WARDS|NORTH|20260314091542+0000||ACK^A01|K1|P|2.3\rMSA|AR|NF1|no name\r" +
				"ERR|PID^1^5^101&Required field missing&HL70357\r",
		},
		"two errors, v2.3 in words": {
			"MSH|^~\\&|WARDS|NORTH|LAKE|SOUTH|20260314||ADT^A01|NF1|P|v2.3.1 DE\r",
			hl7.Ack{Code: hl7.ApplicationError, ControlID: "K1", Time: at, Problems: []hl7.Problem{problem, {Code: "207", Text: "and more"}}},
			"MSH|^~\\&|LAKE|SOUTH|WARDS|NORTH|20260314091542+0000||ACK^A01|K1|P|v2.3.1 DE\rMSA|AE|NF1|no name; and more\r" +
				"ERR|PID^1^5^101&Required field missing&HL70357~^^^207&&HL70357\r",
		},
		"a control id with components": {
			"MSH|^~\\&|WARDS|NORTH|LAKE|SOUTH|20260314||ADT^A01|20120814^H~2|P|2.5.1\r",
			hl7.Ack{Code: hl7.ApplicationAccept, ControlID: "K1", Time: at},
			"MSH|^~\\&|LAKE|SOUTH|WARDS|NORTH|20260314091542+0000||ACK^A01^ACK|K1|P|2.5.1\rMSA|AA|20120814^H~2\r",
		},
		"Windows-1252, undeclared": {
			"MSH|^~\\&|H\xd4PITAL|NORTH|LAKE|SOUTH|20260314||ADT^A01|NF1|P|2.5.1\r",
			hl7.Ack{Code: hl7.ApplicationAccept, ControlID: "K1", Time: at},
			"MSH|^~\\&|LAKE|SOUTH|H\xd4PITAL|NORTH|20260314091542+0000||ACK^A01^ACK|K1|P|2.5.1\rMSA|AA|NF1\r",
		},
		"UTF-16 with a byte order mark": {
			"\xff\xfe" + wide("MSH|^~\\&|A|B|C|D|||ADT^A01|1|P|2.5.1\r"),
			hl7.Ack{Code: hl7.ApplicationAccept, ControlID: "K1", Time: at},
			"\xff\xfe" + wide("MSH|^~\\&|C|D|A|B|20260314091542+0000||ACK^A01^ACK|K1|P|2.5.1\rMSA|AA|1\r"),
		},
		"its own delimiters, no type": {
			"MSH$*@!%$WARDS$NORTH$LAKE\r",
			hl7.Ack{Code: hl7.CommitAccept, ControlID: "K$1", Time: at},
			"MSH$*@!%$LAKE$$WARDS$NORTH$20260314091542+0000$$ACK$K!F!1\rMSA$CA\r",
		},
	} {
		t.Run(name, func(t *testing.T) {
			ack, err := parse(t, test.message).Acknowledge(test.ack)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(ack.Encode())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The rows are MSH-15 and MSH-16, the columns the codes in the order AA AE AR CA CE CR.
func TestAcknowledgmentsAreWantedAsTheHeaderSays(t *testing.T) {
	codes := []hl7.AckCode{hl7.ApplicationAccept, hl7.ApplicationError, hl7.ApplicationReject, hl7.CommitAccept, hl7.CommitError, hl7.CommitReject}
	for conditions, want := range map[string]string{
		"|":     "yes yes yes no no no ", // original mode
		"AL|AL": "yes yes yes yes yes yes ",
		"AL|NE": "no no no yes yes yes ",
		"NE|AL": "yes yes yes no no no ",
		"AL|":   "no no no yes yes yes ",
		`""|""`: "yes yes yes no no no ",
		"al|ne": "no no no yes yes yes ",
		"|??":   "yes yes yes no no no ",
		"ER|SU": "yes no no no yes yes ",
		"SU|ER": "no yes yes yes no no ",
	} {
		m := parse(t, "MSH|^~\\&|A|||||"+"|ADT^A01|1|P|2.5|||"+conditions+"\r")
		got := ""
		for _, code := range codes {
			if m.Wants(code) {
				got += "yes "
			} else {
				got += "no "
			}
		}
		if got != want {
			t.Errorf("MSH-15|MSH-16 = %s: %s, want %s", conditions, got, want)
		}
	}
}

func TestTheOnlyAnswerIsTheOneThatTheSenderLooksFor(t *testing.T) {
	for conditions, want := range map[string]hl7.AckCode{
		"": hl7.ApplicationAccept, "|": hl7.ApplicationAccept, "AL|": hl7.CommitAccept, "AL|NE": hl7.CommitAccept, "NE|NE": hl7.CommitAccept,
		"AL|AL": hl7.ApplicationAccept, "|ER": hl7.ApplicationAccept, "AL|SU": hl7.ApplicationAccept,
	} {
		m, err := hl7.Parse([]byte("MSH|^~\\&|A||||||ADT^A01|1|P|2.5|||" + conditions + "\r"))
		if err != nil {
			t.Fatal(err)
		}
		if got := m.AnswerCode(hl7.ApplicationAccept, hl7.CommitAccept); got != want {
			t.Errorf("%q: %s, want %s", conditions, got, want)
		}
	}
}

func TestAnAcknowledgmentThatSaysTooLittleIsRefused(t *testing.T) {
	whole := hl7.Ack{Code: hl7.ApplicationError, ControlID: "K1", Time: time.Unix(0, 0), Problems: []hl7.Problem{{Code: "207"}}}
	for name, change := range map[string]func(*hl7.Ack){
		"the zero value":         func(a *hl7.Ack) { *a = hl7.Ack{} },
		"no code":                func(a *hl7.Ack) { a.Code = "" },
		"a code of no table":     func(a *hl7.Ack) { a.Code = "OK" },
		"no control id":          func(a *hl7.Ack) { a.ControlID = "" },
		"a blank control id":     func(a *hl7.Ack) { a.ControlID = " " },
		"no time":                func(a *hl7.Ack) { a.Time = time.Time{} },
		"a problem without code": func(a *hl7.Ack) { a.Problems = []hl7.Problem{{}} },
	} {
		a := whole
		change(&a)
		if _, err := parse(t, "MSH|^~\\&|A\r").Acknowledge(a); !errors.Is(err, hl7.ErrAck) {
			t.Errorf("%s: %v, want ErrAck", name, err)
		}
	}
	if _, err := parse(t, "MSH|^~\\&|A\r").Acknowledge(whole); err != nil {
		t.Errorf("the whole of it: %v", err)
	}
}

// Each input is not a message, or is one that cannot be acknowledged in its own
// delimiters or character set.
func TestWhatIsNoMessageIsAnsweredAllTheSame(t *testing.T) {
	for name, test := range map[string]struct{ input, want string }{
		"nothing":      {"", "MSH|^~\\&|||||T||ACK|K1\rMSA|AE\rERR|||100^Segment sequence error^HL70357|E||||empty input\r"},
		"another text": {"hello", "MSH|^~\\&|||||T||ACK|K1\rMSA|AE\rERR|||100^Segment sequence error^HL70357|E||||does not begin with an MSH segment\r"},
		"a header that ends early": {"MSH|^~\\&\r",
			"MSH|^~\\&|||||T||ACK|K1\rMSA|AE\rERR||MSH^1^3|101^Required field missing^HL70357|E||||the MSH segment ends before its third field\r"},
		"letters that shall delimit": {"MSH|abc|A|B|C|D|||ADT^A01|7|P|2.5.1\r",
			"MSH|^~\\&|C|D|A|B|T||ACK^A01^ACK|K1|P|2.5.1\rMSA|AE|7\rERR||MSH^1^2|102^Data type error^HL70357|E||||unusable delimiters\r"},
		"letters, and a separator that is no usual one": {"MSH~abc~A~B~C~D~~~ADT~7~P~2.4\r",
			"MSH|^~\\&|C|D|A|B|T||ACK|K1|P|2.4\rMSA|AE|7|unusable delimiters\rERR|MSH^1^2^102&Data type error&HL70357\r"},
		"two messages": {"MSH|^~\\&|A|B|C|D|||ADT^A01|7|P|2.5.1\rMSH|^~\\&|A|B|C|D|||ADT^A01|8|P|2.5.1\r",
			"MSH|^~\\&|C|D|A|B|T||ACK^A01^ACK|K1|P|2.5.1\rMSA|AE|7\rERR||MSH^1|100^Segment sequence error^HL70357|E||||more than one message\r"},
		"a header whose first separator is lost": {"MSH^~\\&|A|B|C|D|||ADT^A01|7|P|2.5.1\r",
			"MSH|^~\\&|C|D|A|B|T||ACK^A01^ACK|K1|P|2.5.1\rMSA|AE|7\rERR||MSH^1^2|102^Data type error^HL70357|E||||unusable delimiters\r"},
		"a blank in the name": {"MSH|abc|A 1|B|C|D|||ADT^A01|7|P|2.5.1\r",
			"MSH|^~\\&|C|D|A 1|B|T||ACK^A01^ACK|K1|P|2.5.1\rMSA|AE|7\rERR||MSH^1^2|102^Data type error^HL70357|E||||unusable delimiters\r"},
		"a separator alone": {"MSH$",
			"MSH$^~\\&$$$$$20260314091542+0000$$ACK$K1\rMSA$AE\rERR$$MSH^1^2$101^Required field missing^HL70357$E$$$$the MSH segment ends before its third field\r"},
		"control characters in the name": {"MSH|abc|A\x1b[31m|B|C|D|||ADT^A01|7|P|2.5.1\r",
			"MSH|^~\\&|C|D|A[31m|B|T||ACK^A01^ACK|K1|P|2.5.1\rMSA|AE|7\rERR||MSH^1^2|102^Data type error^HL70357|E||||unusable delimiters\r"},
	} {
		t.Run(name, func(t *testing.T) {
			_, problem := hl7.Parse([]byte(test.input))
			ack, err := hl7.Reply([]byte(test.input), hl7.Ack{Code: hl7.ApplicationError, ControlID: "K1",
				Time: time.Date(2026, 3, 14, 9, 15, 42, 0, time.UTC), Problems: []hl7.Problem{hl7.ProblemOf(problem)}})
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Replace(test.want, "|T|", "|20260314091542+0000|", 1)
			if diff := cmp.Diff(want, string(ack.Encode())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheHeaderOfWhatIsNoMessageSaysWhoSentIt(t *testing.T) {
	for name, input := range map[string]string{
		"several messages": "MSH|^~\\&|A|B\rMSH|^~\\&|C\r",
		"behind a frame":   "\v\r\n MSH|^~\\&|A|B\nPID|1\r\x1c\rPID|2\r",
		"a header alone":   "MSH|^~\\&|A|B",
	} {
		m, err := hl7.ParseHeader([]byte(input))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := segmentsOf(m); got != `MSH|^~\&|A|B` {
			t.Errorf("%s: %s", name, got)
		}
	}
	if _, err := hl7.ParseHeader([]byte("PID|1\rMSH|^~\\&|A\r")); !errors.Is(err, hl7.ErrNoHeader) {
		t.Errorf("a header on the second line: %v", err)
	}
}

// Whatever the problems' texts are, the sender must learn which message is meant.
func TestAnAnswerNamesTheMessageEvenIfItCannotHoldTheProblemsText(t *testing.T) {
	for name, test := range map[string]struct{ input, want string }{
		"a character set without the characters": {"MSH|^~\\&|A|B|C|D|||ADT^A01|7\xfc|P|2.5.1||||||8859/1\r",
			"MSH|^~\\&|C|D|A|B|T||ACK^A01^ACK|K1|P|2.5.1||||||8859/1\rMSA|AE|7\xfc\rERR|||101^a?b c?^HL70357|E||||????\r"},
		"no escape character": {"MSH|^~|A|B|C|D|||ADT^A01|7|P|2.5.1\r",
			"MSH|^~|C|D|A|B|T||ACK^A01^ACK|K1|P|2.5.1\rMSA|AE|7\rERR|||101^a?b c?^HL70357|E||||????\r"},
		"no delimiters for a problem": {"MSH|^|A|B|C|D|||ADT^A01|7|P|2.3\r",
			"MSH|^|C|D|A|B|T||ACK^A01|K1|P|2.3\rMSA|AE|7\r"},
	} {
		t.Run(name, func(t *testing.T) {
			ack, err := hl7.Reply([]byte(test.input), hl7.Ack{Code: hl7.ApplicationError, ControlID: "K1",
				Time: time.Date(2026, 3, 14, 9, 15, 42, 0, time.UTC), Problems: []hl7.Problem{{Code: "101", Name: "a^b c\x7f", Text: "表||語"}}})
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Replace(test.want, "|T|", "|20260314091542+0000|", 1)
			if diff := cmp.Diff(want, string(ack.Encode())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestVersionsAreReadInTheWaysThatTheyAreWritten(t *testing.T) {
	for value, want := range map[string]string{
		"2.5.1": "2.5.1", "2.3": "2.3", "v2.3": "2.3", "2.3.1 DE": "2.3.1", " 2.4 ": "2.4", "HL7 2.6": "2.6", "2.5.": "2.5", "2.9": "2.9", "2.10": "2.10",
		"": "", "2": "", "two": "", "2..5": "", "2.5.1.1": "", "20260101": "", "2.100": "",
	} {
		got, ok := hl7.VersionNumber(value)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q %v, want %q", value, got, ok, want)
		}
	}
	for _, pair := range [][2]string{{"2.3", "2.3.1"}, {"2.3.1", "2.4"}, {"2.9", "2.10"}, {"2.8", "2.8.2"}} {
		if hl7.CompareVersions(pair[0], pair[1]) >= 0 || hl7.CompareVersions(pair[1], pair[0]) <= 0 || hl7.CompareVersions(pair[0], pair[0]) != 0 {
			t.Errorf("%s is not before %s", pair[0], pair[1])
		}
	}
}

func FuzzReply(f *testing.F) {
	for _, text := range []string{"", "MSH|^~\\&|A|B|C|D|||ADT^A01|7|P|2.5.1\r", "MSH|abc|A", "MSH\xff", "\xff\xfeM\x00S\x00H\x00|\x00"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ack, err := hl7.Reply(data, hl7.Ack{Code: hl7.ApplicationError, ControlID: "K1", Time: time.Unix(0, 0)})
		if err != nil {
			t.Fatal(err)
		}
		again, err := hl7.Parse(ack.Encode())
		if err != nil || again.Get("MSA-1") != "AE" {
			t.Fatalf("%q is answered by %q: %v", data, ack.Encode(), err)
		}
	})
}
