package contract

// The outputs of the stacks, with which clients and operators find the lake.
const (
	OutputAPI            = "ApiUrl"
	OutputHTTPAPI        = "HttpApiId"
	OutputAuthorizer     = "AuthorizerId"
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
	OutputFinder         = "FinderTableName"
	OutputReindex        = "ReindexFunctionName"
	OutputReadsLog       = "ReadsLogGroupName"
	OutputTrailLog       = "TrailLogGroupName"
	OutputAlarms         = "AlarmTopicArn"
)
