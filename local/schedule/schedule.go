// Package schedule runs the EventBridge rules of the templates that fire at a fixed rate.
// Each sends its targets, which are functions, a scheduled event. The first comes one
// period after the start, as on AWS after the rule was made.
//
// It refuses a rule that matches events, a rule with a cron expression, and a target that
// transforms its input.
package schedule

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"hl7lake/local/wire"
)

// Rule has the properties of AWS::Events::Rule that are run here.
type Rule struct {
	Name               string // in the ARN
	ScheduleExpression string // rate(15 minutes)
	State              string // ENABLED, which is the default, or DISABLED
	Targets            []Target
}

// Target is a function that the rule invokes.
type Target struct {
	Arn   string
	Id    string // in the template only
	Input string // JSON; empty is the scheduled event itself
}

// UnmarshalJSON refuses the properties that are neither run nor ignored by name.
func (r *Rule) UnmarshalJSON(text []byte) error {
	type properties Rule
	return wire.Properties(text, (*properties)(r), r.Ignored())
}

// Ignored are the properties that are not run here, and why not.
func (*Rule) Ignored() wire.Ignored {
	return wire.Ignored{
		"Description": "it is for people who read the template",
	}
}

// Invoke gives a function an asynchronous event, for the caller in ctx.
type Invoke func(ctx context.Context, functionARN string, payload []byte) error

// Service fires rules from Start until Close.
type Service struct {
	invoke Invoke
	log    *slog.Logger
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
	rules  []rule
}

// rule is a Rule made ready.
type rule struct {
	arn     string
	period  time.Duration
	targets []Target
}

// New returns a service without rules. It logs what could not be sent to a target.
func New(invoke Invoke, log *slog.Logger) *Service {
	s := &Service{invoke: invoke, log: log}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Add makes a rule known by its ARN. It must be called before Start.
func (s *Service) Add(arn string, r Rule) error {
	period, err := rate(r.ScheduleExpression)
	if err != nil {
		return err
	}
	switch r.State {
	case "", "ENABLED":
		s.rules = append(s.rules, rule{arn, period, r.Targets})
	case "DISABLED":
	default:
		return wire.UnsupportedProperty("State", r.State)
	}
	return nil
}

// rateExpression is the form of a rate
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html).
var rateExpression = regexp.MustCompile(`^rate\(([1-9]\d{0,5}) (minute|hour|day)(s?)\)$`)

// rate returns the period of a rate expression, in which the unit is singular for 1 only.
func rate(expression string) (time.Duration, error) {
	words := rateExpression.FindStringSubmatch(expression)
	if words == nil || (words[1] == "1") != (words[3] == "") {
		return 0, wire.UnsupportedProperty("ScheduleExpression", expression)
	}
	n, err := strconv.Atoi(words[1])
	if err != nil {
		return 0, fmt.Errorf("property ScheduleExpression: %w", err)
	}
	units := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}
	return time.Duration(n) * units[words[2]], nil
}

// Start fires each rule whenever its period is over.
func (s *Service) Start() {
	for _, r := range s.rules {
		s.work.Go(func() {
			ticker := time.NewTicker(r.period)
			defer ticker.Stop()
			for {
				select {
				case <-s.ctx.Done():
					return
				case at := <-ticker.C:
					s.fire(r, at)
				}
			}
		})
	}
}

// Close ends all rules and returns when none is firing.
func (s *Service) Close() {
	s.cancel()
	s.work.Wait()
}

func (s *Service) fire(r rule, at time.Time) {
	event, err := json.Marshal(map[string]any{
		"version": "0", "id": uuid.NewString(), "detail-type": "Scheduled Event", "source": "aws.events",
		"account": wire.Account, "time": at.UTC().Format(time.RFC3339), "region": wire.Region,
		"resources": []string{r.arn}, "detail": map[string]any{},
	})
	if err != nil {
		s.log.Error("no scheduled event", "rule", r.arn, "error", err)
		return
	}
	ctx := wire.WithSource(s.ctx, "events.amazonaws.com", r.arn)
	for _, target := range r.targets {
		payload := event
		if target.Input != "" {
			payload = []byte(target.Input)
		}
		if err := s.invoke(ctx, target.Arn, payload); err != nil && s.ctx.Err() == nil {
			s.log.Error("scheduled event not sent", "rule", r.arn, "target", target.Arn, "error", err)
		}
	}
}
