// Package staginger7 names the connector StagingER7, for its functions: whatever each of
// them publishes is the connector's.
package staginger7

import (
	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
)

// Version is the connector's version, and that of its JSON. Raise it when the JSON of an
// unchanged message changes.
const Version = 2

// Connector returns the connector as its events name it.
func Connector() hub.Connector { return hub.Connector{Name: contract.ConnectorER7, Version: Version} }
