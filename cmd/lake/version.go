package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "What this program was built from",
		Long: `version tells the module's version, the commit that the program was built from,
whether there were changes that are in no commit, and Go's version.
` + exitCodes,
		Example: `  lake version
  lake version --json | jq -r .commit`,
		Args: exactly(0, "nothing"),
		RunE: func(*cobra.Command, []string) error {
			if p.json {
				return p.object(buildOf())
			}
			_, err := fmt.Fprintln(p.out, "lake", version())
			return err
		},
	}
}

// A build is what the program was built from. Unknown parts are empty.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Changed bool   `json:"changed"` // there were uncommitted changes
	Go      string `json:"go"`
}

func buildOf() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return build{}
	}
	of := build{Version: info.Main.Version, Go: info.GoVersion}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			of.Commit = setting.Value
		case "vcs.modified":
			of.Changed = setting.Value == "true"
		}
	}
	return of
}

// version returns what the program was built from: its module's version, the commit and
// Go's version.
func version() string {
	of := buildOf()
	if of.Version == "" {
		return "of no known version"
	}
	text := of.Version
	if of.Commit != "" {
		text += " " + of.Commit[:min(len(of.Commit), 12)]
	}
	if of.Changed {
		text += " with changes"
	}
	return text + " (" + of.Go + ")"
}
