package tables_test

// This file is about the bounds on time and output.

import (
	"io"
	"strings"
	"testing"

	"hl7lake/hl7/growth"
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
	const small = 16 << 10
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			first, second, linear := growth.Linear(small, func(size int) func() {
				body := header + kind(size)
				return func() {
					if written := sizeOf(t, body); written > 8*len(body)+256<<10 {
						t.Errorf("%d bytes became %d", len(body), written)
					}
				}
			})
			if !linear {
				t.Errorf("%v for %d bytes, %v for %d times as many", first, small, second, growth.Times)
			}
		})
	}
}

// sizeOf returns the size of the files that one message becomes.
func sizeOf(t *testing.T, body string) int {
	t.Helper()
	var c count
	w := tables.NewWriter(func(*tables.Table) (io.WriteCloser, error) { return &c, nil })
	if err := w.Add(tables.Message{Root: root, Received: received, Body: []byte(body)}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return c.bytes
}
