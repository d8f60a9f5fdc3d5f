package term_test

import (
	"strings"
	"testing"

	"hl7lake/cmd/lake/internal/term"
)

func TestANumberIsNotFoldedFromItsUnit(t *testing.T) {
	table := term.NewTable("FILE", ">SIZE", "WHAT")
	table.Row(term.Text("a-rather-long-name-of-a-file.hl7"), term.Text("410 kB"), term.Text("a report with a document of three hundred kilobytes in it"))
	var out strings.Builder
	if err := table.Write(term.Screen{Writer: &out, Width: 60}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "  410 kB  ") {
		t.Error(out.String())
	}
}
