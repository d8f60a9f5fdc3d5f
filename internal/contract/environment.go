package contract

// The environment variables of the functions. stacks says which function has which, and
// with what value.
const (
	EnvName               = "ENVIRONMENT" // the deployment, a dimension of the metrics
	EnvHubTopicARN        = "HUB_TOPIC_ARN"
	EnvClaimCheckBucket   = "CLAIM_CHECK_BUCKET"
	EnvLakeBucket         = "LAKE_BUCKET"
	EnvCatalogTable       = "CATALOG_TABLE"
	EnvReceivedTable      = "RECEIVED_TABLE"
	EnvReceivedWindowDays = "RECEIVED_WINDOW_DAYS" // for how many days a second copy of a message is refused
	EnvOwnerPerSecond     = "OWNER_PER_SECOND"     // how many messages an institution may post or have staged, on average
	EnvOwnerBurst         = "OWNER_BURST"          // and how many at once
	EnvSharesTable        = "SHARES_TABLE"         // of what each institution took of its share of staging
	EnvDeferredQueueURL   = "DEFERRED_QUEUE_URL"   // of what institutions have beyond their shares
	EnvTablesBucket       = "TABLES_BUCKET"
	EnvTablesDeidKey      = "TABLES_DEID_KEY" // the key of the pseudonyms in the tables' twin; not set if there is no twin
	EnvFinderTable        = "FINDER_TABLE"
	EnvFinderKeys         = "FINDER_KEYS"   // the keys of the hashes, newest first, separated by blanks
	EnvFinderPlaces       = "FINDER_PLACES" // the environment's own places of identifiers; not set if it has none
	EnvFinderDays         = "FINDER_DAYS"   // for how long entries are kept; not set if for ever
	EnvQueuePrefix        = "QUEUE_PREFIX"  // what the names of the environment's queues begin with
	EnvStateMachineARN    = "STATE_MACHINE_ARN"
	EnvConsoleClient      = "CONSOLE_CLIENT_ID" // of the user pool
	EnvSignIn             = "SIGN_IN_URL"       // of the user pool's pages, without a slash at the end
)
