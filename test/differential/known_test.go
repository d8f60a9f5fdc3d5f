package differential_test

import "slices"

// knownDisagreements are the ways in which moto is known to answer differently from AWS.
// Each row has patterns for the question, the local lake's answer and moto's answer, and
// the page of AWS's documentation that decides.
func knownDisagreements() []disagreement {
	return slices.Concat(knownOfDynamoDB(), knownOfSNS(), knownOfStates(), knownOfS3(), knownOfCognito())
}

// Pages of AWS's documentation that decide more than one row.
const (
	operatorsPage = "DynamoDB Developer Guide, Condition and filter expressions, operators, and functions: "
	updatePage    = "DynamoDB Developer Guide, Using update expressions: "
	stringPage    = "SNS Developer Guide, String value matching: "
	policyPage    = "SNS Developer Guide, Amazon SNS subscription filter policies: "
	publishPage   = "SNS API Reference, Publish: "
	errorsPage    = "Step Functions Developer Guide, Handling errors in workflows: "
	machinePage   = "Step Functions API Reference, CreateStateMachine: "
	claimsPage    = "Cognito Developer Guide, Understanding the identity (ID) and access tokens: "
)

func knownOfDynamoDB() []disagreement {
	const refused, either, condition = "ValidationException", "true|false|ValidationException", "(condition|filter) "
	return []disagreement{
		row("dynamodb", condition+`.*size\(.*`, either, either, operatorsPage+"size of what has none makes the comparison false, not the request wrong"),
		row("dynamodb", condition+`begins_with\(b, :bin\)`, "true", "false", operatorsPage+"begins_with takes a path to a String or a Binary"),
		row("dynamodb", "condition ", refused, "true", "DynamoDB API Reference, UpdateItem: an expression cannot be empty"),
		row("dynamodb", condition+`attribute_type\(s, :one\)`, refused, "false", operatorsPage+"the type is given as a String"),
		row("dynamodb", condition+`begins_with\(s, :one\)`, refused, "false", operatorsPage+"begins_with takes a String"),
		row("dynamodb", condition+"s BETWEEN :z AND :a", refused, "false", operatorsPage+"the lower bound must not be above the upper"),
		row("dynamodb", condition+"s = s", refused, "true", operatorsPage+"the operands must be distinct"),
		row("dynamodb", "update .*(s|absent)\\.k.*", refused, "{.*", updatePage+"a path must lead into a map or list that is there"),
		row("dynamodb", "update .*if_not_exists.*", "{.*", "{.*", updatePage+"operands have the values from before the update"),
		row("dynamodb", "update .*(REMOVE|ADD|DELETE).*", "{.*", refused+"|{.*", updatePage+"all sections see the item as it was before the update"),
		row("dynamodb", "projection .*l\\[.*", "{.*", "{.*", "DynamoDB Developer Guide, Using projection expressions: each element of a list that is named is returned, in whatever order they are named"),
		row("dynamodb", "projection .*", refused, "{.*", "DynamoDB Developer Guide, Using projection expressions: paths must not overlap; an index is a number"),
		row("dynamodb", "key condition root = :one|key condition .*BETWEEN :k2 AND :k1|key condition .*sk = :k1 AND sk = :k2", refused, ".*",
			"DynamoDB Developer Guide, Key condition expressions: one condition a key, of the key's type, with bounds in order"),
		row("dynamodb", "index key condition owner = :o", refused, "k8.*", "DynamoDB Developer Guide, Reserved words in DynamoDB: OWNER is one"),
		row("dynamodb", "pages of a query.*", ".*; , more: false", ".*more: false", "DynamoDB Developer Guide, Paginating table query results: a page that ends at its limit has a LastEvaluatedKey, though nothing may follow"),
		row("dynamodb", "an item of 400 KB", "<nil>", refused, "DynamoDB Developer Guide, Service, account, and table quotas: 400 KB, which are 409,600 bytes"),
		row("dynamodb", "what an update returns", "NONE.*", "NONE.*", "DynamoDB API Reference, UpdateItem: UPDATED_OLD returns only the updated attributes, as they were; of a document, what the path names"),
	}
}

func knownOfSNS() []disagreement {
	const refused = "InvalidParameter"
	return []disagreement{
		row("sns", `the policy {"a":\[{"anything-but":{"suffix".*`, "true", "false", stringPage+"anything-but takes suffix as it takes prefix"),
		row("sns", `the policy {"list":.*`, "true", "false", stringPage+"of a String.Array, each element is matched by itself, with anything-but too"),
		row("sns", `the policy {"numbers":\[{"numeric".*`, "true", "false", "SNS Developer Guide, Numeric value matching: each element of an array is matched by itself"),
		row("sns", `the policy {"a":\[\]}|the policy {"\$or":\[\]}`, refused, "", policyPage+"a property has at least one value"),
		row("sns", `the policy {"a":\[{"prefix":5}\]}`, refused, "", "SNS Developer Guide, Numeric value matching: prefixes are supported for string matching only"),
		row("sns", `the policy {"a":\[{"nonsense".*`, "NotImplemented", refused, policyPage+"the local lake does not tell an operator that is none from one that it does not run; both stop the start"),
		row("sns", "raw delivery of a number", "HTTP 501", "raw n=Number:5", "SNS Developer Guide, Amazon SNS raw message delivery: not run by the local lake for other types than String, and refused by name"),
		row("sns", "raw delivery of 11 attributes", "InvalidParameterValue", "raw .*", "SNS Developer Guide, Amazon SNS raw message delivery: a message with more than 10 attributes is not delivered; the local lake tells the publisher"),
		row("sns", "an empty message", refused, "", publishPage+"Message is required"),
		row("sns", "an empty attribute|an attribute of no type|a number that is none", "ParameterValueInvalid", refused, publishPage+"ParameterValueInvalid is the error for a parameter's value"),
	}
}

func knownOfStates() []disagreement {
	const absent, throttled = `.*function:absent.*`, `.*function:throttled.*`
	return []disagreement{
		row("states", `data-.*"OutputPath":"\$.a".*`, `SUCCEEDED "x"`, "an output that is not JSON: x", "Step Functions API Reference, DescribeExecution: the output is JSON, also where it is a text"),
		row("states", `data-.*"\$.a\[1\]\['b c'\]".*`, "SUCCEEDED 7", `SUCCEEDED \[7\]`, "Step Functions Developer Guide, Using JSONPath paths: a reference path names a single node"),
		row("states", `failure-.*"ResultPath":"\$.a.b".*`, "FAILED States.ResultPathMatchFailure", "FAILED Exception", errorsPage+"States.ResultPathMatchFailure"),
		row("states", `failure-.*"Parameters":{"x.\$":"\$.nowhere"}.*`, "FAILED States.Runtime", "FAILED Exception", errorsPage+"States.Runtime where a path cannot be applied"),
		row("states", `failure-.*"Type":"Choice".*`, "FAILED States.NoChoiceMatched", "FAILED States.Runtime", errorsPage+"States.NoChoiceMatched"),
		row("states", `failure-.*function:dies.*`, ".*Lambda.Unknown.*", ".*Exception.*", errorsPage+"Lambda.Unknown for what the runtime could not name"),
		row("states", "failure-"+absent, ".*Lambda.ResourceNotFoundException.*", "FAILED (States.Runtime|Exception)", errorsPage+"errors of Lambda itself begin with Lambda."),
		row("states", "failure-"+throttled, ".*Lambda.TooManyRequestsException.*", "FAILED (States.Runtime|Exception)", errorsPage+"errors of Lambda itself begin with Lambda."),
		row("states", `failure-.*`, "InvalidDefinition", "FAILED States.Runtime|UnknownError", machinePage+"InvalidDefinition, before anything is run"),
	}
}

func knownOfS3() []disagreement {
	return []disagreement{
		row("s3", "step .* bytes=5-3.*", `".*`, "InvalidRange", "S3 API Reference, GetObject: Range is HTTP's, which has a range that ends before it begins ignored (RFC 9110, 14.1.1)"),
		row("s3", "delete what is not there", "marker true.*", "marker false.*", "S3 User Guide, Working with delete markers: a simple DELETE makes one whether the object is there or not"),
	}
}

func knownOfCognito() []disagreement {
	return []disagreement{
		row("cognito", "what the (ID|access) token says", ".*event_id: string.*", ".*", claimsPage+"event_id, and email_verified in the ID token"),
		row("cognito", "sign in with a flow that the client may not use", "InvalidParameterException", "done", "Cognito API Reference, AdminInitiateAuth: the client's ExplicitAuthFlows must allow the flow"),
		row("cognito", "set an attribute that there is not", "InvalidParameterException", "done", "Cognito Developer Guide, Working with user attributes: custom attributes are those of the pool"),
	}
}
