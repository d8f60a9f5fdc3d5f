package wire

import "net/http"

// Dialect is how a service speaks, for those that answer in its place: the gateway, which
// finds the caller, the policies, which deny a call, and the faults of a test. Speaks
// makes one.
type Dialect struct {
	Service string // its name in a signature's scope and in actions: dynamodb
	// Operation names what a request asks for, as in an action without the service. It
	// may read the form.
	Operation func(r *http.Request) string

	Denied     Code // no policy grants the call
	UnknownKey Code // nobody has the access key
	WrongToken Code // the session token does not belong to the access key
	Expired    Code // the session has ended
	Failed     Code // the service failed
	Throttled  Code // it was asked for too much
}

// Code is an error of a service: its HTTP status and AWS's name for it.
type Code struct {
	Status int
	Name   string
}

// Error returns the refusal with that code.
func (c Code) Error(message string) *Error {
	return &Error{Status: c.Status, Code: c.Name, Message: message}
}

// Speaks returns the dialect of a service that has the common errors of the JSON protocol
// (the Common Errors of each API reference). For a service that differs, the result is
// changed.
func Speaks(service string) Dialect {
	return Dialect{
		Service: service, Operation: ActionOf,
		Denied:     Code{http.StatusBadRequest, "AccessDeniedException"},
		UnknownKey: Code{http.StatusForbidden, "UnrecognizedClientException"},
		WrongToken: Code{http.StatusForbidden, "UnrecognizedClientException"},
		Expired:    Code{http.StatusForbidden, "ExpiredTokenException"},
		Failed:     Code{http.StatusInternalServerError, "InternalError"},
		Throttled:  Code{http.StatusBadRequest, "ThrottlingException"},
	}
}

// SpeaksQuery is Speaks with the Query protocol's names for faults of a signer. SQS kept
// them when it changed to JSON.
func SpeaksQuery(service string) Dialect {
	d := Speaks(service)
	d.UnknownKey.Name, d.WrongToken.Name, d.Expired.Name = "InvalidClientTokenId", "InvalidClientTokenId", "ExpiredToken"
	return d
}
