package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"hl7lake/cmd/lake/internal/term"
	"hl7lake/hl7"
)

// stats are the figures about all messages.
type stats struct {
	screen term.Screen
	json   bool

	Parsed   int              `json:"parsed"`
	Messages int              `json:"messages"`
	Segments int              `json:"segments"`
	Bytes    int64            `json:"bytes"`
	Seconds  float64          `json:"seconds"`
	Types    map[string]int   `json:"types"`
	Versions map[string]int   `json:"versions"`
	Charsets map[string]int   `json:"charsets"`
	Names    map[string]int   `json:"segment_names"`
	Problems map[string]*kind `json:"problems"` // by code
	Besides  noticed          `json:"besides"`  // what the files hold besides messages
}

// kind is one kind of problem.
type kind struct {
	Count  int      `json:"count"`
	Text   string   `json:"text"`
	Places []string `json:"places"` // places of the first ones
}

// placesShown is how many places of a kind of problem are shown.
const placesShown = 5

func newStats(screen term.Screen, json bool) *stats {
	return &stats{
		screen: screen, json: json,
		Types: map[string]int{}, Versions: map[string]int{}, Charsets: map[string]int{},
		Names: map[string]int{}, Problems: map[string]*kind{},
	}
}

func (s *stats) write(_ *bufio.Writer, p parsed) error {
	if isMessage(p.err) {
		s.Messages++
	}
	if wrong, ok := errors.AsType[*hl7.ParseError](p.err); ok {
		s.problem(p, wrong)
		return nil
	}
	s.Parsed++
	s.Segments += p.message.Len()
	s.Types[p.message.Type()]++
	s.Versions[cmp.Or(versionName(p.message.Version()), "none")]++
	s.Charsets[p.message.Charset().Used]++
	for i := range p.message.Len() {
		s.Names[segmentName(p.message.Segment(i).Name())]++
	}
	return nil
}

// versionName keeps text that is not a version out of the figures: a sender can write
// anything there.
func versionName(version string) string {
	if version == "" || len(version) <= 8 && strings.Trim(version, "0123456789.") == "" {
		return version
	}
	return "other"
}

// segmentName does the same for lines that are not segments.
func segmentName(name string) string {
	if len(name) != 3 {
		return "other"
	}
	for _, c := range []byte(name) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return "other"
		}
	}
	return name
}

func (s *stats) problem(p parsed, wrong *hl7.ParseError) {
	known := s.Problems[wrong.Code]
	if known == nil {
		known = &kind{Text: wrong.Err.Error()}
		s.Problems[wrong.Code] = known
	}
	known.Count++
	if known.Count > placesShown {
		return
	}
	place := fmt.Sprintf("%s: line %d", p.place(), wrong.Line)
	if wrong.Path != "" {
		place += ", " + wrong.Path
	}
	known.Places = append(known.Places, fmt.Sprintf("%s, offset %d", place, wrong.Offset))
}

func (s *stats) end(out *bufio.Writer, took time.Duration, read int64) error {
	s.Bytes, s.Seconds = read, took.Seconds()
	if s.json {
		return json.NewEncoder(out).Encode(s)
	}
	page := s.screen
	page.Writer = out
	for _, part := range []struct {
		title  string
		counts map[string]int
	}{{"TYPE", s.Types}, {"VERSION", s.Versions}, {"CHARACTER SET", s.Charsets}, {"SEGMENT", s.Names}} {
		if err := writeCounts(page, part.title, part.counts); err != nil {
			return err
		}
	}
	s.writeProblems(page)
	speed := ""
	if took > 0 {
		speed = ", " + size(int64(float64(read)/took.Seconds())) + "/s"
	}
	style := term.Good
	if s.Parsed < s.Messages || len(s.Problems) > 0 {
		style = term.Bad
	}
	_, err := fmt.Fprintln(page, page.Folded(fmt.Sprintf("%s in %s: %s%s, %d segments\n%s", size(read), strings.TrimSpace(took.Round(time.Millisecond).String()),
		perSecond(s.Messages, took), speed, s.Segments,
		page.Styled(style, fmt.Sprintf("parsed %d of %d messages", s.Parsed, s.Messages))), 0))
	return err
}

func perSecond(n int, took time.Duration) string {
	if took <= 0 {
		return strconv.Itoa(n) + " messages"
	}
	return fmt.Sprintf("%.0f messages/s", float64(n)/took.Seconds())
}

// rowsShown is how many rows a table of counts has at most.
const rowsShown = 20

func writeCounts(s term.Screen, title string, counts map[string]int) error {
	if len(counts) == 0 {
		return nil
	}
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	table := term.NewTable(title, ">COUNT")
	rest := 0
	for i, key := range keys {
		if i >= rowsShown {
			rest += counts[key]
			continue
		}
		table.Row(term.Text(key), term.Text(strconv.Itoa(counts[key])))
	}
	if rest > 0 {
		table.Row(term.Cell{Text: fmt.Sprintf("%d more", len(keys)-rowsShown), Style: term.Dim}, term.Text(strconv.Itoa(rest)))
	}
	if err := table.Write(s); err != nil {
		return err
	}
	_, err := fmt.Fprintln(s)
	return err
}

func (s *stats) writeProblems(page term.Screen) {
	codes := slices.SortedFunc(maps.Keys(s.Problems), func(a, b string) int {
		return cmp.Or(cmp.Compare(s.Problems[b].Count, s.Problems[a].Count), cmp.Compare(a, b))
	})
	for _, code := range codes {
		kind := s.Problems[code]
		fmt.Fprintln(page, page.Folded(fmt.Sprintf("  %d × %s: %s", kind.Count, page.Styled(term.Bad, code), kind.Text), 4))
		for _, place := range kind.Places {
			fmt.Fprintln(page, page.Folded("    "+place, 2))
		}
		if more := kind.Count - len(kind.Places); more > 0 {
			fmt.Fprintf(page, "    and %d more\n", more)
		}
		fmt.Fprintln(page)
	}
}
