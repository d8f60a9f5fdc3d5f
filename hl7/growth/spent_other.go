//go:build !linux

package growth

import "time"

// spent returns the time since some fixed point.
func spent() time.Duration { return time.Duration(time.Now().UnixNano()) }
