// Package test holds the templates that the CDK app makes, as snapshots, and the tests
// that read them. What would be deployed is what was reviewed, until somebody updates the
// snapshots on purpose: go test ./test -update
package test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"
	"github.com/aws/jsii-runtime-go"

	"hl7lake/internal/contract"
	"hl7lake/stacks"
)

var update = flag.Bool("update", false, "write what is synthesized to snapshots/ before it is compared")

// assemblies holds what TestMain synthesized, by environment. Nothing changes it later.
// All tests share it, because synthesis takes seconds and must not run in parallel: the
// Node.js process behind it does not survive that.
var assemblies map[string]assembly

// findings holds what cdk-nag said about each environment.
var findings map[string][]finding

// assembly is what one environment's app synthesizes to: its stacks by construct id.
type assembly map[string]stack

// stack is one stack of an assembly.
type stack struct {
	template template
	snapshot []byte   // the template in the form in which it is committed
	artifact artifact // what the manifest says about it
	messages []string // what the CDK would print about it
}

// manifest is the part of a cloud assembly's manifest that says how its stacks are
// deployed, in the shape of the whole (Cloud Assembly Schema, AWS CDK reference), so that
// a folder of snapshots can be read as an assembly.
type manifest struct {
	Artifacts map[string]artifact `json:"artifacts"`
}

// artifact is one stack in a manifest.
type artifact struct {
	Type         string     `json:"type"`
	Properties   properties `json:"properties"`
	Dependencies []string   `json:"dependencies,omitempty"` // construct ids of the stacks that are deployed before
}

// properties is how a stack is deployed.
type properties struct {
	TemplateFile          string            `json:"templateFile"`
	StackName             string            `json:"stackName"`
	TerminationProtection bool              `json:"terminationProtection"`
	Tags                  map[string]string `json:"tags"`
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

// run synthesizes every environment, writes the snapshots if asked to, runs the tests and
// cleans up.
func run(m *testing.M) int {
	if err := os.Chdir(".."); err != nil { // the app's paths are relative to the module root, where cdk runs it
		panic(err)
	}
	if err := chooseNode(); err != nil {
		fmt.Fprintln(os.Stderr, "SKIPPED: the templates cannot be synthesized and compared:", err)
		if os.Getenv("CI") != "" {
			return 1
		}
		return 0
	}
	defer jsii.Close()
	dir, err := os.MkdirTemp("", "hl7lake-synth-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	assemblies, findings = map[string]assembly{}, map[string][]finding{}
	for _, env := range stacks.Environments() {
		assemblies[env.Name] = synth(env, filepath.Join(dir, env.Name))
		findings[env.Name] = readFindings(filepath.Join(dir, env.Name))
		if *update {
			writeSnapshots(env.Name)
		}
	}
	return m.Run()
}

// writeSnapshots writes what was synthesized for an environment, before any test reads
// it.
func writeSnapshots(env string) {
	folder := filepath.Join("test", "snapshots", env)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		panic(err)
	}
	for name, text := range assemblies[env].snapshots() {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil {
			panic(err)
		}
	}
}

// settings returns an environment's settings, by its name.
func settings(t *testing.T, name string) stacks.Environment {
	t.Helper()
	env, err := stacks.EnvironmentNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// chooseNode makes the CDK's bindings run on the Node.js that package.json pins if npm
// has installed it, or else on the machine's own, in an environment made for synthesis.
func chooseNode() error {
	node, err := filepath.Abs("node_modules/.bin/node")
	if err != nil {
		return err
	}
	if _, err := os.Stat(node); err != nil {
		if node, err = exec.LookPath("node"); err != nil {
			return err
		}
	}
	for name, value := range map[string]string{
		"JSII_NODE": node,
		"JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
		"CDK_VALIDATION": "false", // it takes longer than everything else; cdk synth and cfn-lint look at the same templates
	} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	// The bindings chose their process while they were loaded, with the environment of
	// that time. Now they choose again.
	jsii.Close()
	return nil
}

// synth writes an environment's templates, as `cdk synth` does, but without compiling the
// functions.
func synth(env stacks.Environment, dir string) assembly {
	return synthApp(dir, func(app awscdk.App) { stacks.NewSystem(app, env) })
}

// synthApp writes the templates of an app that define fills.
func synthApp(dir string, define func(awscdk.App)) assembly {
	settings := cdkContext()
	settings["aws:cdk:bundling-stacks"] = []string{}
	settings["@aws-cdk/core:annotationsInValidationReport"] = false // otherwise synthesis panics at the first finding of cdk-nag
	app := awscdk.NewApp(&awscdk.AppProps{
		Outdir:             &dir,
		Context:            &settings,
		AnalyticsReporting: new(false),
	})
	define(app)
	nag(app)

	result := assembly{}
	for _, written := range *app.Synth(nil).Stacks() {
		result[*written.Id()] = readStack(written)
	}
	return result
}

// readStack reads what the CDK wrote about a stack.
func readStack(written cxapi.CloudFormationStackArtifact) stack {
	file, err := os.ReadFile(*written.TemplateFullPath())
	if err != nil {
		panic(err)
	}
	var result stack
	result.template, result.snapshot = normalise(file)
	result.artifact = artifact{
		Type: "aws:cloudformation:stack",
		Properties: properties{
			TemplateFile:          *written.TemplateFile(),
			StackName:             *written.StackName(),
			TerminationProtection: *written.TerminationProtection(),
			Tags:                  map[string]string{},
		},
	}
	for key, value := range *written.Tags() {
		result.artifact.Properties.Tags[key] = *value
	}
	for _, needed := range *written.Dependencies() {
		if id := *needed.Id(); !strings.HasSuffix(id, ".assets") {
			result.artifact.Dependencies = append(result.artifact.Dependencies, id)
		}
	}
	for _, message := range *written.Messages() {
		//nolint:staticcheck // the successor of this type is not in the Go bindings
		result.messages = append(result.messages, fmt.Sprint(message.Entry.Data))
	}
	return result
}

// cdkContext reads the feature flags, which the CDK command line passes to the app.
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

// template is a CloudFormation template with its members in the order in which a person
// reads them.
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

// normalise gives a template the form of a snapshot: indented, and without what changes
// when only our code changes, which is the hash that names a function's archive. It fails
// for a section that it would lose.
func normalise(file []byte) (template, []byte) {
	var document template
	decoder := json.NewDecoder(bytes.NewReader(file))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&document); err != nil {
		panic(err)
	}
	for _, resource := range document.Resources {
		if resource.Metadata[contract.PackageMetadata] != nil {
			resource.Properties["Code"].(map[string]any)["S3Key"] = "asset.zip"
		}
	}
	return document, indent(document)
}

// indent writes a value as JSON on many lines, with a newline at the end.
func indent(value any) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return text.Bytes()
}

// snapshots returns the files in which an assembly is committed, by name.
func (a assembly) snapshots() map[string][]byte {
	files := map[string][]byte{}
	contents := manifest{Artifacts: map[string]artifact{}}
	for id, stack := range a {
		files[stack.artifact.Properties.TemplateFile] = stack.snapshot
		contents.Artifacts[id] = stack.artifact
	}
	files["manifest.json"] = indent(contents)
	return files
}
