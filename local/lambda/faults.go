package lambda

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"hl7lake/local/fault"
	"hl7lake/local/wire"
)

// Process returns the process that works under a trace's id, which the AWS SDK sends with
// each call from inside a function (X-Amzn-Trace-Id). It reports false if that process
// has answered meanwhile, or is gone.
func (s *Service) Process(trace string) (fault.Process, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, i := range s.instances {
		if event := i.working(trace); event != nil {
			return fault.Process{
				Function: i.function.FunctionName, Run: event.traceID, Payload: event.payload,
				Kill: func() { i.kill(); <-i.exited },
			}, true
		}
	}
	return fault.Process{}, false
}

// working returns the event with the trace's id that the process works on, or nil.
func (i *instance) working(trace string) *invocation {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, event := range i.inFlight {
		if strings.Contains(trace, event.traceID) {
			return event
		}
	}
	return nil
}

// deliver runs the function on the event, unless a fault strikes.
func (s *Service) deliver(ctx context.Context, f *function, d delivery) (result, error) {
	faults := s.config.Faults
	struck := faults.At(fault.Point{Function: f.FunctionName, Call: d.kind, Attempt: 1, Payload: d.payload})
	switch struck.Kind {
	case fault.Fail:
		return result{}, serviceException()
	case fault.Throttle:
		return result{}, throttled()
	case fault.Lose:
		_, err := s.run(ctx, f, d)
		return result{}, errOr(err, serviceException())
	case fault.Late:
		faults.Wait(struck.Delay)
		return s.run(context.WithoutCancel(ctx), f, d)
	case fault.Stall:
		r, err := s.run(ctx, f, d)
		faults.Wait(struck.Delay)
		return r, err
	case fault.Repeat:
		return s.runTwice(ctx, f, d)
	case fault.KillBefore, fault.KillAfter:
		return s.runKilled(ctx, f, d, struck.Kind)
	default:
		return s.run(ctx, f, d)
	}
}

// runTwice runs the function twice at once, as an at-least-once delivery may, and returns
// the last answer.
func (s *Service) runTwice(ctx context.Context, f *function, d delivery) (r result, err error) {
	type outcome struct {
		result
		err error
	}
	outcomes := make(chan outcome, 2)
	for range 2 {
		s.work.Go(func() {
			r, err := s.run(ctx, f, d)
			outcomes <- outcome{r, err}
		})
	}
	<-outcomes
	last := <-outcomes
	return last.result, last.err
}

// runKilled kills the function's process, either before it sees the event or after it has
// answered.
func (s *Service) runKilled(ctx context.Context, f *function, d delivery, kind fault.Kind) (result, error) {
	i, err := s.acquire(ctx, f)
	if err != nil {
		return result{}, err
	}
	if kind == fault.KillAfter {
		i.handle(s.ctx, d, s.limit(f))
	}
	i.kill()
	<-i.exited
	f.pool.release(i, false)
	return failure("Runtime.ExitError", fmt.Sprintf("RequestId: %s Error: Runtime exited with error: %s", d.requestID, i.process.ProcessState)), nil
}

func serviceException() error {
	return &wire.Error{Status: http.StatusInternalServerError, Code: "ServiceException", Message: "a fault of the test's plan"}
}

func errOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
