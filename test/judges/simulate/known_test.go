package simulate

import (
	"strings"
	"testing"

	"hl7lake/local/iam"
	"hl7lake/local/wire"
)

// difference is a kind of request about which the judge's opinion differs from AWS's
// page, or is not asked for a reason. The generator leaves these kinds out.
type difference struct {
	kind   string
	local  bool // what local/iam says, like the page
	reason string
	page   string // title of AWS's page
	leaves string // the condition key that the judge leaves out, if that is why
	request
}

// encryptionContext begins the condition keys that the judge does not know.
const encryptionContext = "kms:EncryptionContext:"

// beyond reports whether the judge cannot judge a request, as the table says.
func (r request) beyond() bool {
	for key := range r.keys {
		if strings.HasPrefix(key, encryptionContext) {
			return true
		}
	}
	return false
}

func differences() []difference {
	const (
		variables = "IAM User Guide, IAM policy elements: Variables and tags"
		object    = "arn:aws:s3:::lake/staging/source=general/x.json"
		untagged  = "${aws:PrincipalTag/read}"
	)
	role := roles()[0]
	allow := statement{"Effect": "Allow", "Action": "*", "Resource": "*"}
	read := request{caller: role, action: "s3:GetObject", resource: object}
	by := func(statements ...statement) request {
		r := read
		r.own = []policy{newPolicy(statements...)}
		return r
	}
	return []difference{
		{
			kind: "a deny whose negated operator compares with a variable without a value", local: false, page: variables,
			reason: "negated operators match against a variable without a value; the judge has no operator match it",
			request: by(allow, statement{
				"Effect": "Deny", "Action": "*", "Resource": "*",
				"Condition": map[string]any{"StringNotEquals": map[string]any{"aws:RequestedRegion": untagged}},
			}).with("aws:RequestedRegion", "us-east-1"),
		},
		{
			kind: "an allow whose negated operator compares with a variable without a value", local: true, page: variables,
			reason: "as above",
			request: by(statement{
				"Effect": "Allow", "Action": "*", "Resource": "*",
				"Condition": map[string]any{"StringNotLike": map[string]any{"aws:RequestedRegion": untagged + "*"}},
			}).with("aws:RequestedRegion", "us-east-1"),
		},
		{
			kind: "an ARN compared with a variable without a value, negated", local: false, page: variables,
			reason: "as above",
			request: by(allow, statement{
				"Effect": "Deny", "Action": "*", "Resource": "*",
				"Condition": map[string]any{"ArnNotEquals": map[string]any{"aws:PrincipalArn": "arn:aws:iam::" + account + ":role/" + untagged}},
			}),
		},
		{
			kind: "a deny of all resources but those of a variable without a value", local: false, page: variables,
			reason: "the variable has NotResource match no resource, so that the statement speaks of every one; the judge takes the statement away",
			request: by(allow, statement{
				"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::lake/staging/source=" + untagged + "/*",
			}),
		},
		{
			kind: "an allow of all resources but those of a variable without a value", local: true, page: variables,
			reason:  "as above",
			request: by(statement{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::lake/staging/source=" + untagged + "/*"}),
		},
		{
			kind: "the account's root without policies", local: true, page: "IAM User Guide, AWS account root user",
			reason:  "the root has complete access to its account's resources; the judge wants a policy",
			request: request{caller: iam.Root, action: "s3:GetObject", resource: object},
		},
		{
			kind: "a condition on an encryption context", local: true, page: "AWS KMS Developer Guide, AWS KMS condition keys",
			reason: "kms:EncryptionContext:context-key is a key of its own for each context key; the judge knows none of them",
			leaves: encryptionContext + "aws:logs:arn",
			request: request{
				caller: "logs.us-east-1.amazonaws.com", action: "kms:Decrypt", resource: wire.ARN("kms", "key/0b8f"),
				keys: map[string]string{encryptionContext + "aws:logs:arn": wire.ARN("logs", "log-group:lake")}, to: wire.ARN("kms", "key/0b8f"),
				attached: newPolicy(statement{
					"Effect": "Allow", "Principal": map[string]any{"Service": "logs.us-east-1.amazonaws.com"}, "Action": "kms:Decrypt", "Resource": "*",
					"Condition": map[string]any{"ArnLike": map[string]any{encryptionContext + "aws:logs:arn": wire.ARN("logs", "log-group:*")}},
				}),
			},
		},
		{
			kind: "a value with a wildcard in the place of a variable", local: false, page: variables,
			reason: "the page gives ${*} for a literal asterisk and is silent on values that hold one, which no tag can; " +
				"local/iam has it equal nothing",
			request: by(statement{
				"Effect": "Allow", "Action": "*", "Resource": "*",
				"Condition": map[string]any{"StringEquals": map[string]any{"aws:UserAgent": "${aws:PrincipalTag/read}"}},
			}).with("aws:UserAgent", "*").with("aws:PrincipalTag/read", "*"),
		},
	}
}

// with returns the request with one more condition key.
func (r request) with(key, value string) request {
	keys := map[string]string{key: value}
	for k, v := range r.keys {
		keys[k] = v
	}
	r.keys = keys
	return r
}

func TestTheTableHoldsWhatDiffersAndNothingElse(t *testing.T) {
	table := differences()
	requests := make([]request, len(table))
	for i, d := range table {
		requests[i] = d.request
	}
	for i, v := range judged(t, requests) {
		d := table[i]
		if local := d.request.local(t); local != d.local {
			t.Errorf("%s: local/iam grants %v, the page (%s) %v", d.kind, local, d.page, d.local)
		}
		if v.Error != "" || strings.Join(v.Ignored, " ") != d.leaves {
			t.Errorf("%s: cannot be judged: error %q, ignored keys %v", d.kind, v.Error, v.Ignored)
		}
		if v.Allowed == d.local {
			t.Errorf("%s: iam-simulate agrees by now; take it from the table and into the generator", d.kind)
		}
	}
	t.Logf("%d kinds of requests on which iam-simulate and AWS's pages differ", len(table))
}

// TestAnOperatorIsEvaluatedOrRefusedByName goes through the operators of the page "IAM
// JSON policy elements: Condition operators". Refused ones are not generated; evaluated
// ones are.
func TestAnOperatorIsEvaluatedOrRefusedByName(t *testing.T) {
	generated := map[string]bool{"Null": true}
	for _, list := range operators() {
		for _, operator := range list {
			generated[operator] = true
		}
	}
	for _, operator := range []string{
		"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
		"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals",
		"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
		"Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null",
	} {
		for _, effect := range []string{"Allow", "Deny"} {
			p := newPolicy(statement{
				"Effect": effect, "Action": "*", "Resource": "*",
				"Condition": map[string]any{operator: map[string]any{"aws:PrincipalTag/read": wire.ARN("sns", "hub")}},
			})
			err := iam.New().AttachToRole(roles()[0], document(t, p))
			if generated[operator] != (err == nil) {
				t.Errorf("%s: generated %v, but attached with %v", operator, generated[operator], err)
			}
			if err != nil && !strings.Contains(err.Error(), operator) {
				t.Errorf("%s is refused without its name: %v", operator, err)
			}
		}
	}
}
