package doctor_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"hl7lake/operate/doctor"
)

// look returns the finding of a probe of the tools in a repository.
func look(t *testing.T, repository, probe string) doctor.Finding {
	t.Helper()
	return finding(t, doctor.Before((&world{}).start(t), repository, assembly(t)), probe)
}

func TestNodeMustBeTwentyOrLater(t *testing.T) {
	prints := func(version string) string { return "#!/bin/sh\necho " + version + "\n" }
	for _, test := range []struct {
		name  string
		files map[string]string // the files of a repository, whose folder bin is PATH
		want  doctor.Verdict
		says  string
	}{
		{"new enough", map[string]string{"bin/npx": "", "bin/node": prints("v20.0.0")}, doctor.OK, "v20.0.0"},
		{"one too old", map[string]string{"bin/npx": "", "bin/node": prints("v19.9.0")}, doctor.Fail, "want 20 or later"},
		{"a single digit is not compared as text", map[string]string{"bin/npx": "", "bin/node": prints("v8.17.0")}, doctor.Fail, "want 20 or later"},
		{"the repository's own is used before PATH's",
			map[string]string{"bin/npx": "", "bin/node": prints("v18.1.0"), "node_modules/.bin/node": prints("v22.23.3")}, doctor.OK, "v22.23.3"},
		{"no npx", map[string]string{"bin/node": prints("v22.0.0")}, doctor.Fail, "npx is not in PATH"},
		{"no node", map[string]string{"bin/npx": ""}, doctor.Fail, "https://nodejs.org"},
		{"a node that fails", map[string]string{"bin/npx": "", "bin/node": "#!/bin/sh\nexit 3\n"}, doctor.Fail, "exit status 3"},
		{"a node that says something else", map[string]string{"bin/npx": "", "bin/node": prints("welcome")}, doctor.Fail, `"welcome"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			repository := write(t, test.files)
			t.Setenv("PATH", filepath.Join(repository, "bin"))
			expect(t, look(t, repository, "node"), test.want, test.says)
		})
	}
}

func TestTheNodeOfThisMachineIsUnderstood(t *testing.T) {
	for _, tool := range []string{"node", "npx"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	if got := look(t, t.TempDir(), "node"); got.Verdict != doctor.OK || got.Text[0] != 'v' {
		t.Errorf("%+v", got)
	}
}

func TestTheCDKCLIMustBeThatOfThePackage(t *testing.T) {
	const wanted = `{"devDependencies":{"aws-cdk":"2.1148.1","node":"22.23.3"}}`
	installed := func(version string) map[string]string {
		return map[string]string{"package.json": wanted, "node_modules/aws-cdk/package.json": `{"version":"` + version + `"}`}
	}
	for _, test := range []struct {
		name  string
		files map[string]string
		want  doctor.Verdict
		says  string
	}{
		{"the same", installed("2.1148.1"), doctor.OK, "2.1148.1"},
		{"an older patch", installed("2.1148.0"), doctor.Fail, "npm ci"},
		{"an older minor, which is greater as text", installed("2.999.5"), doctor.Fail, "want 2.1148.1"},
		{"a newer one", installed("2.1200.0"), doctor.Warn, "newer than 2.1148.1"},
		{"none", map[string]string{"package.json": wanted}, doctor.Fail, "npm ci"},
		{"no version", installed(""), doctor.Fail, `version ""`},
	} {
		t.Run(test.name, func(t *testing.T) {
			expect(t, look(t, write(t, test.files), "cdk"), test.want, test.says)
		})
	}
}

func TestAFolderThatIsNoRepositoryIsAFailure(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"no package":        nil,
		"a broken package":  {"package.json": "{"},
		"no CLI in it":      {"package.json": "{}"},
		"a broken CLI":      {"package.json": `{"devDependencies":{"aws-cdk":"^2.1.0"}}`, "node_modules/aws-cdk/package.json": "{"},
		"a version of none": {"package.json": `{"devDependencies":{"aws-cdk":"latest"}}`},
	} {
		if got := look(t, write(t, files), "cdk"); got.Verdict != doctor.Fail || got.Text == "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestThisRepositorysPackageIsUnderstood(t *testing.T) {
	repository := filepath.Join("..", "..")
	if _, err := os.Stat(filepath.Join(repository, "package.json")); err != nil {
		t.Fatal(err)
	}
	got := finding(t, doctor.Before((&world{}).start(t), repository, filepath.Join(repository, "test", "snapshots", "prod")), "cdk")
	if got.Verdict == doctor.Fail && got.Next == "" { // it could not be read; a version that is not installed comes with a next step
		t.Errorf("%+v", got)
	}
}
