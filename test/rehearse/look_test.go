package rehearse_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// finding is what became of one resource of the templates.
type finding struct {
	resource
	outcome string   // created, said, skipped or wrong
	detail  []string // the properties that are wrong, and how
}

// findings are all of them, and how many properties were compared.
type findings struct {
	all      []finding
	compared int
}

// unknown is LocalEmu's name for each resource whose type it does not have and which it
// still says it created.
const unknown = "unknown"

// look asks for each resource that CloudFormation says it created.
func (r *rehearsal) look(ctx context.Context, created []resource) *findings {
	r.t.Helper()
	declared := map[string]resource{}
	for _, one := range r.assembly.original {
		declared[one.stack+"."+one.logical] = one
	}
	found := new(findings)
	for i, one := range created {
		created[i].properties = declared[one.stack+"."+one.logical].properties
	}
	for _, one := range created {
		if !strings.HasSuffix(one.status, "_COMPLETE") || one.physical == unknown {
			detail := []string{"CloudFormation says " + one.status + ", " + one.physical}
			found.all = append(found.all, finding{one, "skipped", detail})
			continue
		}
		described, err := r.cloud.describe(ctx, one, created)
		switch {
		case err != nil:
			found.all = append(found.all, finding{one, "skipped", []string{"the service says: " + err.Error()}})
		case !described.asked:
			found.all = append(found.all, finding{one, "said", nil})
		default:
			var wrong []string
			for name, want := range one.properties {
				got, known := described.properties[name]
				if !known {
					continue
				}
				found.compared++
				if difference := differs(name, want, got); difference != "" {
					wrong = append(wrong, difference)
				}
			}
			outcome := "created"
			if len(wrong) > 0 {
				outcome = "wrong"
			}
			found.all = append(found.all, finding{one, outcome, wrong})
		}
	}
	return found
}

// differs says how a service's value differs from the template's. What the template
// computes is not compared, and the service may say more than the template.
func differs(path string, want, got any) string {
	if text, ok := got.(string); ok { // SNS and SQS answer JSON as text
		var parsed any
		if _, isText := want.(string); !isText && json.Unmarshal([]byte(text), &parsed) == nil {
			got = parsed
		}
	}
	switch want := want.(type) {
	case map[string]any:
		if intrinsic(want) {
			return ""
		}
		fields, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s is %v", path, got)
		}
		for name, child := range want {
			if difference := differs(path+"."+name, child, fields[name]); difference != "" {
				return difference
			}
		}
	case []any:
		items, ok := got.([]any)
		if !ok || len(items) != len(want) {
			return fmt.Sprintf("%s is %v", path, got)
		}
		for i, child := range want {
			if !slices.ContainsFunc(items, func(item any) bool { return differs("", child, item) == "" }) {
				return fmt.Sprintf("%s[%d] is absent from %v", path, i, got)
			}
		}
	default:
		if scalar(want) != scalar(got) {
			return fmt.Sprintf("%s is %v instead of %v", path, scalar(got), scalar(want))
		}
	}
	return ""
}

// intrinsic reports whether a value is computed at deployment.
func intrinsic(value map[string]any) bool {
	for key := range value {
		return len(value) == 1 && (key == "Ref" || strings.HasPrefix(key, "Fn::"))
	}
	return false
}

// scalar returns the text of a number, a boolean or a text, so that "345600" is 345600.
func scalar(value any) string {
	if number, ok := value.(float64); ok {
		return strconv.FormatFloat(number, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}

// report logs what became of the resources, by type.
func (f *findings) report(t *testing.T, original []resource, left map[string]string) {
	t.Helper()
	counts, total := map[string]map[string]int{}, map[string]int{}
	count := func(kind, outcome string) {
		if counts[kind] == nil {
			counts[kind] = map[string]int{}
		}
		counts[kind][outcome]++
		total[outcome]++
	}
	for _, one := range original {
		count(one.kind, "in the templates")
		if left[one.logical] != "" {
			count(one.kind, "left out")
		}
	}
	for _, one := range f.all {
		if counts[one.kind] != nil { // some emulators list a stack as its own resource
			count(one.kind, one.outcome)
		}
	}
	columns := []string{"in the templates", "created", "said", "skipped", "wrong", "left out"}
	var table strings.Builder
	row := func(kind string, of map[string]int) {
		fmt.Fprintf(&table, "%-44s", kind)
		for _, column := range columns {
			fmt.Fprintf(&table, "%*d", len(column)+2, of[column])
		}
		table.WriteByte('\n')
	}
	fmt.Fprintf(&table, "%-44s  %s\n", "", strings.Join(columns, "  "))
	kinds := make([]string, 0, len(counts))
	for kind := range counts {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		row(kind, counts[kind])
	}
	row("all", total)
	t.Logf("created: the service itself has it, as the template says; said: only CloudFormation was asked; %d properties were "+
		"compared\n%s", f.compared, table.String())
}

// judge fails the test for what is skipped or wrong and not known, and for what is known
// and did not occur.
func (f *findings) judge(t *testing.T, known map[string]string) {
	t.Helper()
	met := map[string]bool{}
	for _, one := range f.all {
		if one.outcome == "skipped" {
			if known[one.kind] == "" {
				t.Errorf("%s %s is skipped: %s", one.kind, one.logical, strings.Join(one.detail, "; "))
			}
			met[one.kind] = true
		}
		for _, detail := range one.detail {
			if one.outcome != "wrong" {
				continue
			}
			property := one.kind + " " + strings.FieldsFunc(detail, func(r rune) bool { return r == '.' || r == ' ' || r == '[' })[0]
			if known[property] == "" {
				t.Errorf("%s %s: %s", one.kind, one.logical, detail)
			}
			met[property] = true
		}
	}
	for property, why := range known {
		if !met[property] {
			t.Errorf("%s is no longer wrong (%s): take it off the list", property, why)
		}
	}
}
