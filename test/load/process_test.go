package load_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// usage is what the lake and its functions have used of the machine.
type usage struct {
	Lake, Functions time.Duration // processor time, user and system
	LakeMemory      int64         // bytes of resident memory, without mapped files
	FunctionMemory  int64         // the same, of all its functions together
	Instances       int           // processes of functions
}

func (u usage) since(earlier usage) usage {
	u.Lake -= earlier.Lake
	u.Functions -= earlier.Functions
	return u
}

// usageOf reads the process and its children from Linux's /proc (proc(5)). It
// is zero where there is none.
func usageOf(pid int) (u usage) {
	lake, ok := readStat(pid)
	if !ok {
		return u
	}
	u.Lake, u.LakeMemory = lake.own, lake.memory
	u.Functions = lake.reaped
	entries, _ := filepath.Glob("/proc/[0-9]*")
	for _, entry := range entries {
		child, _ := strconv.Atoi(filepath.Base(entry))
		if s, ok := readStat(child); ok && s.parent == pid {
			u.Functions += s.own + s.reaped
			u.FunctionMemory += s.memory
			u.Instances++
		}
	}
	return u
}

// stat is the part of a line of /proc/<pid>/stat that is needed.
type stat struct {
	parent      int
	own, reaped time.Duration
	memory      int64
}

func readStat(pid int) (s stat, ok bool) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return s, false
	}
	_, rest, _ := strings.Cut(string(text), ") ") // after the program's name
	fields := strings.Fields(rest)
	const first = 3 // the number, in proc(5), of the first of these fields
	if len(fields) < 17-first+1 {
		return s, false
	}
	field := func(n int) int64 {
		value, _ := strconv.ParseInt(fields[n-first], 10, 64)
		return value
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux
	s.parent = int(field(4))
	s.own = time.Duration(field(14)+field(15)) * tick
	s.reaped = time.Duration(field(16)+field(17)) * tick
	s.memory = anonymous(pid)
	return s, true
}

// anonymous returns a process's resident memory that belongs to no file, in bytes.
func anonymous(pid int) int64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 3 {
		return 0
	}
	resident, _ := strconv.ParseInt(fields[1], 10, 64)
	ofFiles, _ := strconv.ParseInt(fields[2], 10, 64)
	return (resident - ofFiles) * int64(os.Getpagesize())
}
