package term

import (
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"
)

// Progress is one line that says what is going on and is overwritten. If lines cannot be
// overwritten, it shows nothing. It is safe for concurrent use.
type Progress struct {
	screen Screen

	mu    sync.Mutex
	shown bool
}

// NewProgress returns a line on the screen, empty at first.
func NewProgress(s Screen) *Progress { return &Progress{screen: s} }

// Say shows what is going on now.
func (p *Progress) Say(text string) {
	if !p.screen.Live {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprint(p.screen.Raw(), "\r\x1b[K", cut(OnOneLine(text), p.screen.Width-1))
	p.shown = true
}

// barWidth is the width of a bar in columns.
const barWidth = 24

// Bar shows how much of something is done.
func (p *Progress) Bar(what string, done, total int64) {
	filled := 0
	if total > 0 {
		filled = int(barWidth * min(done, total) / total)
	}
	bar := strings.Repeat("━", filled) + strings.Repeat("╌", barWidth-filled)
	p.Say(fmt.Sprintf("%s %s", bar, what))
}

// Clear removes the line. Call it before anything else is written.
func (p *Progress) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.screen.Raw(), "\r\x1b[K")
		p.shown = false
	}
}

// cut shortens text to the given number of columns; 0 or less means unknown.
func cut(text string, columns int) string {
	if columns <= 0 || utf8.RuneCountInString(text) <= columns {
		return text
	}
	return string([]rune(text)[:columns-1]) + "…"
}
