package tables_test

// Tests of the bounds on time and output.

import (
	"io"
	"strings"
	"testing"
	"time"

	"hl7lake/tables"
)

// count counts the bytes of all files.
type count struct{ bytes int }

func (c *count) Write(p []byte) (int, error) { c.bytes += len(p); return len(p), nil }
func (c *count) Close() error                { return nil }

// TestWhatAMessageTakesIsBoundedByItsSize writes worst cases of each kind at growing
// sizes.
func TestWhatAMessageTakesIsBoundedByItsSize(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	const header = "MSH|^~\\&|A|B|||2026||ORU^R01|1|P|2.5\r"
	kinds := map[string]func(n int) string{
		"repetitions of an identifier": func(n int) string { return "PID|1||" + strings.Repeat("1~", n/2) },
		"prior identifiers": func(n int) string {
			return "PID|1||" + strings.Repeat("1~", n/4) + "\rMRG|" + strings.Repeat("1~", n/4)
		},
		"components":     func(n int) string { return "OBX|1|CE|" + strings.Repeat("a^", n/2) },
		"sub-components": func(n int) string { return "OBX|1|CE|" + strings.Repeat("a&", n/2) },
		"fields":         func(n int) string { return "PV1" + strings.Repeat("|a", n/2) },
		"results of a long order": func(n int) string {
			return "OBR|1|" + strings.Repeat("x", n/2) + "\r" + strings.Repeat("OBX|1\r", n/12)
		},
		"results of an order of many values": func(n int) string {
			return "OBR|1" + strings.Repeat("|x", n/4) + "\r" + strings.Repeat("OBX|1\r", n/12)
		},
		"lines of a note":        func(n int) string { return "NTE|1||" + strings.Repeat("a~", n/2) },
		"a long segment name":    func(n int) string { return strings.Repeat("Z", n/2) + strings.Repeat("|a", n/4) },
		"visits":                 func(n int) string { return strings.Repeat("PV1|1\r", n/6) },
		"orders without details": func(n int) string { return strings.Repeat("ORC|1\r", n/6) },
		"appointments":           func(n int) string { return strings.Repeat("SCH|1\r", n/6) },
		"escapes":                func(n int) string { return "OBX|1|TX|||" + strings.Repeat(`\T\`, n/3) },
		"times":                  func(n int) string { return "OBX|1|TS|||" + strings.Repeat("2", n) },
	}
	const small, large = 16 << 10, 128 << 10
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			linear := false
			for range 5 { // other work on the machine makes a writer slower, never faster
				shortTime, _ := cost(t, header+kind(small))
				longTime, size := cost(t, header+kind(large))
				if size > 8*large+256<<10 {
					t.Fatalf("%d bytes became %d", large, size)
				}
				linear = longTime < 4*large/small*(shortTime+time.Millisecond)
				if linear {
					break
				}
				t.Logf("%d times the size takes %v, %v before", large/small, longTime, shortTime)
			}
			if !linear {
				t.Error("the time is not bounded by the size")
			}
		})
	}
}

// cost returns the processor time that a message takes, the least of several runs, and
// the size of its files.
func cost(t *testing.T, body string) (best time.Duration, size int) {
	best = time.Hour
	for range 2 {
		var c count
		start := processorTime(t)
		w := tables.NewWriter(func(*tables.Table) (io.WriteCloser, error) { return &c, nil })
		if err := w.Add(tables.Message{Root: root, Received: received, Body: []byte(body)}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		best, size = min(best, processorTime(t)-start), c.bytes
	}
	return best, size
}
