package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hl7lake/operate/doctor"
)

// accountThatAnswers is an AWS account's answers before a deployment. Lambda denies
// access to its settings.
func accountThatAnswers(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch {
	case strings.Contains(string(body), "Action=GetCallerIdentity"):
		_, _ = io.WriteString(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>`+
			`<Arn>arn:aws:iam::111122223333:user/deployer</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	case strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetParameter"):
		_, _ = io.WriteString(w, `{"Parameter":{"Value":"30"}}`)
	default:
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"__type":"AccessDeniedException","message":"secret words"}`)
	}
}

// onlyAWS makes the given address the only AWS endpoint, with or without a key.
func onlyAWS(t *testing.T, endpoint, key string) {
	t.Helper()
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": key, "AWS_SESSION_TOKEN": "",
		"AWS_PROFILE": "", "AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_MAX_ATTEMPTS": "1", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "", "AWS_WEB_IDENTITY_TOKEN_FILE": "",
	} {
		t.Setenv(name, value)
	}
}

// inRepository changes to a repository with the environment dev, whose tools are in
// order.
func inRepository(t *testing.T) {
	t.Helper()
	folder := t.TempDir()
	for name, text := range map[string]string{
		"package.json":                            `{"devDependencies":{"aws-cdk":"2.1148.1"}}`,
		"node_modules/aws-cdk/package.json":       `{"version":"2.1148.1"}`,
		"bin/npx":                                 "#!/bin/sh\n",
		"bin/node":                                "#!/bin/sh\necho v22.23.3\n",
		"test/snapshots/dev/manifest.json":        `{}`,
		"test/snapshots/dev/Core.template.json":   `{"Resources":{}}`,
		"test/snapshots/other/Core.template.json": `{"Resources":{}}`,
	} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(folder)
	t.Setenv("PATH", filepath.Join(folder, "bin"))
}

// findings reads the objects of --json, one on each line.
func findings(t *testing.T, out string) map[string]doctor.Finding {
	t.Helper()
	found := map[string]doctor.Finding{}
	for line := range strings.Lines(out) {
		var f doctor.Finding
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&f); err != nil || f.Probe == "" || f.Verdict == "" || f.Text == "" {
			t.Errorf("%s: %v", line, err)
		}
		found[f.Probe] = f
	}
	return found
}

func TestTheDoctorSaysInPlainLinesWhatADeploymentLacks(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(accountThatAnswers))
	defer server.Close()
	folder, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	onlyAWS(t, server.URL, "a")
	inRepository(t)

	plain := call(t, nil, "", "doctor", "--env", "dev")
	if plain.Status != statusRefused || plain.Err != "" {
		t.Errorf("status %d, %s", plain.Status, plain.Err)
	}
	asJSON := call(t, nil, "", "doctor", "--env", "dev", "--json")
	found := findings(t, asJSON.Out)
	if f := found["concurrency"]; asJSON.Status != statusRefused || len(found) != 6 || f.Verdict != doctor.Fail ||
		!strings.Contains(f.Next, `"Action":"lambda:GetAccountSettings"`) {
		t.Errorf("status %d, %s", asJSON.Status, asJSON.Out)
	}
	t.Chdir(filepath.Dir(folder))
	golden(t, "doctor.txt", []byte(plain.Out))
}

func TestADeploymentThatLacksNothingIsDone(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "account-settings") {
			_, _ = io.WriteString(w, `{"AccountLimit":{"ConcurrentExecutions":10,"UnreservedConcurrentExecutions":10}}`)
			return
		}
		accountThatAnswers(w, r)
	}))
	defer server.Close()
	onlyAWS(t, server.URL, "a")
	inRepository(t)
	got := call(t, nil, "", "doctor", "--env", "dev", "--json")
	if f := findings(t, got.Out)["concurrency"]; got.Status != statusDone || f.Verdict != doctor.Warn { // a warning alone is not a failure
		t.Errorf("status %d, %s%s", got.Status, got.Out, got.Err)
	}
}

func TestWithoutCredentialsTheDoctorLooksAtTheToolsAllTheSame(t *testing.T) {
	onlyAWS(t, "http://127.0.0.1:1", "")
	inRepository(t)
	got := call(t, nil, "", "doctor", "--env", "dev", "--json")
	found := findings(t, got.Out)
	if got.Status != statusRefused || found["credentials"].Verdict != doctor.Fail || found["bootstrap"].Verdict != doctor.Skip || found["cdk"].Verdict != doctor.OK {
		t.Errorf("status %d, %s%s", got.Status, got.Out, got.Err)
	}
}

func TestTheDoctorIsToldWhatToLookAt(t *testing.T) {
	inRepository(t)
	outputs := filepath.Join(t.TempDir(), "outputs.json")
	if err := os.WriteFile(outputs, []byte(`{"hl7lake-dev-core":{"ApiUrl":"http://127.0.0.1:1"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	onlyAWS(t, "http://127.0.0.1:1", "a")
	for _, test := range []struct{ arguments, want string }{
		{"doctor dev", "want no arguments|lake doctor --help"},
		{"doctor --env none", `no environment "none"|dev, other`},
		{"doctor --env ../snapshots", `no environment "../snapshots"|dev, other`},
		{"doctor --env=", `no environment ""|dev, other`},
		{"doctor --env dev --outputs x", "[env outputs]"},
		{"doctor --env dev --dir x", "[env dir]"},
		{"doctor --outputs none.json", "none.json"},
		{"doctor --outputs " + outputs, "no stack has the output UserPoolId|cdk deploy"},
		{"doctor", "there is no lake in .lake|lake up"},
	} {
		got := call(t, nil, "", strings.Fields(test.arguments)...)
		if got.Status != statusUnusable || got.Out != "" {
			t.Errorf("%s: status %d, %s", test.arguments, got.Status, got.Out)
		}
		for part := range strings.SplitSeq(test.want, "|") {
			if !strings.Contains(got.Err, part) {
				t.Errorf("%s: %q does not say %q", test.arguments, got.Err, part)
			}
		}
	}
	t.Chdir(t.TempDir())
	if got := call(t, nil, "", "doctor", "--env", "dev"); got.Status != statusUnusable || !strings.Contains(got.Err, "repository's folder") {
		t.Errorf("status %d, %s", got.Status, got.Err)
	}
}

func TestTheDoctorsHelpShowsBothKinds(t *testing.T) {
	got := call(t, nil, "", "doctor", "--help")
	for _, part := range []string{"lake doctor --env dev", "lake doctor --outputs outputs.json", "--json", "exit status is 1", "2 wrong usage"} {
		if got.Status != statusDone || !strings.Contains(got.Out, part) {
			t.Errorf("status %d; no %q in %s", got.Status, part, got.Out)
		}
	}
}

// TestTheDoctorLooksAtALakeThatIsUp checks that probes of services that only AWS runs are
// skipped, and that the others are run.
func TestTheDoctorLooksAtALakeThatIsUp(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a lake")
	}
	dir := filepath.Join(t.TempDir(), "lake")
	stop := startUp(t, dir)
	defer stop()
	plain := call(t, nil, "", "doctor", "--dir", dir)
	if plain.Status != statusDone || !strings.Contains(plain.Out, "ok    api            answers 401 without a token\n") {
		t.Errorf("status %d, %s%s", plain.Status, plain.Out, plain.Err)
	}
	got := call(t, nil, "", "doctor", "--dir", dir, "--json")
	found := findings(t, got.Out)
	for _, probe := range []string{"outputs", "api", "clock", "issuer", "keys", "sign-in"} {
		if found[probe].Verdict != doctor.OK || got.Status != statusDone {
			t.Errorf("status %d, %+v, of %s", got.Status, found[probe], got.Out)
		}
	}
	stop()
	after := call(t, nil, "", "doctor", "--dir", dir, "--json")
	if f := findings(t, after.Out)["api"]; after.Status != statusRefused || f.Verdict != doctor.Fail {
		t.Errorf("of a lake that is down: status %d, %s", after.Status, after.Out)
	}
}
