package lambda

import (
	"os/exec"
	"syscall"
)

// endWithParent has the kernel kill the process when this one dies, however it
// dies, so that even `kill -9` leaves nothing behind.
func endWithParent(process *exec.Cmd) {
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
