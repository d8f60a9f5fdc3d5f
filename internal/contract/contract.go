// Package contract has the names that a template and a program share, each of them once: stacks writes them into the
// templates, and the functions, the clients and package local look for them there. It is constants only and imports nothing,
// so that every layer may import it.
package contract

// PackageMetadata is the key in a function's CloudFormation metadata under which its Go package stands, relative to the
// module root. It tells whoever holds only the template what to build.
const PackageMetadata = "hl7lake:package"

// The zones of the lake, each the first folder of its keys; there is nothing outside of them.
const (
	ZoneIngestion = "ingestion" // what senders posted, byte for byte
	ZoneStaging   = "staging"   // what connectors made of it
	ZoneError     = "error"     // what a connector could make nothing of, as it came
)

// ConnectorER7 is the name of the connector StagingER7, which makes JSON of ER7: the one whose results the API calls a message's
// JSON and its status.
const ConnectorER7 = "staging-er7"

// The events of the hub, the values of the attribute `event`.
const (
	EventIngested = "ingested" // a sender's message was accepted
	EventStaged   = "staged"   // a connector made something of it
	EventError    = "error"    // a connector could make nothing of it
)

// ProtocolHL7v2 and FormatER7 say of an event that its body is a message as engines send it.
const (
	ProtocolHL7v2 = "hl7v2"
	FormatER7     = "er7"
)

// The secondary indexes of the tables.
const (
	IndexByOwner   = "by-owner"  // of the catalog: one institution's errors, by the time of acceptance
	IndexUnsettled = "unsettled" // of the received table: claims whose message nobody has seen at the end of its way yet
)

// The folders of the tables' bucket that hold no table.
const (
	TablesManifests = "manifests" // of which messages the tables of an hour are made
	TablesCursors   = "cursors"   // up to which hour an institution's tables are complete
)
