// Package growth finds out, for tests, whether the time of a function grows in proportion
// to its input. The tests of packages that go through messages use it to hold that the
// time of every function is bounded by the size of the message.
package growth

import (
	"runtime"
	"time"
)

// Times is how many times larger the second input is than the first.
const Times = 8

const (
	// excess is how many times more than proportional the second time may be. A function
	// that starts again for each part of its input takes Times times more.
	excess = 4

	// instant is the second time that is always short enough: it is too short to measure.
	instant = 500 * time.Microsecond

	// endless is the first time that is always too long: the second could take a minute.
	endless = 250 * time.Millisecond
)

// Linear reports whether a function takes at most time in proportion to the size of its
// input, and the two times that show it. prepare returns the function for an input of
// about size bytes, and is not measured. The second input has [Times] times the size.
//
// Times are those of the processor where the system tells them for one thread, and those
// of the clock elsewhere. The best of several measurements counts, because other work on
// the machine can make a function slower, but never faster.
func Linear(size int, prepare func(size int) (do func())) (first, second time.Duration, linear bool) {
	for range 10 {
		if first = best(prepare(size)); first > endless {
			return first, 0, false
		}
		if second = best(prepare(size * Times)); second <= max(excess*Times*first, excess*instant) {
			return first, second, true
		}
	}
	return first, second, false
}

// best returns the shortest time of a few calls of do.
func best(do func()) time.Duration {
	runtime.LockOSThread() // spent is about one thread
	defer runtime.UnlockOSThread()
	least := time.Duration(1<<63 - 1)
	for range 3 {
		began := spent()
		do()
		least = min(least, spent()-began)
	}
	return least
}
