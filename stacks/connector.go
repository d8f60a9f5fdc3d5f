package stacks

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
)

// Connector is a stack that hears of events on the hub and publishes what it makes of
// them. It uses Core and nothing of any other stack, so that it comes, changes and goes
// without a change elsewhere. docs/connector.md shows how one is made.
type Connector struct {
	awscdk.Stack
	core Core
}

// ConnectorProps is what a connector needs.
type ConnectorProps struct {
	// Core is whose hub is listened to and published on.
	Core Core
	// Name is the connector's, as its events have it (see package hub). The stack's name
	// ends in it.
	Name string
	// Description says what the connector does, in a few words that follow "hl7lake: ".
	Description string
}

// NewConnector makes the stack of a connector. Its functions are made with
// [Connector.NewFunction].
func NewConnector(scope constructs.Construct, id string, props ConnectorProps) Connector {
	stack := awscdk.NewStack(scope, &id, props.Core.Foundation.stackProps(props.Name, "hl7lake: "+props.Description))
	return Connector{Stack: stack, core: props.Core}
}

// NewFunction makes a function of the connector, with a log group, a role and alarms of
// its own. It may write its log; what else it may do, [Connector.Subscribe] and
// [Connector.LetPublish] say. The id is the name of the program's folder, in any case of
// letters. The alarms are named by it, so that no two functions of an environment have
// the same.
func (c Connector) NewFunction(id string, props FunctionProps) Function {
	return newFunction(c.Stack, id, c.core.Foundation, props)
}

// Events says which events a function hears of: those that have, for each field that is
// not empty, one of its values.
type Events struct {
	// Names are what happened: contract.EventIngested and its like. There is at least
	// one, or a connector would hear of what it publishes itself, and make something of
	// that in turn, without an end.
	Names []string
	// Protocols and Formats are of the body.
	Protocols, Formats []string
	// Connectors are the names of those who made the event, in any version.
	Connectors []string
	// TypePrefixes are how the message's type begins, such as ADT^.
	TypePrefixes []string
}

// filter is the policy by which SNS knows the events.
func (e Events) filter() map[string]awssns.SubscriptionFilter {
	if len(e.Names) == 0 {
		panic(fmt.Sprintf("events without a name: %+v", e)) // a mistake in the caller's code
	}
	policy := map[string]awssns.SubscriptionFilter{}
	for attribute, values := range map[string][]string{"event": e.Names, "protocol": e.Protocols, "format": e.Formats} {
		if len(values) > 0 {
			policy[attribute] = awssns.SubscriptionFilter_StringFilter(&awssns.StringConditions{Allowlist: texts(values...)})
		}
	}
	var versions []string
	for _, name := range e.Connectors {
		versions = append(versions, name+"/")
	}
	for attribute, prefixes := range map[string][]string{"connector": versions, "type": e.TypePrefixes} {
		if len(prefixes) > 0 {
			policy[attribute] = awssns.SubscriptionFilter_StringFilter(&awssns.StringConditions{MatchPrefixes: texts(prefixes...)})
		}
	}
	return policy
}

// Subscribe lets the function hear of the events and read what they carry. What SNS
// cannot hand over waits in the queue undelivered, and what the function fails on in a
// second one, each with an alarm; `lake redrive` empties both.
func (c Connector) Subscribe(fn Function, events Events) (undelivered awssqs.Queue) {
	c.core.LetRedeem(fn)
	return fn.subscribe(c.core.Hub, events.filter())
}

// LetPublish lets the function publish events.
func (c Connector) LetPublish(fn Function) { c.core.LetPublish(fn) }
