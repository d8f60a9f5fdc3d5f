package rehearse_test

import (
	"os/exec"
	"syscall"
)

// endWithParent makes the kernel kill the process when the test dies, however it

func endWithParent(process *exec.Cmd) {
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
