package main

import (
	"fmt"
	"sync/atomic"
	"time"

	"hl7lake/cmd/lake/internal/term"
)

// meter shows on a terminal how much of the files is used up, how fast, and how much time
// is left at that rate. It is safe for concurrent use, except for show.
type meter struct {
	progress *term.Progress
	total    int64 // bytes of all files; 0 if not known
	used     atomic.Int64
	from     int64 // what was used up at the start
	start    time.Time
	told     time.Time // the time when it was last shown
}

func newMeter(s term.Screen, total int64) *meter {
	return &meter{progress: term.NewProgress(s), total: total, start: time.Now()}
}

// pass counts bytes that are used up.
func (m *meter) pass(n int64) { m.used.Add(n) }

// reach sets how much is used up in all.
func (m *meter) reach(n int64) {
	if m.used.Swap(max(n, m.used.Load())) == 0 {
		m.from = m.used.Load()
	}
}

// show shows progress, at most ten times a second, and not for work that takes no time.
// what describes what was done, and how fast.
func (m *meter) show(now time.Time, what func(took time.Duration) string) {
	const patience, interval = 500 * time.Millisecond, 100 * time.Millisecond
	took := now.Sub(m.start)
	if took < patience || now.Sub(m.told) < interval {
		return
	}
	m.told = now
	used := m.used.Load()
	if m.total == 0 {
		m.progress.Say(fmt.Sprintf("%s read, %s", size(used), what(took)))
		return
	}
	text := fmt.Sprintf("%s of %s, %s", size(used), size(m.total), what(took))
	if used > m.from {
		text += fmt.Sprintf(", %s left", left(took, used-m.from, m.total-m.from))
	}
	m.progress.Bar(text, used, m.total)
}

// left returns the time that the rest takes at the rate so far, in whole seconds.
func left(took time.Duration, done, total int64) time.Duration {
	rest := float64(max(total-done, 0)) / float64(done)
	return time.Duration(rest * float64(took)).Round(time.Second)
}
