package rehearse_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// assembly is a cloud assembly on disk. The rehearsal edits it if the emulator lacks
// something.
type assembly struct {
	folder   string
	original []resource // the templates before anything was left out
}

// resource is one of a template or of a stack.
type resource struct {
	stack, logical, kind string
	physical, status     string         // CloudFormation's physical id; empty in a template
	properties           map[string]any // as the template says
}

// missing says which resources an emulator cannot create, and why.
type missing struct {
	kind string // CloudFormation's resource type
	with string // only those that have this property; empty for all
	why  string
}

func (m missing) covers(one resource) bool {
	_, has := one.properties[m.with]
	return one.kind == m.kind && (m.with == "" || has)
}

// synthesize writes the assembly of environment dev, as `cdk deploy` would.
func synthesize(t *testing.T, ctx context.Context) *assembly {
	t.Helper()
	a := &assembly{folder: filepath.Join(t.TempDir(), "cdk.out")}
	synth := cdkCommand(ctx, os.Environ(), "synth", "--quiet", "--strict", "-c", "env=dev", "-c", "placeholders=allow", "-o", a.folder)
	if output, err := synth.CombinedOutput(); err != nil {
		t.Fatalf("cdk synth: %v\n%s", err, output)
	}
	a.original = a.resources(t)
	return a
}

// order returns the stacks' construct ids, each after those on which the manifest says
// that it depends.
func (a *assembly) order(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(a.folder, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Artifacts map[string]struct {
			Type         string
			Dependencies []string
		}
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	const isStack = "aws:cloudformation:stack"
	var stacks []string
	var add func(id string)
	add = func(id string) {
		artifact := manifest.Artifacts[id]
		if artifact.Type != isStack || slices.Contains(stacks, id) {
			return
		}
		for _, before := range slices.Sorted(slices.Values(artifact.Dependencies)) {
			add(before)
		}
		stacks = append(stacks, id)
	}
	for _, id := range slices.Sorted(maps.Keys(manifest.Artifacts)) {
		add(id)
	}
	return stacks
}

// resources are those of all templates.
func (a *assembly) resources(t *testing.T) []resource {
	t.Helper()
	var all []resource
	for _, stack := range a.order(t) {
		for logical, declared := range a.template(t, stack)["Resources"].(map[string]any) {
			declared := declared.(map[string]any)
			properties, _ := declared["Properties"].(map[string]any)
			all = append(all, resource{stack: stack, logical: logical, kind: declared["Type"].(string), properties: properties})
		}
	}
	return all
}

func (a *assembly) template(t *testing.T, stack string) map[string]any {
	t.Helper()
	var document map[string]any
	text, err := os.ReadFile(filepath.Join(a.folder, stack+".template.json"))
	if err == nil {
		err = json.Unmarshal(text, &document)
	}
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// leaveOut removes the resources that the emulator lacks, and returns them with the
// reason. References to them are replaced by a name or ARN that looks like the real one.
func (a *assembly) leaveOut(t *testing.T, lacks []missing) map[string]string {
	t.Helper()
	left := map[string]string{}
	for _, one := range a.original {
		for _, lack := range lacks {
			if lack.covers(one) {
				left[one.logical] = lack.why
			}
		}
	}
	a.edit(t, func(document map[string]any) any {
		resources := document["Resources"].(map[string]any)
		maps.DeleteFunc(resources, func(logical string, _ any) bool { return left[logical] != "" })
		for _, declared := range resources {
			declared := declared.(map[string]any)
			if after, ok := declared["DependsOn"].([]any); ok {
				declared["DependsOn"] = slices.DeleteFunc(after, func(logical any) bool { return left[logical.(string)] != "" })
			}
		}
		return replace(document, func(intrinsic string, argument any) (string, bool) {
			switch argument := argument.(type) {
			case string:
				return "left-out-" + argument, intrinsic == "Ref" && left[argument] != ""
			case []any:
				logical, _ := argument[0].(string)
				return "arn:aws:lambda:us-east-1:000000000000:function:left-out-" + logical,
					intrinsic == "Fn::GetAtt" && left[logical] != ""
			}
			return "", false
		})
	})
	return left
}

// resolveStackOutputs replaces Fn::GetStackOutput by known outputs.
func (a *assembly) resolveStackOutputs(t *testing.T, outputs map[string]string) {
	t.Helper()
	a.edit(t, func(document map[string]any) any {
		return replace(document, func(intrinsic string, argument any) (string, bool) {
			if intrinsic != "Fn::GetStackOutput" {
				return "", false
			}
			named := argument.(map[string]any)
			value, known := outputs[named["StackName"].(string)+"."+named["OutputName"].(string)]
			return value, known
		})
	})
}

// replace returns the value with some of its intrinsic functions replaced by text.
func replace(value any, by func(intrinsic string, argument any) (string, bool)) any {
	switch value := value.(type) {
	case map[string]any:
		for key, child := range value {
			if text, ok := by(key, child); ok && len(value) == 1 {
				return text
			}
			value[key] = replace(child, by)
		}
	case []any:
		for i, child := range value {
			value[i] = replace(child, by)
		}
	}
	return value
}

// edit changes every template, and the hash by which it is uploaded.
func (a *assembly) edit(t *testing.T, change func(document map[string]any) any) {
	t.Helper()
	for _, stack := range a.order(t) {
		text, err := json.MarshalIndent(change(a.template(t, stack)), "", " ")
		if err != nil {
			t.Fatal(err)
		}
		a.write(t, stack+".template.json", text)
		a.rename(t, a.hash(t, stack, stack+".template.json", "path"), hashOf(text))
	}
}

// changeAsset adds a file to the code that the named construct uploads.
func (a *assembly) changeAsset(t *testing.T, construct string) {
	t.Helper()
	for _, stack := range a.order(t) {
		old := a.hash(t, stack, construct, "displayName")
		if old == "" {
			continue
		}
		changed := hashOf([]byte(old + " changed"))
		if err := os.CopyFS(filepath.Join(a.folder, "asset."+changed), os.DirFS(filepath.Join(a.folder, "asset."+old))); err != nil {
			t.Fatal(err)
		}
		a.write(t, filepath.Join("asset."+changed, "rehearsed"), []byte("another version\n"))
		a.rename(t, old, changed)
		a.edit(t, func(document map[string]any) any { return document })
		return
	}
	t.Fatalf("no stack has an asset %q", construct)
}

// hash returns the key of the asset of a stack with the given path or display name, or ""
// if there is none.
func (a *assembly) hash(t *testing.T, stack, name, by string) string {
	t.Helper()
	var assets struct {
		Files map[string]struct {
			DisplayName string
			Source      struct{ Path string }
		}
	}
	if err := json.Unmarshal(a.read(t, stack+".assets.json"), &assets); err != nil {
		t.Fatal(err)
	}
	for hash, file := range assets.Files {
		if by == "path" && file.Source.Path == name || by == "displayName" && file.DisplayName == name {
			return hash
		}
	}
	return ""
}

// rename replaces one hash by another wherever the assembly names it.
func (a *assembly) rename(t *testing.T, old, changed string) {
	t.Helper()
	paths, _ := filepath.Glob(filepath.Join(a.folder, "*.json")) // the pattern is well formed
	for _, path := range paths {
		name := filepath.Base(path)
		a.write(t, name, bytes.ReplaceAll(a.read(t, name), []byte(old), []byte(changed)))
	}
}

func (a *assembly) read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(a.folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (a *assembly) write(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(a.folder, name), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func hashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
