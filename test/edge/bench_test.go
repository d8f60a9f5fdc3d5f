package edge_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// BenchmarkAcknowledged measures messages of 2 KB that are acknowledged, each synced to
// disk before, from so many engines at once. The lake is away: what it would take is
// another measure.
//
//	go test ./test/edge -run '^$' -bench Acknowledged -benchtime 5s
func BenchmarkAcknowledged(b *testing.B) {
	for _, senders := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("senders=%d", senders), func(b *testing.B) {
			to := edgeTo(b, newFront(b, true))
			var next atomic.Int64
			var running sync.WaitGroup
			b.ResetTimer()
			for range senders {
				running.Go(func() {
					conn, err := net.Dial("tcp", to)
					if err != nil {
						b.Error(err)
						return
					}
					defer conn.Close()
					l := &link{conn, bufio.NewReader(conn)}
					for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
						if err := l.send(twoKB(n)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			running.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// twoKB is a message of about 2 KB.
func twoKB(n int64) string {
	return fmt.Sprintf("MSH|^~\\&|APP|HERE|LAKE|THERE|20260102030405||ORU^R01|%d|T|2.5.1\rPID|1||%[1]d^^^HERE^MR||Sample^Sue\r", n) +
		strings.Repeat("OBX|1|NM|718-7^Hemoglobin^LN||13.2|g/dL|12.0-16.0|N|||F|||20260102030405\r", 25)
}
