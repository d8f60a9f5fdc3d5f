// Package test holds the templates that the CDK app makes, and the tests that read them: what a deployment would be, stays as
// reviewed until somebody updates the snapshots on purpose.
package test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"hl7lake/stacks"
)

var update = flag.Bool("update", false, "write the synthesized templates to snapshots/ instead of comparing")

// assemblies holds what TestMain synthesized, by environment. Nothing changes it later. There is one synthesis for all tests,
// since it takes seconds, and it is never run in parallel, which the Node.js process behind it does not survive.
var assemblies map[string]assembly

// assembly is one environment's cloud assembly.
type assembly struct {
	dir       string
	templates map[string][]byte   // by construct id, in the form of a snapshot
	needs     map[string][]string // by construct id: construct ids of the stacks that are deployed before
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

// run synthesizes both environments, runs the tests and clears up.
func run(m *testing.M) int {
	if err := useNode(); err != nil {
		if os.Getenv("CI") != "" {
			fmt.Fprintln(os.Stderr, "test:", err)
			return 1
		}
		fmt.Fprintln(os.Stderr, "SKIPPED all tests of the templates:", err)
		return 0
	}
	if err := os.Chdir(".."); err != nil { // the app's paths are relative to the module root, where cdk runs it
		panic(err)
	}
	dir, err := os.MkdirTemp("", "hl7lake-synth-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	defer jsii.Close()
	assemblies = map[string]assembly{}
	for _, env := range stacks.Environments() {
		assemblies[env.Name] = synth(env, filepath.Join(dir, env.Name))
	}
	return m.Run()
}

// useNode makes jsii run on the Node.js that package.json pins, or on the machine's own.
func useNode() error {
	pinned, err := filepath.Abs("../node_modules/.bin")
	if err != nil {
		return err
	}
	os.Setenv("PATH", pinned+string(os.PathListSeparator)+os.Getenv("PATH"))
	os.Setenv("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "1")
	os.Setenv("CDK_VALIDATION", "false") // cfn-lint reads the same templates
	if _, err := exec.LookPath("node"); err != nil {
		return fmt.Errorf("no Node.js found, which the CDK needs: run `npm ci`: %w", err)
	}
	return nil
}

// synth writes an environment's templates, as `cdk synth` does, but without compiling the functions.
func synth(env stacks.Environment, dir string) assembly {
	settings := cdkContext()
	settings["aws:cdk:bundling-stacks"] = []string{}
	app := awscdk.NewApp(&awscdk.AppProps{
		Outdir:             &dir,
		Context:            &settings,
		AnalyticsReporting: new(false),
	})
	stacks.NewLake(app, env)
	cloud := app.Synth(nil)

	result := assembly{dir: dir, templates: map[string][]byte{}, needs: map[string][]string{}}
	for _, stack := range *cloud.Stacks() {
		file, err := os.ReadFile(*stack.TemplateFullPath())
		if err != nil {
			panic(err)
		}
		result.templates[*stack.Id()] = normalise(file)
		for _, needed := range *stack.Dependencies() {
			if _, isStack := result.templates[*needed.Id()]; isStack {
				result.needs[*stack.Id()] = append(result.needs[*stack.Id()], *needed.Id())
			}
		}
	}
	return result
}

// cdkContext reads the feature flags, which the CDK command line hands to the app.
func cdkContext() map[string]any {
	file, err := os.ReadFile("cdk.json")
	if err != nil {
		panic(err)
	}
	var settings struct{ Context map[string]any }
	if err := json.Unmarshal(file, &settings); err != nil {
		panic(err)
	}
	return settings.Context
}

// template is a CloudFormation template with its members in the order in which a person reads them.
type template struct {
	Description string                     `json:",omitempty"`
	Resources   map[string]*resource       `json:",omitempty"`
	Outputs     map[string]json.RawMessage `json:",omitempty"`
}

// resource is one resource of a template.
type resource struct {
	Type                string
	Metadata            map[string]any `json:",omitempty"`
	DependsOn           any            `json:",omitempty"`
	DeletionPolicy      string         `json:",omitempty"`
	UpdateReplacePolicy string         `json:",omitempty"`
	Properties          map[string]any `json:",omitempty"`
}

// normalise gives a template the form of a snapshot: indented, and without what changes when only code changes, which is the
// hash by which a function's archive is named. It refuses a section that it would lose.
func normalise(file []byte) []byte {
	var document template
	decoder := json.NewDecoder(bytes.NewReader(file))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&document); err != nil {
		panic(err)
	}
	for _, resource := range document.Resources {
		if resource.Type == "AWS::Lambda::Function" {
			resource.Properties["Code"].(map[string]any)["S3Key"] = "asset.zip"
		}
	}
	var snapshot bytes.Buffer
	encoder := json.NewEncoder(&snapshot)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(document); err != nil {
		panic(err)
	}
	return snapshot.Bytes()
}
