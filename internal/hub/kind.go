package hub

import (
	"regexp"
	"strconv"
	"strings"

	"hl7lake/internal/contract"
)

// Kind says what a body is, as protocol and format: the attributes `protocol` and
// `format` of its event, and part of its key in the lake. It is checked by its shape and
// not by a list, so that the lake accepts kinds that none of its code knows.
type Kind string

// The kinds that the lake's own code reads or makes. Others are known only to those who
// publish and subscribe to them.
const (
	ER7  Kind = contract.ProtocolHL7v2 + "/" + contract.FormatER7 // a message as engines send it
	JSON Kind = contract.ProtocolHL7v2 + "/json"                  // what the connector StagingER7 makes of it
)

// KindOf returns the kind of a protocol and a format, which need not be valid.
func KindOf(protocol, format string) Kind { return Kind(protocol + "/" + format) }

// Protocol returns the part before the slash, such as hl7v2.
func (k Kind) Protocol() string {
	protocol, _, _ := strings.Cut(string(k), "/")
	return protocol
}

// Format returns the part after the slash, such as er7. It is the extension of the object
// in the lake.
func (k Kind) Format() string {
	_, format, _ := strings.Cut(string(k), "/")
	return format
}

// Valid reports whether protocol and format have the required shape: up to 32 small
// letters, digits, dots and dashes each, beginning with a letter or digit.
func (k Kind) Valid() bool { return validName(k.Protocol()) && validName(k.Format()) }

// MediaType returns the Content-Type of a body of the kind.
func (k Kind) MediaType() string {
	switch {
	case k == ER7:
		return "application/hl7-v2"
	case k.Format() == "json":
		return "application/json"
	case k.Format() == "xml":
		return "application/xml"
	case k.Format() == "csv":
		return "text/csv"
	default:
		return "application/octet-stream"
	}
}

// Connector says who made a derived event, and in which version. Its attribute is
// `connector`, such as `staging-er7/2`.
type Connector struct {
	Name string // shaped like a protocol: see [Kind.Valid]
	// Version is above zero. Raise it when the connector's result for an unchanged event
	// changes. It is part of the derived id, so new results are stored beside the old
	// ones and never over them.
	Version int
}

// String returns the connector in the form of its attribute.
func (c Connector) String() string { return c.Name + "/" + strconv.Itoa(c.Version) }

// Valid reports whether the name has its shape and the version is above zero.
func (c Connector) Valid() bool { return validName(c.Name) && c.Version > 0 && c.Version <= maxVersion }

// maxVersion is the largest version, of nine digits.
const maxVersion = 999_999_999

// parseConnector reads the attribute. It returns the zero value for any other text.
func parseConnector(text string) Connector {
	name, version, _ := strings.Cut(text, "/")
	number, _ := strconv.Atoi(version)
	if c := (Connector{Name: name, Version: number}); c.Valid() && c.String() == text {
		return c
	}
	return Connector{}
}

// ValidConnectorName reports whether a connector can have the name.
func ValidConnectorName(name string) bool { return validName(name) }

func validName(name string) bool { return namePattern.MatchString(name) }

var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,31}$`)
