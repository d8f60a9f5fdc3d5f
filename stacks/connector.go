package stacks

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
)

// Connector is a stack that receives events from the hub and publishes what it makes of
// them. It uses Core and nothing of any other stack, so it can be added, changed and
// removed without a change elsewhere. docs/connector.md shows how to make one.
type Connector struct {
	awscdk.Stack
	core Core
}

// ConnectorProps is what a connector needs.
type ConnectorProps struct {
	// Core is the stack whose hub is used.
	Core Core
	// Name is the connector's name in its events (see package hub). The stack's name ends
	// with it.
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

// NewFunction makes a function of the connector, with its own log group, role and alarms.
// It may write its log. [Connector.Subscribe] and [Connector.LetPublish] give it further
// permissions. The id is the name of the program's folder, in any case. The alarms are
// named after it, so that no two functions of an environment have the same.
func (c Connector) NewFunction(id string, props FunctionProps) Function {
	return newFunction(c.Stack, id, c.core.Foundation, props)
}

// Events says which events a function receives: those that have, for each field that is
// not empty, one of its values.
type Events struct {
	// Names are what happened: contract.EventIngested and the like. There must be at
	// least one. Otherwise a connector would receive what it publishes itself, and
	// process that again, without an end.
	Names []string
	// Protocols and Formats are of the body.
	Protocols, Formats []string
	// Connectors are the names of the connectors that made the event, in any version.
	Connectors []string
	// TypePrefixes are beginnings of the message's type, such as ADT^.
	TypePrefixes []string
}

// filter returns the filter policy that selects the events in SNS.
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

// Subscribe lets the function receive the events and read their content. What SNS cannot
// deliver waits in one queue, and what the function fails on in another, each with an
// alarm. `lake redrive` empties both.
func (c Connector) Subscribe(fn Function, events Events) (undelivered awssqs.Queue) {
	c.core.LetRedeem(fn)
	return fn.subscribe(c.core.Hub, events.filter())
}

// LetPublish lets the function publish events.
func (c Connector) LetPublish(fn Function) { c.core.LetPublish(fn) }
