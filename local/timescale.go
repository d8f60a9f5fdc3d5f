package local

import (
	"encoding/json"
	"math"
	"strings"
)

// integrationMillis is how long API Gateway waits for a function where the
// template does not say.
const integrationMillis = 30_000

// scaled says whether the templates' time-outs are changed.
func (o Options) scaled() bool { return o.TimeScale > 0 && o.TimeScale != 1 }

// scaleIntegration is an integration's time-out in milliseconds.
func (l *Lake) scaleIntegration(millis int) int {
	if !l.options.scaled() {
		return millis
	}
	if millis == 0 {
		millis = integrationMillis
	}
	return int(float64(millis) * l.options.TimeScale)
}

// scaleVisibility is the visibility time-out of a queue in seconds, rounded up: it is
// as much longer than the time-out of who receives from it as in the template.
func (l *Lake) scaleVisibility(seconds *int) *int {
	if seconds == nil || !l.options.scaled() {
		return seconds
	}
	return new(int(math.Ceil(float64(*seconds) * l.options.TimeScale)))
}

// scaleDefinition changes the time-outs of a state machine, which are whole
// seconds: they are rounded up.
func (l *Lake) scaleDefinition(definition string) (string, error) {
	if !l.options.scaled() || definition == "" {
		return definition, nil
	}
	decoder := json.NewDecoder(strings.NewReader(definition))
	decoder.UseNumber()
	var machine map[string]any
	if err := decoder.Decode(&machine); err != nil {
		return "", err
	}
	l.scaleSeconds(machine)
	states, _ := machine["States"].(map[string]any)
	for _, state := range states {
		if members, is := state.(map[string]any); is {
			l.scaleSeconds(members)
		}
	}
	text, err := json.Marshal(machine)
	return string(text), err
}

func (l *Lake) scaleSeconds(members map[string]any) {
	number, is := members["TimeoutSeconds"].(json.Number)
	if !is {
		return
	}
	if seconds, err := number.Float64(); err == nil {
		members["TimeoutSeconds"] = int(math.Ceil(seconds * l.options.TimeScale))
	}
}
