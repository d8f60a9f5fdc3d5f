package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"hl7lake/client"
	"hl7lake/cmd/lake/internal/term"
	"hl7lake/cmd/lake/samples"
	"hl7lake/cmd/lake/scenario"
)

// writeReport shows the result of the demo; started is how long the lake took to start.
func writeReport(s term.Screen, result demoResult, started time.Duration) error {
	r := result.Report
	var out bytes.Buffer
	page := s
	page.Writer = &out

	fmt.Fprintf(&out, "%s\n\n", s.Styled(term.Bold, term.Paragraph("Who is let in? Three users post the same two texts for "+r.Institution+", then ask for the first.")))
	if err := accessTable(r).Write(page); err != nil {
		return err
	}
	fmt.Fprintf(&out, "\n%s\n\n", s.Styled(term.Bold, "What became of every accepted message?"))
	if err := wayTable(r).Write(page); err != nil {
		return err
	}
	writeSpecimen(page, r)
	writeOverMLLP(page, r.OverMLLP)
	if err := writeAnswer(page, result.SQL); err != nil {
		return err
	}
	writeVerdict(page, r, started)
	_, err := out.WriteTo(s)
	return err
}

func accessTable(r scenario.Report) *term.Table {
	first, second := samples.Admission(), samples.NotHL7()
	table := term.NewTable("USER", "MAY", first.Name, second.Name, "READS IT")
	for _, user := range r.Users {
		table.Row(term.Text(user.Email), term.Text(rights(user)),
			postCell(r.Posts, user.Email, first.Name), postCell(r.Posts, user.Email, second.Name), readCell(r.Reads, user.Email))
	}
	return table
}

func rights(user client.User) string {
	var may []string
	if user.Read != nil {
		may = append(may, "read")
	}
	if user.Write != "" {
		may = append(may, "write")
	}
	if user.Operate != "" {
		may = append(may, "operate")
	}
	return strings.Join(may, ", ")
}

func postCell(posts []scenario.Post, user, text string) term.Cell {
	for _, post := range posts {
		if post.User == user && post.Text == text {
			return answerCell(post.Status, post.AsExpected())
		}
	}
	return term.Cell{Text: "not sent", Style: term.Bad}
}

func readCell(reads []scenario.Read, user string) term.Cell {
	for _, read := range reads {
		if read.User == user {
			return answerCell(read.Status, read.AsExpected())
		}
	}
	return term.Cell{Text: "not asked", Style: term.Bad}
}

// answerCell is an answer in words, marked if it is wrong.
func answerCell(status int, expected bool) term.Cell {
	words := map[int]string{
		http.StatusOK: "found", http.StatusCreated: "accepted", http.StatusForbidden: "refused",
		http.StatusNotFound: "not found", http.StatusConflict: "duplicate",
	}
	cell := term.Cell{Text: strconv.Itoa(status) + " " + cmp.Or(words[status], http.StatusText(status))}
	switch {
	case !expected:
		cell.Text += " !"
		cell.Style = term.Bad
	case status < http.StatusMultipleChoices:
		cell.Style = term.Good
	default:
		cell.Style = term.Note
	}
	return cell
}

func wayTable(r scenario.Report) *term.Table {
	table := term.NewTable("MESSAGE", "TYPE", "VERSION", "SHAPE", "BECAME")
	for _, m := range r.Messages {
		table.Row(term.Text(m.Name), term.Text(m.Type), term.Text(m.Version), term.Cell{Text: m.Shape, Style: term.Dim}, becameCell(m))
	}
	return table
}

func becameCell(m scenario.Message) term.Cell {
	var cell term.Cell
	outcome, _ := m.History.Outcome()
	switch {
	case m.History.Status == client.Staged:
		cell = term.Cell{Text: "JSON, " + size(outcome.Size), Style: term.Good}
	case m.History.Status == client.Errored && outcome.Reason != nil:
		cell = term.Cell{Text: strings.TrimRight("error: "+outcome.Reason.Code+" "+outcome.Reason.Path, " "), Style: term.Note}
	default:
		cell = term.Text(string(m.History.Status))
	}
	if len(m.Differences) > 0 {
		cell.Text += " !"
		cell.Style = term.Bad
	}
	return cell
}

// writeSpecimen shows a segment of the first message's JSON, with a line for each field.
func writeSpecimen(s term.Screen, r scenario.Report) {
	if len(r.Messages) == 0 {
		return
	}
	var document struct {
		Segments []struct {
			ID     string                     `json:"id"`
			Fields map[string]json.RawMessage `json:"fields"`
		} `json:"segments"`
	}
	if json.Unmarshal(r.Messages[0].JSON, &document) != nil {
		return // the verdict says it
	}
	for _, segment := range document.Segments {
		if segment.ID != "PID" {
			continue
		}
		fmt.Fprintf(s, "\n%s\n\n", s.Styled(term.Bold, "The PID segment of "+r.Messages[0].Name+" in its JSON:"))
		numbers := make([]int, 0, len(segment.Fields))
		for key := range segment.Fields {
			if number, err := strconv.Atoi(key); err == nil {
				numbers = append(numbers, number)
			}
		}
		slices.Sort(numbers)
		for _, number := range numbers {
			key := strconv.Itoa(number)
			fmt.Fprintf(s, "  %s %s\n", s.Styled(term.Dim, fmt.Sprintf("%5q:", key)), segment.Fields[key])
		}
	}
}

// writeOverMLLP shows the acknowledgment that an engine got.
func writeOverMLLP(s term.Screen, sent scenario.OverMLLP) {
	if sent.Ack == "" {
		return // the verdict says it
	}
	fmt.Fprintf(s, "\n%s\n\n", s.Styled(term.Bold, "An engine sent "+sent.Text+" over MLLP to lake edge, and was answered:"))
	for line := range strings.Lines(sent.Ack) {
		fmt.Fprintf(s, "  %s\n", strings.TrimSuffix(line, "\n"))
	}
}

func writeVerdict(s term.Screen, r scenario.Report, started time.Duration) {
	var slowest time.Duration
	for _, m := range r.Messages {
		slowest = max(slowest, m.Took())
	}
	times := fmt.Sprintf("Lake started in %s, scenario played in %s, the slowest message at the end of its way after %s.", took(started), took(r.Took), took(slowest))
	if len(r.Differences) == 0 {
		staged, failed := r.Staged()
		text := fmt.Sprintf("%d messages accepted, %d became JSON, %d were filed as errors, each read back byte for byte. %s", len(r.Messages), staged, failed, times)
		fmt.Fprintf(s, "\n%s\n%s\n", s.Styled(term.Good, "All went as it should:"), term.Paragraph(text))
		return
	}
	fmt.Fprintf(s, "\n%s\n", s.Styled(term.Bad, "Not all went as it should:"))
	for _, difference := range r.Differences {
		fmt.Fprintln(s, s.Folded("  - "+difference, 2))
	}
	fmt.Fprintln(s, term.Paragraph(times))
}
