package contract

// The outputs of the stacks, with which clients and operators find the lake.
const (
	OutputAPI            = "ApiUrl"
	OutputUserPool       = "UserPoolId"
	OutputUserPoolClient = "UserPoolClientId"
	OutputConsole        = "ConsoleUrl"
	OutputConsoleClient  = "ConsoleClientId"
	OutputSignIn         = "SignInUrl"
	OutputIdentityPool   = "IdentityPoolId"
	OutputReaders        = "ReadersRoleName"
	OutputLake           = "LakeBucketName"
	OutputHub            = "HubTopicArn"
	OutputCatalog        = "CatalogTableName"
	OutputClaimCheck     = "ClaimCheckBucketName"
	OutputReceived       = "ReceivedTableName"
	OutputReconcile      = "ReconcileFunctionName"
	OutputTables         = "TablesBucketName"
	OutputTwinReaders    = "TwinReadersPolicyArn"
	OutputTabulate       = "TabulateFunctionName"
	OutputReadsLog       = "ReadsLogGroupName"
	OutputTrailLog       = "TrailLogGroupName"
	OutputAlarms         = "AlarmTopicArn"
)
