package doctor_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hl7lake/operate/doctor"
)

// finding examines and returns the finding of the named probe, or the worst one if
// several probes have that name. It also checks that each probe reported and that none
// quoted AWS's text.
func finding(t *testing.T, probes []doctor.Probe, probe string) doctor.Finding {
	t.Helper()
	rank := []doctor.Verdict{doctor.Skip, doctor.OK, doctor.Warn, doctor.Fail}
	var got doctor.Finding
	seen, failed := 0, false
	good := doctor.Examine(t.Context(), false, probes, func(f doctor.Finding) {
		seen++
		failed = failed || f.Verdict == doctor.Fail
		if strings.Contains(f.Text+f.Next, "secret words") {
			t.Errorf("AWS's text is told: %+v", f)
		}
		if f.Probe == probe && (got.Probe == "" || slices.Index(rank, f.Verdict) > slices.Index(rank, got.Verdict)) {
			got = f
		}
	})
	if seen != len(probes) || good == failed {
		t.Errorf("%d of %d probes reported, good is %v", seen, len(probes), good)
	}
	return got
}

// expect compares a finding with the wanted verdict and with parts of its text.
func expect(t *testing.T, got doctor.Finding, verdict doctor.Verdict, says ...string) {
	t.Helper()
	if got.Verdict != verdict {
		t.Errorf("%+v, want %s", got, verdict)
	}
	if (verdict == doctor.OK || verdict == doctor.Skip) != (got.Next == "") {
		t.Errorf("%+v: want a next step for warn and fail, and none else", got)
	}
	for _, part := range says {
		if !strings.Contains(got.Text+" "+got.Next, part) {
			t.Errorf("%+v does not say %q", got, part)
		}
	}
}

// write creates files in a new folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil { // some are executable
			t.Fatal(err)
		}
	}
	return folder
}

func assembly(t *testing.T) string {
	return write(t, map[string]string{
		"manifest.json": `{"artifacts":{"Core":{"type":"aws:cloudformation:stack","properties":{"stackName":"hl7lake-prod-core",
"requiresBootstrapStackVersion":8,"bootstrapStackVersionSsmParameter":"/cdk-bootstrap/mine/version"}}}}`,
		"a.template.json": `{"Resources":{"A":{"Properties":{"ReservedConcurrentExecutions":400}},"B":{"Properties":{"ReservedConcurrentExecutions":201}}}}`,
	})
}

func settings(quota, free string) answer {
	return answer{200, `{"AccountLimit":{"ConcurrentExecutions":` + quota + `,"UnreservedConcurrentExecutions":` + free + `}}`}
}

func TestBeforeADeploymentEachProbeSaysWhatItSaw(t *testing.T) {
	folder := assembly(t)
	const (
		getSettings = "GET /2016-08-19/account-settings"
		concurrency = "GET /2019-09-30/functions/ingest/concurrency"
		bootstrap   = "npx cdk bootstrap aws://111122223333/eu-west-1"
	)
	for _, test := range []struct {
		name    string
		answers map[string]answer
		probe   string
		want    doctor.Verdict
		says    string
	}{
		{"who is asking", nil, "credentials", doctor.OK, "account 111122223333, region eu-west-1"},
		{"a session that is over", map[string]answer{"GetCallerIdentity": {403, refused("ExpiredToken")}}, "credentials", doctor.Fail, "sign in again"},
		{"an unknown key", map[string]answer{"GetCallerIdentity": {403, refused("InvalidClientTokenId")}}, "credentials", doctor.Fail, "access key"},
		{"no more after an unknown key", map[string]answer{"GetCallerIdentity": {403, refused("InvalidClientTokenId")}}, "bootstrap", doctor.Skip, "not asked"},

		{"a good version", map[string]answer{"GetParameter": {200, `{"Parameter":{"Value":"21"}}`}}, "bootstrap", doctor.OK, "21"},
		{"just enough", map[string]answer{"GetParameter": {200, `{"Parameter":{"Value":"8"}}`}}, "bootstrap", doctor.OK, "8"},
		{"an old version", map[string]answer{"GetParameter": {200, `{"Parameter":{"Value":"7"}}`}}, "bootstrap", doctor.Fail, bootstrap},
		{"no number", map[string]answer{"GetParameter": {200, `{"Parameter":{"Value":"x"}}`}}, "bootstrap", doctor.Fail, bootstrap},
		{"no bootstrap", map[string]answer{"GetParameter": {400, `{"__type":"ParameterNotFound"}`}}, "bootstrap", doctor.Fail, bootstrap},
		{"a denied version", map[string]answer{"GetParameter": {400, denied}}, "bootstrap", doctor.Fail,
			`{"Effect":"Allow","Action":"ssm:GetParameter","Resource":"arn:aws:ssm:eu-west-1:111122223333:parameter/cdk-bootstrap/mine/version"}`},

		{"a usual quota", map[string]answer{getSettings: settings("1000", "1000")}, "concurrency", doctor.OK, "601"},
		{"just enough quota", map[string]answer{getSettings: settings("701", "701")}, "concurrency", doctor.OK, "601"},
		{"one too little", map[string]answer{getSettings: settings("700", "700")}, "concurrency", doctor.Fail, "100 must stay"},
		{"others reserve", map[string]answer{getSettings: settings("1000", "700")}, "concurrency", doctor.Fail, "100 must stay"},
		{"a new account", map[string]answer{getSettings: settings("10", "10")}, "concurrency", doctor.Fail, "higher quota"},
		{"deployed before", map[string]answer{
			getSettings: settings("1000", "399"), "ListStackResources": listed("", "AWS::Lambda::Function ingest", "AWS::SQS::Queue q"),
			concurrency: {200, `{"ReservedConcurrentExecutions":601}`}}, "concurrency", doctor.OK, "has 601 of that already"},
		{"deployed before, with a little less", map[string]answer{
			getSettings: settings("700", "100"), "ListStackResources": listed("", "AWS::Lambda::Function ingest"),
			concurrency: {200, `{"ReservedConcurrentExecutions":600}`}}, "concurrency", doctor.Fail, "100 must stay"},
		{"a denied quota", map[string]answer{getSettings: {403, denied}}, "concurrency", doctor.Fail,
			`{"Effect":"Allow","Action":"lambda:GetAccountSettings","Resource":"*"}`},
		{"a denied function", map[string]answer{
			getSettings: settings("1000", "399"), "ListStackResources": listed("", "AWS::Lambda::Function ingest"), concurrency: {403, denied}},
			"concurrency", doctor.Fail, `"Action":"lambda:GetFunctionConcurrency","Resource":"arn:aws:lambda:eu-west-1:111122223333:function:ingest"`},
		{"a denied stack", map[string]answer{getSettings: settings("1000", "399"), "ListStackResources": {403, refused("AccessDenied")}},
			"concurrency", doctor.Fail, `"Action":"cloudformation:ListStackResources","Resource":"arn:aws:cloudformation:eu-west-1:111122223333:stack/hl7lake-prod-core/*"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := &world{answers: map[string]answer{
				"GetCallerIdentity": {200, caller}, "GetParameter": {400, denied}, getSettings: {403, denied},
				"ListStackResources": {400, refused("ValidationError")}, // the stack does not exist yet
			}}
			for operation, answer := range test.answers {
				w.answers[operation] = answer
			}
			expect(t, finding(t, doctor.Before(w.start(t), t.TempDir(), folder), test.probe), test.want, test.says)
		})
	}
}

func TestAnAccountThatSharesTenIsAWarningWhereNothingIsReserved(t *testing.T) {
	folder := write(t, map[string]string{"manifest.json": `{}`, "a.template.json": `{"Resources":{"A":{"Properties":{}}}}`})
	w := &world{answers: map[string]answer{"GetCallerIdentity": {200, caller}, "GET /2016-08-19/account-settings": settings("10", "10"),
		"GetParameter": {200, `{"Parameter":{"Value":"5"}}`}}}
	probes := doctor.Before(w.start(t), t.TempDir(), folder)
	expect(t, finding(t, probes, "concurrency"), doctor.Warn, "share it", "Service Quotas")
	expect(t, finding(t, probes, "bootstrap"), doctor.Fail, "want 6 or later") // also if the manifest says nothing about it
}

func TestWithoutRegionOrCredentialsTheRestIsLookedAtAllTheSame(t *testing.T) {
	w := &world{answers: map[string]answer{}}
	noRegion, noKey := w.start(t), w.start(t)
	noRegion.Region, noKey.Credentials = "", nil
	expect(t, finding(t, doctor.Before(noRegion, t.TempDir(), assembly(t)), "credentials"), doctor.Fail, "AWS_REGION")
	probes := doctor.Before(noKey, t.TempDir(), assembly(t))
	expect(t, finding(t, probes, "credentials"), doctor.Fail, "AWS_PROFILE")
	expect(t, finding(t, probes, "concurrency"), doctor.Skip, "not asked")
	expect(t, finding(t, probes, "placeholders"), doctor.OK, "none")
	if len(w.asked) > 0 {
		t.Error("AWS was asked:", w.asked)
	}
}

func TestExamplesInTemplatesAreNamed(t *testing.T) {
	folder := write(t, map[string]string{"a.template.json": `{"Resources":{"A":{"Properties":{
"Endpoint":"on-call@Example.COM","Url":"https://console.lake.example.org/","Good":"example.organic"}}}}`})
	got := finding(t, doctor.Before((&world{}).start(t), t.TempDir(), folder), "placeholders")
	expect(t, got, doctor.Fail, "on-call@Example.COM", "https://console.lake.example.org", "stacks/environments.go")
	if strings.Contains(got.Text, "organic") {
		t.Error(got.Text)
	}
}

func TestAFolderWithoutTemplatesIsToldHowToGetThem(t *testing.T) {
	got := finding(t, doctor.Before((&world{}).start(t), t.TempDir(), t.TempDir()), "placeholders")
	if got.Verdict != doctor.Fail || !strings.Contains(got.Text, "-update") {
		t.Errorf("%+v", got)
	}
}
