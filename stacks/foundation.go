package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
)

// Foundation is what every construct of an environment needs, whichever stack it is in.
// Core makes it.
type Foundation struct {
	Environment
	// Keys encrypt what is stored, with one key for each class of data.
	Keys Keys
	// Alarms is the topic that notifies people of alarms.
	Alarms awssns.Topic
}
