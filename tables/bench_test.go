package tables_test

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"hl7lake/tables"
)

// feed is a small sample of what a hospital sends: admissions, and reports with a few
// results, each about another patient.
func feed(n int) []tables.Message {
	admission := strings.ReplaceAll(`MSH|^~\&|WARDS|NORTHFIELD|LAKE|NORTHFIELD|20260314091542+0100||ADT^A01^ADT_A01|NF%[1]d|P|2.5.1
EVN|A01|20260314091500
PID|1||9%[1]d^^^NORTHFIELD^MR||Testperson%[1]d^Tilda^Q||19710820|F|||12 Sample Street^^Exampleton^XX^00001||555-0143
PV1|1|I|3WEST^312^B^NORTHFIELD||||D0117^Mockford^Max|||MED||||7|||D0117^Mockford^Max|IP|V%[1]d|||||||||||||||||||||||||20260314084000
AL1|1|DA|PEN^Penicillin^L|SV|Hives
DG1|1||J18.9^Pneumonia^I10|||A
`, "\n", "\r")
	report := strings.ReplaceAll(`MSH|^~\&|ANALYZER|NORTHFIELD|LAKE|NORTHFIELD|20260314101200+0100||ORU^R01^ORU_R01|NR%[1]d|P|2.5.1
PID|1||9%[1]d^^^NORTHFIELD^MR||Testperson%[1]d^Tilda^Q||19710820|F
PV1|1|I|3WEST^312^B^NORTHFIELD
OBR|1|ORD%[1]d^WARDS|LAB%[1]d^ANALYZER|24323-8^Metabolic panel^LN|||20260314085000|||||||||||||||20260314100900||LAB|F
OBX|1|NM|2345-7^Glucose^LN||%[2]d.%[3]d|mmol/L|3.5-5.1|N|||F|||20260314100900
OBX|2|NM|2823-3^Potassium^LN||4.%[3]d|mmol/L|3.5-5.1|N|||F|||20260314100900
OBX|3|NM|2951-2^Sodium^LN||13%[3]d|mmol/L|136-145|N|||F|||20260314100900
OBX|4|NM|2160-0^Creatinine^LN||0.%[3]d|mg/dL|0.6-1.2|N|||F|||20260314100900
`, "\n", "\r")
	messages := make([]tables.Message, n)
	for i := range messages {
		text := report
		if i%2 == 0 {
			text = strings.ReplaceAll(admission, "%[2]d", "")
		}
		messages[i] = tables.Message{
			Root:     fmt.Sprintf("01a20506-%04x-7000-8000-%012x", i>>8, i*7919),
			Received: received.Add(time.Duration(i) * 36 * time.Millisecond),
			Body:     fmt.Appendf(nil, text, i, i%9, i%10),
		}
	}
	return messages
}

// BenchmarkWriter writes all tables of messages of two kinds, 600 bytes on average, alone
// and with their de-identified twin. Its messages/s are per second of processor time,
// which depends least on what else the machine does.
func BenchmarkWriter(b *testing.B) {
	b.Run("tables", func(b *testing.B) { benchmarkWriter(b, nil) })
	b.Run("and their twin", func(b *testing.B) { benchmarkWriter(b, secret) })
}

// benchmarkWriter writes no twin if there is no key.
func benchmarkWriter(b *testing.B, key []byte) {
	messages := feed(10_000)
	bytesOf := 0
	for _, m := range messages {
		bytesOf += len(m.Body)
	}
	b.ReportAllocs()
	start, n := processorTime(b), 0
	written := 0
	for b.Loop() {
		var c count
		files := func(*tables.Table) (io.WriteCloser, error) { return &c, nil }
		w := tables.NewWriter(files)
		if key != nil {
			w.Deidentify(key, files)
		}
		for _, m := range messages {
			if err := w.Add(m); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		n += len(messages)
		written = c.bytes
	}
	b.ReportMetric(float64(n)/(processorTime(b)-start).Seconds(), "messages/s")
	b.ReportMetric(float64(bytesOf)/float64(len(messages)), "B/message")
	b.ReportMetric(float64(written)/float64(len(messages)), "Parquet-B/message")
}

// processorTime is what the process has used of the processor.
func processorTime(t testing.TB) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Skip(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// TestMemoryDoesNotGrowWithTheNumberOfMessages compares the memory in use at the end with
// that after five times as many messages.
func TestMemoryDoesNotGrowWithTheNumberOfMessages(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	messages := feed(2000)
	inUse := func(rounds int) uint64 {
		w := tables.NewWriter(func(*tables.Table) (io.WriteCloser, error) { return &count{}, nil })
		for range rounds {
			for _, m := range messages {
				m.Body = bytes.Clone(m.Body)
				if err := w.Add(m); err != nil {
					t.Fatal(err)
				}
			}
		}
		runtime.GC()
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return memory.HeapAlloc
	}
	few, many := inUse(5), inUse(25)
	t.Logf("%d MB with 10,000 messages, %d MB with 50,000", few>>20, many>>20)
	if many > few+few/2 {
		t.Errorf("%d bytes are in use with 10,000 messages, %d with 50,000", few, many)
	}
}
