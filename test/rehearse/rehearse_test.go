// Package rehearse_test rehearses the first deployment: bootstrap, deploy, diff, a
// changed function, destroy, with the CDK command line, against an emulator of AWS by
// another maker. It runs only if one is chosen:
//
//	go test ./test/rehearse -v -emulator ministack
//
// The emulator's program must be on the PATH, or be named by -program. docs/rehearsal.md
// says what each emulator accepts.
package rehearse_test

import (
	"cmp"
	"context"
	"flag"
	"strings"
	"testing"
	"time"
)

var (
	chosen  = flag.String("emulator", "", "rehearse on ministack, localemu or moto, or on one that is running at AWS_ENDPOINT_URL")
	without = flag.String("leave-out", "", "types that an emulator that is running lacks, with commas between; TYPE/PROPERTY is "+
		"only those that have the property")
	program = flag.String("program", "", "path of the emulator's program, if it is not on the PATH")
)

// limit is how long a rehearsal may take. The slowest takes a minute.
const limit = 10 * time.Minute

// changed is the construct whose code the rehearsal changes. No other asset shares that
// code.
const changed = "Parse/Function/Code"

func TestALakeIsDeployedChangedAndDestroyed(t *testing.T) {
	if *chosen == "" {
		t.Skip("no emulator is chosen: -emulator ministack, localemu, moto or running")
	}
	kind, ok := emulators[*chosen]
	if !ok {
		t.Fatalf("no emulator is called %q: ministack, localemu, moto or running", *chosen)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	e := kind.start(t, ctx)
	written := synthesize(t, ctx)
	r := &rehearsal{t: t, emulator: e, cloud: newCloud(t, ctx, e), assembly: written}
	left := r.assembly.leaveOut(t, e.kind.lacks)

	r.must(ctx, "bootstrap")
	r.deploy(ctx)
	r.must(ctx, r.diff()...)

	created := r.cloud.resources(t, ctx)
	found := r.look(ctx, created)
	found.report(t, written.original, left)
	found.judge(t, e.kind.known)

	r.change(ctx, created)
	r.must(ctx, "destroy", "--all", "--force")
	r.nothingIsLeft(ctx, created, found)
}

// rehearsal is one lake on one emulator.
type rehearsal struct {
	t        *testing.T
	emulator *emulator
	cloud    *cloud
	assembly *assembly
}

// must runs the CDK on the assembly and ends the test if it fails.
func (r *rehearsal) must(ctx context.Context, command ...string) {
	r.t.Helper()
	begun := time.Now()
	output, err := r.cdk(ctx, command...)
	if err != nil {
		r.t.Fatalf("cdk %s: %v\n%s\nthe last that the emulator said:\n%s",
			strings.Join(command, " "), err, telling(output), r.emulator.output.Tail(4000))
	}
	r.t.Logf("cdk %s: accepted, after %.1f s", strings.Join(command, " "), time.Since(begun).Seconds())
}

// deploy deploys all stacks. If the emulator does not know Fn::GetStackOutput, it deploys
// them one after another, and gives each the outputs of those before as plain text.
func (r *rehearsal) deploy(ctx context.Context) {
	r.t.Helper()
	method := cmp.Or(r.emulator.kind.method, "change-set")
	arguments := []string{"deploy", "--require-approval", "never", "--progress", "events", "--method", method}
	if !r.emulator.kind.lacksStackOutputs {
		r.must(ctx, append(arguments, "--all")...)
		return
	}
	for _, stack := range r.assembly.order(r.t) {
		r.assembly.resolveStackOutputs(r.t, r.cloud.outputs(r.t, ctx))
		r.must(ctx, append(arguments, "--exclusively", stack)...)
	}
}

// diff runs the command that fails if there is a difference. If change sets do not work,
// it compares templates.
func (r *rehearsal) diff() []string {
	if r.emulator.kind.method != "" {
		return []string{"diff", "--fail", "--method", "template"}
	}
	return []string{"diff", "--fail"}
}

// change deploys other code for one function and checks that only this function then has
// other code.
func (r *rehearsal) change(ctx context.Context, created []resource) {
	r.t.Helper()
	before := r.cloud.codes(r.t, ctx, created)
	if len(before) == 0 {
		r.t.Logf("change: the emulator has no function to change")
		return
	}
	r.assembly.changeAsset(r.t, changed)
	if output, err := r.cdk(ctx, r.diff()...); err == nil {
		r.t.Errorf("cdk diff finds no difference although a function changed:\n%s", output)
	} else if n := strings.Count(output, "] AWS::"); n != 1 || !strings.Contains(output, "[~] AWS::Lambda::Function") {
		r.t.Errorf("cdk diff finds %d changed resources where one function changed:\n%s", n, output)
	}
	r.deploy(ctx)
	var others []string
	for name, code := range r.cloud.codes(r.t, ctx, created) {
		if code != before[name] {
			others = append(others, name)
		}
	}
	if len(others) != 1 || !strings.Contains(others[0], "Parse") {
		r.t.Errorf("the functions whose code changed are %q, and Parse alone was changed", others)
	}
	r.t.Logf("change: the code of %s is another, that of %d is the same", strings.Join(others, ", "), len(before)-len(others))
}

// nothingIsLeft asks for every resource that its service had.
func (r *rehearsal) nothingIsLeft(ctx context.Context, created []resource, found *findings) {
	r.t.Helper()
	var left, orphans []string
	for _, stack := range r.cloud.stacks(r.t, ctx) {
		left = append(left, "stack "+stack)
	}
	asked := 0
	for _, one := range found.all {
		if one.outcome != "created" && one.outcome != "wrong" {
			continue
		}
		asked++
		if _, err := r.cloud.describe(ctx, one.resource, created); err == nil {
			orphans = append(orphans, one.kind+" "+one.physical)
		}
	}
	left = append(left, orphans...)
	if len(left) > 0 {
		r.t.Errorf("after cdk destroy there are still:\n%s", strings.Join(left, "\n"))
	}
	r.t.Logf("destroy: %d resources were asked for, %d are left", asked, len(orphans))
}
