package growth

import (
	"time"

	"golang.org/x/sys/unix"
)

// spent returns the processor time that the current thread has used.
func spent() time.Duration {
	var used unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &used); err != nil {
		panic(err) // Linux has had this clock since 2.6.12
	}
	return time.Duration(used.Nano())
}
