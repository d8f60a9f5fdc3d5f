package test

import (
	"bytes"
	"encoding/csv"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// finding is what cdk-nag says about one rule and one resource: a line of its report.
type finding struct {
	rule, resource, compliance, reason string
}

// nag lets cdk-nag look at the app while it is synthesized. Its findings become messages
// of the stacks, so that TestSynthesisGivesNoWarning fails for any that is not accepted
// beside its resource (see accept in package stacks).
func nag(app awscdk.App) {
	for _, pack := range []awscdk.IAspect{
		cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{}), cdknag.NewHIPAASecurityChecks(&cdknag.NagPackProps{}),
	} {
		awscdk.Aspects_Of(app).Add(pack, nil)
	}
}

// readFindings reads the reports that cdk-nag wrote beside the templates.
func readFindings(dir string) []finding {
	reports, err := filepath.Glob(filepath.Join(dir, "*-NagReport.csv"))
	if err != nil {
		panic(err)
	}
	var all []finding
	for _, report := range reports {
		file, err := os.ReadFile(report)
		if err != nil {
			panic(err)
		}
		lines, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
		if err != nil {
			panic(err)
		}
		for _, line := range lines[1:] {
			all = append(all, finding{rule: line[0], resource: line[1], compliance: line[2], reason: line[3]})
		}
	}
	return all
}

// TestAcceptedFindingsAreTheSnapshot lists, for a reviewer, every accepted finding, with
// reason and place.
func TestAcceptedFindingsAreTheSnapshot(t *testing.T) {
	for env, found := range findings {
		where := map[[2]string][]string{}
		for _, each := range found {
			if each.compliance == "Suppressed" {
				key := [2]string{each.rule, each.reason}
				where[key] = append(where[key], each.resource)
			}
		}
		var text bytes.Buffer
		table := csv.NewWriter(&text)
		write := func(cells ...string) {
			if err := table.Write(cells); err != nil {
				t.Fatal(err)
			}
		}
		write("rule", "why it is accepted", "where")
		for _, key := range slices.SortedFunc(maps.Keys(where), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
			resources := slices.Compact(slices.Sorted(slices.Values(where[key])))
			write(key[0], key[1], strings.Join(resources, " "))
		}
		table.Flush()
		path := filepath.Join("test", "snapshots", env, "accepted.csv")
		if *update {
			if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		compare(t, path, text.Bytes())
	}
}

// TestNagLooksAtEveryStack makes sure that no findings means that nothing was found, not
// that nobody looked.
func TestNagLooksAtEveryStack(t *testing.T) {
	for env, found := range findings {
		for id := range assemblies[env] {
			compliant := 0
			for _, each := range found {
				if strings.Contains(each.resource, id+"/") && each.compliance == "Compliant" {
					compliant++
				}
			}
			if compliant < 10 {
				t.Errorf("%s %s: only %d rules were found to hold", env, id, compliant)
			}
		}
	}
}

// TestTheSecurityPageNamesWhatExists follows each link of docs/security.md to a name in a
// Go file.
func TestTheSecurityPageNamesWhatExists(t *testing.T) {
	page, err := os.ReadFile("docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	links := regexp.MustCompile("\\[`(\\w+)`\\]\\(\\.\\./([a-z_/]+\\.go)\\)").FindAllSubmatch(page, -1)
	for _, link := range links {
		name, file := string(link[1]), string(link[2])
		source, err := os.ReadFile(file)
		if err != nil || !regexp.MustCompile(`(?m)^(func|type) (\([^)]*\) )?`+name+`\b`).Match(source) {
			t.Errorf("%s is not in %s: %v", name, file, err)
		}
	}
	if len(links) < 40 {
		t.Errorf("only %d links were found", len(links))
	}
}
