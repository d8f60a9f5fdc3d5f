// Package fault makes things go wrong in the local lake on purpose. A call of a function,
// or a delivery to a function, fails before or after it took effect, is throttled, comes
// late or twice, or takes the function's process with it. A Plan decides what goes wrong
// where. The gateway, the topics and the functions' service ask an Injector at each
// Point. Without a plan there is no injector, and nothing is asked.
package fault

import (
	"context"
	"sync"
	"time"
)

// Kind is a way in which something goes wrong.
type Kind string

// The kinds of faults. "Takes effect" means that the service did what it was
// asked for, or that the function ran.
const (
	None       Kind = ""            // nothing goes wrong
	Fail       Kind = "fail"        // refused with a 5xx, takes no effect
	Throttle   Kind = "throttle"    // throttled in the service's own words, takes no effect
	Lose       Kind = "lose"        // takes effect; the answer is lost
	Late       Kind = "late"        // takes effect after Delay, even if the caller has gone
	Stall      Kind = "stall"       // takes effect at once, is answered after Delay
	Repeat     Kind = "repeat"      // takes effect twice
	KillBefore Kind = "kill-before" // the function's process is killed, it takes no effect
	KillAfter  Kind = "kill-after"  // it takes effect, and the function's process is killed before it gets the answer
)

// Kinds are all kinds but None.
func Kinds() []Kind {
	return []Kind{Fail, Throttle, Lose, Late, Stall, Repeat, KillBefore, KillAfter}
}

// Fault is what goes wrong at a point.
type Fault struct {
	Kind  Kind
	Delay time.Duration // of Late and Stall; it must be longer than a time-out to exceed it
}

// Deliveries, as the Call of a Point. Calls are written as in a policy's action:
// dynamodb:PutItem.
const (
	Notification = "sns:Notification" // a topic hands a message to a function
	Event        = "lambda:Event"     // Lambda hands a function an asynchronous event
	Invocation   = "lambda:Invoke"    // the API or a workflow invokes a function and waits
)

// Point is where a fault can strike: a call that a function makes, or a delivery
// to a function.
type Point struct {
	Function string // name of the function that calls or is delivered to
	Call     string // the action, or one of the deliveries
	Run      string // for a call: the run of the function that makes it, each on one event; empty for a delivery
	CallID   string // the SDK's id of a call, the same for all its attempts; empty for a delivery
	Attempt  int    // which of the SDK's attempts at the call this is, or SNS's at the delivery; 1 is the first
	Payload  []byte // what the function works on: the event it was, or will be, invoked with
}

// Plan says what goes wrong at a point. It is called each time that a point is reached,
// from several goroutines at once.
type Plan func(Point) Fault

// Injector performs a plan. Close ends it. A nil one does nothing.
type Injector struct {
	plan   Plan
	ctx    context.Context
	cancel context.CancelFunc
	calls  sync.WaitGroup // that a fault has in hand
}

// NewInjector returns an injector, or nil if there is no plan.
func NewInjector(plan Plan) *Injector {
	if plan == nil {
		return nil
	}
	i := &Injector{plan: plan}
	i.ctx, i.cancel = context.WithCancel(context.Background())
	return i
}

// At returns what goes wrong at a point that is reached now.
func (i *Injector) At(p Point) Fault {
	if i == nil {
		return Fault{}
	}
	return i.plan(p)
}

// Wait waits for d, or until the injector is closed.
func (i *Injector) Wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-i.ctx.Done():
	}
}

// Close ends every wait and returns when no fault is under way.
func (i *Injector) Close() {
	if i == nil {
		return
	}
	i.cancel()
	i.calls.Wait()
}
