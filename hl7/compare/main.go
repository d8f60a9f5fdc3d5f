// Command compare runs this module's ER7 parser, and other parsers that package
// registries serve, on the same messages, one after the other. It prints a table:
//
//	go run ./hl7/compare
//
// It installs npm's simple-hl7, hl7, hl7v2 and @medplum/core, Debian's python3-hl7 and
// Maven Central's HAPI in a temporary folder, for which it needs node and npm, python3
// and apt-get, java and mvn. It names what cannot be installed and leaves it out. Times
// are processor times, so that a busy machine changes them little.
package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"hl7lake/hl7"
	"hl7lake/hl7/internal/sample"
)

//go:embed measure.js
var measureJS []byte

//go:embed measure.py
var measurePy []byte

//go:embed Measure.java
var measureJava []byte

//go:embed pom.xml
var pom []byte

// npmPackages are the newest versions that can be installed together: hl7v2 1.9.0 asks
// for a version of its dictionary that is not published.
var npmPackages = []string{"simple-hl7@3.3.0", "hl7@1.1.1", "hl7v2@1.8.0", "hl7v2-dictionary@1.8.0", "@medplum/core@4.5.2"}

// A result is how fast a parser did a task on a sample. Each script prints one on each
// line.
type result struct {
	Parser string
	Task   string // "parse", or "json": from ER7 to JSON text
	Sample string
	MBps   float64 // 10^6 bytes of ER7 a second
}

func main() {
	log.SetFlags(0)
	seconds := flag.Float64("seconds", 0.5, "processor time to spend on each measurement")
	others := flag.Bool("others", true, "measure the other parsers, too")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	results := own(*seconds)
	if *others {
		more, err := theirs(ctx, fmt.Sprint(*seconds))
		if err != nil {
			log.Printf("left out: %v", err)
		}
		results = append(results, more...)
	}
	printTable(results)
}

// theirs measures the parsers of others in a temporary folder. The error says what it
// could not measure.
func theirs(ctx context.Context, seconds string) ([]result, error) {
	folder, err := os.MkdirTemp("", "compare")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	for _, m := range sample.All() {
		if err := os.WriteFile(filepath.Join(folder, m.Name+".hl7"), m.Data, 0o600); err != nil {
			return nil, err
		}
	}
	c := commands{ctx, folder}
	npm, npmErr := c.node(seconds)
	debian, debianErr := c.python(seconds)
	maven, mavenErr := c.java(seconds)
	return slices.Concat(npm, debian, maven), errors.Join(npmErr, debianErr, mavenErr)
}

// own measures this module's parser. It reuses one message's memory, as a server would.
func own(seconds float64) (results []result) {
	var m hl7.Message
	var dst []byte
	for _, s := range sample.All() {
		parse := func() {
			if err := m.Parse(s.Data); err != nil {
				log.Fatal(err)
			}
		}
		toJSON := func() {
			parse()
			dst = m.AppendJSON(dst[:0], hl7.JSON{})
		}
		results = append(results,
			result{"hl7lake/hl7 (Go)", "parse", s.Name, speed(seconds, len(s.Data), parse)},
			result{"hl7lake/hl7 (Go)", "json", s.Name, speed(seconds, len(s.Data), toJSON)})
	}
	return results
}

// speed repeats do for the given time and returns 10^6 bytes a second.
func speed(seconds float64, size int, do func()) float64 {
	do() // warms up
	rounds, begin := 0, processorTime()
	for batch := 1; ; batch *= 2 {
		for range batch {
			do()
		}
		rounds += batch
		if spent := processorTime() - begin; spent.Seconds() > seconds {
			return float64(rounds) * float64(size) / spent.Seconds() / 1e6
		}
	}
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		log.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// commands are run in a folder.
type commands struct {
	ctx    context.Context
	folder string
}

func (c commands) node(seconds string) ([]result, error) {
	script := filepath.Join(c.folder, "measure.js")
	if err := os.WriteFile(script, measureJS, 0o600); err != nil {
		return nil, err
	}
	install := append([]string{"install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", c.folder}, npmPackages...)
	if _, err := c.run("npm", install...); err != nil {
		return nil, err
	}
	out, err := c.run("node", script, c.folder, seconds)
	return parseResults(out, err)
}

func (c commands) python(seconds string) ([]result, error) {
	script := filepath.Join(c.folder, "measure.py")
	if err := os.WriteFile(script, measurePy, 0o600); err != nil {
		return nil, err
	}
	if _, err := c.run("apt-get", "download", "-q", "python3-hl7"); err != nil {
		return nil, err
	}
	packages, err := filepath.Glob(filepath.Join(c.folder, "python3-hl7_*.deb"))
	if err != nil || len(packages) == 0 {
		return nil, errors.New("apt-get brought no package")
	}
	if _, err := c.run("dpkg", "-x", packages[0], c.folder); err != nil {
		return nil, err
	}
	out, err := c.run("python3", script, c.folder, seconds)
	return parseResults(out, err)
}

// java has Maven copy HAPI and what it needs into lib, and runs the source file with
// that.
func (c commands) java(seconds string) ([]result, error) {
	source := filepath.Join(c.folder, "Measure.java")
	if err := errors.Join(
		os.WriteFile(source, measureJava, 0o600),
		os.WriteFile(filepath.Join(c.folder, "pom.xml"), pom, 0o600)); err != nil {
		return nil, err
	}
	if _, err := c.run("mvn", "--batch-mode", "--quiet", "dependency:copy-dependencies", "-DoutputDirectory=lib"); err != nil {
		return nil, err
	}
	out, err := c.run("java", "-cp", filepath.Join(c.folder, "lib", "*"), source, c.folder, seconds)
	return parseResults(out, err)
}

func (c commands) run(name string, args ...string) ([]byte, error) {
	command := exec.CommandContext(c.ctx, name, args...)
	command.Dir = c.folder
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", name, err, stderr.Bytes())
	}
	return out, nil
}

func parseResults(lines []byte, err error) (results []result, _ error) {
	if err != nil {
		return nil, err
	}
	for s := bufio.NewScanner(bytes.NewReader(lines)); s.Scan(); {
		var r result
		if err := json.Unmarshal(s.Bytes(), &r); err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}

// printTable writes a Markdown table with a line for each parser.
func printTable(results []result) {
	samples := sample.All()
	head, rule := "| MB/s of ER7 |", "|---|"
	for _, task := range []string{"parse", "to JSON"} {
		for _, s := range samples {
			head += fmt.Sprintf(" %s, %s |", task, s.Name)
			rule += "---:|"
		}
	}
	fmt.Println(head + "\n" + rule)
	speeds, tasks, parsers := map[[3]string]float64{}, map[[2]string]bool{}, []string{}
	for _, r := range results {
		if len(parsers) == 0 || parsers[len(parsers)-1] != r.Parser {
			parsers = append(parsers, r.Parser)
		}
		speeds[[3]string{r.Parser, r.Task, r.Sample}] = r.MBps
		tasks[[2]string{r.Parser, r.Task}] = true
	}
	for _, parser := range parsers {
		var cells []string
		for _, task := range []string{"parse", "json"} {
			for _, s := range samples {
				cell := "–" // there is no such task
				if tasks[[2]string{parser, task}] {
					cell = "fails"
				}
				if speed := speeds[[3]string{parser, task, s.Name}]; speed >= 10 {
					cell = fmt.Sprintf("%.0f", speed)
				} else if speed > 0 {
					cell = fmt.Sprintf("%.2g", speed)
				}
				cells = append(cells, cell)
			}
		}
		fmt.Printf("| %s | %s |\n", parser, strings.Join(cells, " | "))
	}
}
