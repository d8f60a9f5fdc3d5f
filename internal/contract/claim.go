package contract

// The user pool's own attributes, each of which names one institution: which messages a
// user may read, for whom the user sends, and on whose messages the user operates. In a
// user's ID token, and in an administrator's calls, their names begin with ClaimPrefix. The identity pool makes
// session tags of those to read
// (docs/decisions/0012-several-institutions-for-one-person.md).
const (
	AttributeRead    = "read"
	AttributeRead2   = "read2"
	AttributeRead3   = "read3"
	AttributeRead4   = "read4"
	AttributeWrite   = "write"
	AttributeOperate = "operate"
	ClaimPrefix      = "custom:"
)
