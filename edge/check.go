package edge

import (
	"errors"
	"fmt"
	"log/slog"

	"hl7lake/edge/config"
	"hl7lake/edge/queue"
)

// Check opens the files that a configuration names and reads its secrets. It returns
// everything that is wrong, joined. It opens no port, does not call the lake, and does
// not touch the queue, which a running edge may use.
func Check(c config.Config, getenv func(string) string) error {
	_, err := queue.ReadKey(c.KeyFile)
	errs := []error{err}
	for _, l := range c.Listeners {
		if _, err := NewTarget(c, l, getenv); err != nil {
			errs = append(errs, fmt.Errorf("listener %s: %w", l.Name, err))
		}
		if l.TLS == nil {
			continue
		}
		if _, err := newTLS(*l.TLS, slog.New(slog.DiscardHandler)); err != nil {
			errs = append(errs, fmt.Errorf("listener %s: %w", l.Name, err))
		}
	}
	return errors.Join(errs...)
}
