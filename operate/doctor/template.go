package doctor

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// manifest is what an assembly's manifest says about a deployment.
type manifest struct {
	stacks    []string // their names, in order
	bootstrap int      // the lowest version of the bootstrap stack
	parameter string   // the parameter that holds that stack's version
}

// readManifest reads the manifest in the folder. If it says nothing about the bootstrap
// stack, the defaults of the CDK's DefaultStackSynthesizer apply: version 6 and the
// qualifier hnb659fds (CDK guide, "Customize CDK bootstrapping").
func readManifest(folder string) (manifest, error) {
	text, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil {
		return manifest{}, err
	}
	var read struct {
		Artifacts map[string]struct {
			Type       string
			Properties struct {
				Stack     string `json:"stackName"`
				Least     int    `json:"requiresBootstrapStackVersion"`
				Parameter string `json:"bootstrapStackVersionSsmParameter"`
			}
		}
	}
	if err := json.Unmarshal(text, &read); err != nil {
		return manifest{}, fmt.Errorf("read the assembly's manifest: %w", err)
	}
	m := manifest{bootstrap: 6, parameter: "/cdk-bootstrap/hnb659fds/version"}
	for _, artifact := range read.Artifacts {
		m.bootstrap = max(m.bootstrap, artifact.Properties.Least)
		if artifact.Properties.Parameter != "" {
			m.parameter = artifact.Properties.Parameter
		}
		if artifact.Type == "aws:cloudformation:stack" && artifact.Properties.Stack != "" {
			m.stacks = append(m.stacks, artifact.Properties.Stack)
		}
	}
	slices.Sort(m.stacks)
	return m, nil
}

// templates returns the text of each template in the folder, by name.
func templates(folder string) (map[string][]byte, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.template.json"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no template in %s: go test ./test -update writes them", folder)
	}
	texts := map[string][]byte{}
	for _, file := range files {
		if texts[filepath.Base(file)], err = os.ReadFile(file); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// reservations returns the concurrency that the templates reserve in all.
func reservations(folder string) (sum int, err error) {
	texts, err := templates(folder)
	if err != nil {
		return 0, err
	}
	for name, text := range texts {
		var template struct {
			Resources map[string]struct {
				Properties struct{ ReservedConcurrentExecutions json.RawMessage }
			}
		}
		if err := json.Unmarshal(text, &template); err != nil {
			return 0, fmt.Errorf("read %s: %w", name, err)
		}
		for id, resource := range template.Resources {
			if resource.Properties.ReservedConcurrentExecutions == nil {
				continue
			}
			var n int
			if err := json.Unmarshal(resource.Properties.ReservedConcurrentExecutions, &n); err != nil {
				return 0, fmt.Errorf("%s: the reserved concurrency of %s is not a plain number", name, id)
			}
			sum += n
		}
	}
	return sum, nil
}

// examples returns the addresses in the templates whose host is an example (RFC 2606, 3),
// each once, in order.
func examples(folder string) ([]string, error) {
	texts, err := templates(folder)
	if err != nil {
		return nil, err
	}
	address := regexp.MustCompile(`(?i)[a-z0-9.@:/_%+-]*\bexample\.(com|net|org)\b`)
	found := map[string]bool{}
	for _, text := range texts {
		for _, match := range address.FindAll(text, -1) {
			found[string(match)] = true
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}
