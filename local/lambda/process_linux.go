package lambda

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// endWithParent makes the kernel kill the process when this one dies in any way, so that
// even `kill -9` leaves nothing behind.
func endWithParent(process *exec.Cmd) {
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// MemoryIsBounded reports whether a function that uses more than its memory is killed
// here.
const MemoryIsBounded = true

// peakMemory returns the most memory, in bytes, that a process has had resident (VmHWM,
// proc_pid_status(5)). known is false if the process is gone.
func peakMemory(pid int) (bytes int64, known bool) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, false
	}
	_, rest, found := strings.Cut(string(text), "\nVmHWM:")
	size, _, _ := strings.Cut(rest, " kB")
	kilobytes, err := strconv.ParseInt(strings.TrimSpace(size), 10, 64)
	return kilobytes << 10, found && err == nil
}
