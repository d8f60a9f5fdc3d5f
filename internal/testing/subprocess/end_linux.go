package subprocess

import (
	"os/exec"
	"syscall"
)

// EndWithParent makes the kernel kill the program when the test's process ends, however
// that ends. It is called before the program is started.
func EndWithParent(program *exec.Cmd) {
	program.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
