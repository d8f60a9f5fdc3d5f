// Package hl7 reads and writes HL7 version 2 messages in ER7, the "pipe and hat"
// encoding (HL7 v2.5.1, chapter 2).
//
// A [Message] is bytes and an index of where its delimiters are. Parsing builds
// nothing else: a path such as PID-5.1 is looked up in the index when it is asked
// for, JSON is written straight from it, and [Message.Encode] gives back exactly
// the bytes that came in.
//
//	var m hl7.Message                  // reusable; a parse in the loop allocates nothing
//	if err := m.Parse(data); err != nil { … }
//	m.Get("PID-5.1")                   // the family name, escapes decoded
//	m.AppendJSON(nil, hl7.JSON{})      // one line, HL7's own numbers as keys
//
// The parser takes what senders send: any of the line ends, byte order marks, MLLP
// frames, odd delimiters, segments nobody has heard of. It refuses only what has no
// readable header, and says where. Departures from the standard are the business of
// the validator in the package dictionary, not of the parser.
//
// Files, batches and streams hold several messages: a [Reader] takes them apart.
//
// On amd64 and arm64 the index is built by vector instructions, in assembly; the build tag
// purego leaves that out, and parsing takes about twice as long.
package hl7
