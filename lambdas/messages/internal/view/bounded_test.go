package view

// This file is about time and output, which are bounded by the size of the message and of
// a page.

import (
	"encoding/json"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"hl7lake/hl7"
	"hl7lake/hl7/growth"
)

// worst are inputs of about n bytes, each made of one thing only.
var worst = map[string]func(n int) string{
	"repetitions":           after("PID|1||", "~"),
	"identifiers":           after("PID|1||", "1^^^A&1&ISO^MR~"),
	"components":            after("PID|1||", "^"),
	"subcomponents":         after("PID|1||", "&"),
	"fields":                after("OBX|", "|"),
	"codes":                 after("PID|1|||||||", "F~"),
	"escapes":               after("NTE|1||", "\\T\\"),
	"escapes in fields":     after("NTE|1||", "\\T\\|"),
	"escapes that are none": after("NTE|1||", "\\q"),
	"faulty values":         after("PID|1|||||", "x|x~"),
	"one value":             after("OBX|1|ED|1||", "x"),
	"marks of JSON":         after("OBX|1|TX|1||", "<&\"\x01~"),
	"control characters":    after("OBX|1|TX|1||", "\x01|"),
	"invalid bytes":         after("NTE|1||", "\xff\xa0"),
	"line ends by command":  after("NTE|1||\\.sp255\\", "x"),
	"empty segments":        after("", "NTE\r"),
	"short segments":        after("", "NTE|1\r"),
	"results":               after("PID|1\r", "ORC|RE\rOBR|1\rOBX|1|NM|8||x\r"),
	"orders":                after("PID|1\r", "OBR|1\r"),
	"lines":                 after("", "x\r"),
	"a long line":           after("", "x"),
	"types of keys":         after("MFE|1|||1|", "NM~"),
	"version":               func(n int) string { return "MSH|^~\\&||||||||7|T|" + strings.Repeat("2", n) },
	"control id":            func(n int) string { return "MSH|^~\\&||||||||" + strings.Repeat("~x", n/2) + "|T|2.5" },
	"no header":             func(n int) string { return strings.Repeat("x|", n/2) },
	"no header, in lines":   func(n int) string { return strings.Repeat("x\n", n/2) },
	"empty lines":           func(n int) string { return "x" + strings.Repeat("\n", n) },
	"messages":              func(n int) string { return strings.Repeat(header, n/len(header)) },
}

func after(before, part string) func(int) string {
	return func(n int) string {
		return header + before + strings.Repeat(part, n/len(part))
	}
}

// view makes the page of an input, whatever it is.
func view(data []byte, from int) View {
	m, err := hl7.Parse(data)
	if err != nil {
		return OfText(data, err, from)
	}
	return Of(data, m, from)
}

func TestThePagesOfTheWorstMessagesAreSmallAndCoverThem(t *testing.T) {
	const size, most = 1 << 18, 3 << 19
	for name, input := range worst {
		data := []byte(input(size))
		shown, pages := 0, 0
		for from := 0; pages == 0 || from > 0 && pages < 2; pages++ {
			v := view(data, from)
			page, err := json.Marshal(v)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if len(page) > most {
				t.Errorf("%s: a page of %d bytes from %d on", name, len(page), from)
			}
			shown += len(v.Segments) + len(v.Lines)
			if v.Next > 0 && v.Next != shown || v.Next == 0 && shown != v.Total {
				t.Errorf("%s: %d of %d shown, and the next is %d", name, shown, v.Total, v.Next)
			}
			from = v.Next
		}
	}
}

func TestAMessageOfVeryManySegmentsIsShownWithoutGroupsAndFindings(t *testing.T) {
	for n, unchecked := range map[int]bool{maxChecked: false, maxChecked + 1: true} {
		v := view([]byte(header+strings.Repeat("PID\r", n-1)), 0)
		if v.Unchecked != unchecked || (v.FindingsTotal == 0) != unchecked || (v.Segments[1].Groups == nil) != unchecked {
			t.Errorf("%d segments: %t, %d findings, in %v", n, v.Unchecked, v.FindingsTotal, v.Segments[1].Groups)
		}
	}
}

func TestTheTimeOfAViewGrowsWithTheMessageOnly(t *testing.T) {
	const size = 8 << 10
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // small messages cause no collections
	for name, input := range worst {
		first, second, linear := growth.Linear(size, func(size int) func() {
			data := []byte(input(size))
			runtime.GC()
			return func() { view(data, 1) }
		})
		if !linear {
			t.Errorf("%s: %v for %d bytes, %v for %d times as many", name, first, size, second, growth.Times)
		}
	}
}

func FuzzAnythingHasAViewThatIsSmall(f *testing.F) {
	for _, input := range worst {
		f.Add([]byte(input(256)), 0)
	}
	f.Fuzz(func(t *testing.T, data []byte, from int) {
		page, err := json.Marshal(view(data, max(from, 0)))
		if err != nil {
			t.Fatal(err)
		}
		if most := 1<<16 + 64*len(data); len(page) > most {
			t.Errorf("%d bytes for %d", len(page), len(data))
		}
	})
}
