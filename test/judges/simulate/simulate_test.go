// Package simulate asks @cloud-copilot/iam-simulate for a second opinion on package
// local/iam: whether it grants the same requests. The judge is a program from npm (`npm
// ci` in this folder). It runs beside the tests and is linked into nothing. Where the two
// differ, AWS's page decides.
package simulate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"hl7lake/internal/testing/judge"
	"hl7lake/local/iam"
	"hl7lake/local/wire"
)

// request is a call, with the policies by which it is judged.
type request struct {
	caller   string            // ARN of a principal, or name of a service; empty for a request without a signature
	source   string            // ARN of the resource for which a service calls, if any
	action   string            // s3:PutObject
	resource string            // ARN, or * for an action that knows no resources
	keys     map[string]string // condition keys of the request, except those that its caller sets
	own      []policy          // the caller's policies
	attached policy            // the policy of the resource, or of what contains it; none if it has no statements
	to       string            // ARN of what that policy is attached to
}

// policy is a policy document as a template has it.
type policy struct {
	Version   string
	Statement []statement
}

type statement map[string]any

func newPolicy(statements ...statement) policy { return policy{"2012-10-17", statements} }

// String returns the request as JSON, to be read in a test's log.
func (r request) String() string {
	text, _ := json.Marshal(map[string]any{
		"caller": r.caller, "source": r.source, "action": r.action, "resource": r.resource, "keys": r.keys,
		"own": r.own, "attached": r.attached.Statement,
	})
	return string(text)
}

// local reports whether local/iam grants the request.
func (r request) local(t *testing.T) bool {
	t.Helper()
	e := iam.New()
	for _, p := range r.own {
		if err := e.AttachToRole(r.caller, document(t, p)); err != nil {
			t.Fatalf("%s: %v", r, err)
		}
	}
	if r.attached.Statement != nil {
		if err := e.AttachToResource(r.to, document(t, r.attached)); err != nil {
			t.Fatalf("%s: %v", r, err)
		}
	}
	ctx := wire.WithCaller(t.Context(), r.caller)
	if r.source != "" {
		ctx = wire.WithSource(t.Context(), r.caller, r.source)
	}
	return e.Authorize(ctx, r.action, r.resource, r.keys) == nil
}

// document reads a policy as local reads it from a template.
func document(t *testing.T, p policy) (d iam.Document) {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return d
}

// verdict is what the judge says about a request.
type verdict struct {
	Allowed bool
	Error   string   // why it could not be judged
	Ignored []string // condition keys that the judge left out, because the action has no such keys
}

// judged asks the judge about all requests. Each has its verdict at its own index.
func judged(t *testing.T, requests []request) []verdict {
	t.Helper()
	needJudge(t)
	simulations := make([]map[string]any, len(requests))
	for i, r := range requests {
		simulations[i] = r.simulation()
	}
	input, err := json.Marshal(simulations)
	if err != nil {
		t.Fatal(err)
	}
	var output, errors bytes.Buffer
	node := exec.CommandContext(t.Context(), "node", "judge.mjs")
	node.Stdin, node.Stdout, node.Stderr = bytes.NewReader(input), &output, &errors
	if err := node.Run(); err != nil {
		t.Fatalf("judge.mjs: %v\n%s", err, errors.String())
	}
	var verdicts []verdict
	if err := json.Unmarshal(output.Bytes(), &verdicts); err != nil {
		t.Fatal(err)
	}
	if len(verdicts) != len(requests) {
		t.Fatalf("%d verdicts of %d requests", len(verdicts), len(requests))
	}
	return verdicts
}

// simulation returns the request in the judge's form. The judge adds no condition keys on
// its own
func (r request) simulation() map[string]any {
	keys := map[string]string{"aws:SecureTransport": "true"}
	if strings.HasPrefix(r.caller, "arn:") {
		keys["aws:PrincipalArn"] = r.caller
	}
	if r.source != "" {
		keys["aws:SourceArn"], keys["aws:SourceAccount"] = r.source, wire.Account
		if named := strings.Split(r.source, ":")[4]; named != "" {
			keys["aws:SourceAccount"] = named
		}
	}
	for key, value := range r.keys {
		keys[key] = value
	}
	identities := []map[string]any{}
	for _, p := range r.own {
		identities = append(identities, map[string]any{"name": "own", "policy": p})
	}
	var principal any = r.caller
	if r.caller == "" {
		principal = map[string]string{"type": "Anonymous"}
	}
	simulation := map[string]any{
		"request": map[string]any{
			"principal": principal, "action": r.action, "contextVariables": keys,
			"resource": map[string]string{"resource": r.resource, "accountId": wire.Account},
		},
		"identityPolicies": identities, "serviceControlPolicies": []any{}, "resourceControlPolicies": []any{},
	}
	if r.attached.Statement != nil {
		simulation["resourcePolicy"] = r.attached
	}
	return simulation
}

// needJudge ends the test if the judge is not installed. That is a failure if JUDGES has
// the judge: .ci/run names there what it has installed.
func needJudge(t *testing.T) {
	t.Helper()
	_, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat("node_modules/@cloud-copilot/iam-simulate")
	}
	if err != nil {
		judge.Missing(t, "iam-simulate", fmt.Sprintf("iam-simulate is not installed (%v): run `npm ci` in test/judges/simulate", err))
	}
}

// agree fails for every request about which local/iam and the judge disagree, or which
// the judge cannot judge as it is. It returns how many are granted.
func agree(t *testing.T, requests []request) (granted int) {
	t.Helper()
	for i, v := range judged(t, requests) {
		local := requests[i].local(t)
		switch {
		case v.Error != "" || len(v.Ignored) > 0:
			t.Errorf("cannot be judged: error %q, ignored keys %v: %s", v.Error, v.Ignored, requests[i])
		case local != v.Allowed:
			t.Errorf("local/iam grants %v, iam-simulate %v: %s", local, v.Allowed, requests[i])
		}
		if local {
			granted++
		}
	}
	return granted
}
