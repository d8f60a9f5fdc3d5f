package edge_test

import (
	"bufio"
	"flag"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

var queued = flag.Int64("queued", 5_000, "how many messages the test of memory puts into the queue; a million is the figure of docs/edge.md")

// TestMemoryDoesNotGrowWithTheQueue fills the queue of an edge whose lake is away and
// looks at the heap on the way.
func TestMemoryDoesNotGrowWithTheQueue(t *testing.T) {
	const most = 32 << 20 // of growth, whatever is queued: buffers, and what the collector has not come to
	to := edgeTo(t, newFront(t, true))
	fill(t, to, *queued/10)
	before := heap()
	fill(t, to, *queued-*queued/10)
	if after := heap(); after > before+most {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	} else {
		t.Logf("%d messages queued; the heap: %d bytes after a tenth of them, %d at the end", *queued, before, after)
	}
}

// fill has 32 engines send n messages in all, each acknowledged.
func fill(t *testing.T, to string, n int64) {
	t.Helper()
	var next atomic.Int64
	var running sync.WaitGroup
	for range 32 {
		running.Go(func() {
			conn, err := net.Dial("tcp", to)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			l := &link{conn, bufio.NewReader(conn)}
			for m := next.Add(1); m <= n; m = next.Add(1) {
				if err := l.send(twoKB(m)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	running.Wait()
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
