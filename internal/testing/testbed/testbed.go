// Package testbed holds what only a test may ask of a local lake.
package testbed

import "hl7lake/local/fault"

// Options change how a lake runs. The zero value changes nothing.
type Options struct {
	// Overlay is a file for `go build -overlay`: the functions are built with the files
	// that it puts in place of others, as they may be in time to come. Empty: as they
	// are.
	Overlay string
	// Faults say what goes wrong on purpose. nil: nothing.
	Faults fault.Plan
	// TimeScale multiplies the time-outs of the templates: of functions, of the workflow
	// and its tasks, of the API's integrations, of queues that say one. 0 stands for 1.
	// It lets a test wait for a time-out in a fraction of the time. What a function keeps
	// back of its time for itself is in its own code and is not scaled, so a scale that
	// leaves a function little more than that changes what it does.
	TimeScale float64
}
