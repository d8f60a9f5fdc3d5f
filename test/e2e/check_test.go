package e2e_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"hl7lake/local"
	"hl7lake/local/store"
	"hl7lake/operate/acceptance"
)

// check runs the acceptance test on the lake, and returns it with the steps that failed,
// each with its reason.
func (l *lake) check(t *testing.T, limit time.Duration) (report acceptance.Report, failed []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	report, err := acceptance.Run(ctx, l.connection, aws.Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range report.Steps {
		if step.Outcome == acceptance.Failed {
			failed = append(failed, step.Name+": "+step.Reason)
		}
	}
	users, err := l.pool.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range users {
		if strings.HasSuffix(user.Email, "@"+report.Institution+".invalid") {
			t.Errorf("%s was not removed", user.Email)
		}
	}
	return report, failed
}

func TestALakeInOrderPassesItsCheck(t *testing.T) {
	report, failed := start(t).check(t, *patience)
	for _, step := range failed {
		t.Error(step)
	}
	for _, step := range report.Steps {
		if step.Outcome == acceptance.Skipped && step.Name != "metrics are seen" { // there is no CloudWatch here
			t.Errorf("skipped: %s: %s", step.Name, step.Reason)
		}
	}
	if n := report.Count(acceptance.Passed); n != 27 {
		t.Errorf("%d steps passed, want 27", n)
	}
	if len(report.Messages) != 8 || len(report.Objects) != 2*len(report.Messages) {
		t.Errorf("%d messages and %d objects are named, want 8 and 16", len(report.Messages), len(report.Objects))
	}
}

// TestABrokenLakeFailsItsCheckAtTheRightStep removes one grant from a lake's templates
// and checks that the check finds what fails then.
func TestABrokenLakeFailsItsCheckAtTheRightStep(t *testing.T) {
	for _, test := range []struct{ role, action, step string }{
		{"IngestRole", "sns:Publish", "access: the writer posts: 201"},
		{"MessagesRole", "s3:GetObject", "message: ADT^A01 becomes staged, and comes back byte for byte"},
	} {
		t.Run(test.role+" without "+test.action, func(t *testing.T) {
			t.Parallel()
			stacks := readStacks(t)
			removed := 0
			for _, g := range grantsOf(stacks) {
				if strings.Contains(g.resource, test.role) && strings.HasPrefix(g.action, test.action) {
					g.remove()
					removed++
				}
			}
			if removed == 0 {
				t.Fatal("the templates have no such grant")
			}
			l := startWith(t, local.Options{
				Dir: t.TempDir(), Addr: "127.0.0.1:0", Durability: store.Fleeting, Assembly: writeStacks(t, stacks),
			})
			_, failed := l.check(t, 20*time.Second) // some steps wait for what never happens
			for _, step := range failed {
				if strings.HasPrefix(step, test.step) {
					return
				}
			}
			t.Errorf("%q did not fail, but %q", test.step, failed)
		})
	}
}
