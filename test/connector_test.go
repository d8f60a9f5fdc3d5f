package test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/google/go-cmp/cmp"

	"hl7lake/internal/contract"
	"hl7lake/stacks"
)

// newPatients defines the connector of docs/connector.md: of each admission, discharge
// and transfer it makes a FHIR Patient.
func newPatients(app awscdk.App, core stacks.Core) stacks.Connector {
	connector := stacks.NewConnector(app, "Patients", stacks.ConnectorProps{
		Core: core, Name: "patients", Description: "makes FHIR patients of ER7 messages",
	})
	patients := connector.NewFunction("Patients", stacks.FunctionProps{
		Package:     "lambdas/internal/testing/patients",
		Description: "Makes a FHIR Patient of a message and publishes it",
		Memory:      256,
		Timeout:     30,
		Concurrency: 10,
	})
	connector.Subscribe(patients, stacks.Events{
		Names:        []string{contract.EventIngested},
		Protocols:    []string{contract.ProtocolHL7v2},
		Formats:      []string{contract.FormatER7},
		TypePrefixes: []string{"ADT"},
	})
	connector.LetPublish(patients)
	return connector
}

// TestAConnectorChangesNoOtherStack synthesizes dev with one connector more and with one
// less: every byte of every other template stays as it is.
func TestAConnectorChangesNoOtherStack(t *testing.T) {
	env := settings(t, "dev")
	for name, test := range map[string]struct {
		define func(awscdk.App)
		other  string
	}{
		"one more": {func(app awscdk.App) { newPatients(app, stacks.NewSystem(app, env).Core) }, "Patients"},
		"one less": {func(app awscdk.App) {
			core := stacks.NewCore(app, "Core", stacks.CoreProps{Environment: env})
			door := stacks.NewFrontDoor(app, "FrontDoor", stacks.FrontDoorProps{Core: core})
			stacks.NewTables(app, "Tables", stacks.TablesProps{Core: core, FrontDoor: door})
			stacks.NewFinder(app, "Finder", stacks.FinderProps{Core: core, FrontDoor: door, Settings: env.Finder})
		}, "StagingER7"},
		"no tables": {func(app awscdk.App) {
			core := stacks.NewCore(app, "Core", stacks.CoreProps{Environment: env})
			door := stacks.NewFrontDoor(app, "FrontDoor", stacks.FrontDoorProps{Core: core})
			stacks.NewStagingER7(app, "StagingER7", stacks.StagingER7Props{Core: core})
			stacks.NewFinder(app, "Finder", stacks.FinderProps{Core: core, FrontDoor: door, Settings: env.Finder})
		}, "Tables"},
		"no finder": {func(app awscdk.App) {
			without := env
			without.Finder = nil
			stacks.NewSystem(app, without)
		}, "Finder"},
	} {
		t.Run(name, func(t *testing.T) {
			got := synthApp(t.TempDir(), test.define)
			for id, stack := range assemblies["dev"] {
				if id == test.other {
					continue
				}
				if diff := cmp.Diff(string(stack.snapshot), string(got[id].snapshot)); diff != "" {
					t.Errorf("%s is another:\n%s", id, diff)
				}
			}
			if _, there := got[test.other]; there != (name == "one more") {
				t.Errorf("%s: %v", test.other, there)
			}
		})
	}
}

// TestThePatientsConnectorIsItsSnapshot holds its template, which test/e2e runs, and
// wants no warning of it.
func TestThePatientsConnectorIsItsSnapshot(t *testing.T) {
	env := settings(t, "dev")
	made := synthApp(t.TempDir(), func(app awscdk.App) { newPatients(app, stacks.NewSystem(app, env).Core) })
	patients := made["Patients"]
	if len(patients.messages) > 0 {
		t.Errorf("%q", patients.messages)
	}
	if diff := cmp.Diff([]string{"Core"}, patients.artifact.Dependencies); diff != "" {
		t.Errorf("it depends on other stacks than Core:\n%s", diff)
	}
	folder := filepath.Join("test", "testdata", "dev-and-patients")
	files := made.snapshots()
	for name := range files {
		if name != "manifest.json" && name != "Patients.template.json" {
			continue
		}
		if *update {
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, name), files[name], 0o600); err != nil {
				t.Fatal(err)
			}
		}
		compare(t, filepath.Join(folder, name), files[name])
	}
	if bytes.Contains(patients.snapshot, []byte("$jsii")) {
		t.Error("it holds what the bindings wrap values in")
	}
}

func TestASubscriptionNamesItsEvents(t *testing.T) {
	defer func() {
		if fmt.Sprint(recover()) == "<nil>" {
			t.Error("a connector may hear of what it publishes itself")
		}
	}()
	synthApp(t.TempDir(), func(app awscdk.App) {
		core := stacks.NewCore(app, "Core", stacks.CoreProps{Environment: settings(t, "dev")})
		connector := stacks.NewConnector(app, "Careless", stacks.ConnectorProps{Core: core, Name: "careless", Description: "hears all"})
		fn := connector.NewFunction("Careless", stacks.FunctionProps{Package: "lambdas/writer", Memory: 128, Timeout: 3, Concurrency: 1})
		connector.Subscribe(fn, stacks.Events{Protocols: []string{"hl7v2"}})
	})
}
