package main

import (
	"regexp"
	"strings"
	"testing"
)

func TestEachLineOfThePatchNamesASectionAndWhatItWasCheckedWith(t *testing.T) {
	changes, err := readPatch()
	if err != nil {
		t.Fatal(err)
	}
	section := regexp.MustCompile(`^2\.[1-8](\.[12])?, (\d+A?|2A|2C|2\.A|chapter \d+)\b`)
	checks := []string{"text", "models", "HAPI", "hl7apy", "v2+", "R4 tables", "definitions", "guide", "not verified"}
	for _, c := range changes {
		if !section.MatchString(c.section) {
			t.Errorf("patch.tsv:%d: %q begins with no version and section", c.line, c.section)
		}
		named := false
		for _, check := range checks {
			named = named || strings.Contains(c.checked, check)
		}
		if !named {
			t.Errorf("patch.tsv:%d: %q names nothing that the legend of the file has", c.line, c.checked)
		}
	}
}
