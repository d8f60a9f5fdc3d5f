package differential_test

import (
	"os/exec"
	"syscall"
)

// endWithParent makes the kernel kill the process when the test dies in any way.
func endWithParent(process *exec.Cmd) {
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
