package main

import (
	"time"

	"github.com/spf13/cobra"
)

// waitFlag adds --wait, whose duration is optional.
func waitFlag(cmd *cobra.Command, wait *time.Duration, what string) {
	cmd.Flags().DurationVar(wait, "wait", 0, what)
	cmd.Flags().Lookup("wait").NoOptDefVal = "30s"
}

// joinWait makes --wait 3s one argument. If a flag's value is optional, only a value
// joined to it by = is taken.
func joinWait(arguments []string) []string {
	var joined []string
	for i := 0; i < len(arguments); i++ {
		if arguments[i] == "--" {
			return append(joined, arguments[i:]...)
		}
		if arguments[i] == "--wait" && i+1 < len(arguments) {
			if _, err := time.ParseDuration(arguments[i+1]); err == nil {
				joined = append(joined, "--wait="+arguments[i+1])
				i++
				continue
			}
		}
		joined = append(joined, arguments[i])
	}
	return joined
}
