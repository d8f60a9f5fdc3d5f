// Package contract has the names that a template and a program share, each of them once.
// stacks writes them into the templates; the functions, the clients and package local
// look for them there. It has constants only and imports nothing, so every layer may
// import it.
package contract

// PackageMetadata is the key in a function's CloudFormation metadata that holds its Go
// package, relative to the module root. It tells a program that has only the template
// what to build.
const PackageMetadata = "hl7lake:package"

// The zones of the lake, each the first folder of its keys. Nothing is outside them.
const (
	ZoneIngestion = "ingestion" // what senders posted, byte for byte
	ZoneStaging   = "staging"   // what connectors made of it
	ZoneError     = "error"     // what a connector could not process, as it was sent
)

// ConnectorER7 is the name of the connector StagingER7, which makes JSON from ER7. The
// API calls its results a message's JSON, and derives the message's status from them.
const ConnectorER7 = "staging-er7"

// ConnectorFinder is the name of the connector that finds messages by their identifiers.
// It publishes nothing.
const ConnectorFinder = "finder"

// The events of the hub, the values of the attribute `event`.
const (
	EventIngested  = "ingested"  // a sender's message was accepted
	EventStaged    = "staged"    // a connector made something of it
	EventError     = "error"     // a connector could not process it
	EventForgotten = "forgotten" // its content was deleted on purpose, and whoever keeps something of it must delete that
)

// ProtocolHL7v2 and FormatER7 say that the body of an event is a message as engines send
// it.
const (
	ProtocolHL7v2 = "hl7v2"
	FormatER7     = "er7"
)

// The secondary indexes of the tables.
const (
	IndexByOwner   = "by-owner"  // of the catalog: one institution's errors, by the time of acceptance
	IndexUnsettled = "unsettled" // of the received table: claims whose message is not known to have ended
)

// The folders of the tables' bucket that hold no table.
const (
	TablesManifests = "manifests"   // the messages that the tables of an hour were made from
	TablesCursors   = "cursors"     // up to which hour an institution's tables are complete
	TablesDeid      = "tables_deid" // the folders of the de-identified twin's tables
)
