// Package hl7 reads and writes HL7 version 2 messages in ER7, the "pipe and hat"
// encoding (HL7 v2.5.1, chapter 2).
//
// A [Message] is bytes and an index of its delimiters. Parsing builds nothing else. A
// path such as PID-5.1 is looked up in the index when it is asked for, JSON is written
// directly from it, and [Message.Encode] returns exactly the bytes that came in.
//
//	var m hl7.Message                  // reusable; a parse in the loop allocates nothing
//	if err := m.Parse(data); err != nil { … }
//	m.Get("PID-5.1")                   // the family name, escapes decoded
//	m.AppendJSON(nil, hl7.JSON{})      // one line, HL7's own numbers as keys
//
// The parser accepts what senders send: any line ends, byte order marks, MLLP frames,
// unusual delimiters, unknown segments. It refuses only an input without a readable
// header, and says where the fault is. The validator in the package dictionary checks
// whether a message departs from the standard; the parser does not.
//
// Files, batches and streams hold several messages. A [Reader] splits them.
//
// On amd64 and arm64 the index is built by vector instructions, in assembly; the build
// tag purego leaves that out, and parsing takes about twice as long.
package hl7
