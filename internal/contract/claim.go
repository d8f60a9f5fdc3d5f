package contract

// The user pool's own attributes, each of which names one institution: what a user may read, and what the user sends for. In
// a user's ID token, and where an administrator names them, ClaimPrefix stands before them; the identity pool makes tags of a
// session of those to read (docs/decisions/0012-several-institutions-for-one-person.md).
const (
	AttributeRead  = "read"
	AttributeRead2 = "read2"
	AttributeRead3 = "read3"
	AttributeRead4 = "read4"
	AttributeWrite = "write"
	ClaimPrefix    = "custom:"
)
