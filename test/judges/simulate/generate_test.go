package simulate

import (
	"flag"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"hl7lake/local/wire"
)

// operators are the condition operators that local/iam evaluates, by the kind of their
// keys. Null applies to every key.
func operators() map[string][]string {
	return map[string][]string{
		"string":  {"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringLike", "StringNotLike"},
		"arn":     {"ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike"},
		"numeric": {"NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals"},
		"bool":    {"Bool"},
	}
}

var (
	count = flag.Int("requests", 1500, "how many requests to generate")
	seed  = flag.Uint64("seed", 11, "of the generated requests")
)

const (
	account  = wire.Account
	stranger = "999988887777" // another account
)

func TestGeneratedRequestsAreGrantedAsTheJudgeGrantsThem(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(*seed, 0))}
	requests := make([]request, *count)
	for i := range requests {
		requests[i] = g.request()
	}
	granted := agree(t, requests)
	t.Logf("%d generated requests, %d of them granted", len(requests), granted)
	if granted < len(requests)/5 || granted > len(requests)*4/5 {
		t.Errorf("%d of %d granted: the generator decides too little", granted, len(requests))
	}
}

// target is a kind of resource with what can be done to it.
type target struct {
	resource  string
	to        string // what a policy may be attached to; empty if nothing
	actions   []string
	keys      []key // condition keys of all the actions
	anonymous bool  // requests need no signature ("IAM policy elements: Variables and tags": S3, SNS and SQS)
}

// key is a condition key with the values that a request and a policy may have.
type key struct {
	name, kind string
	values     []string
}

func targets() []target {
	const lake, staged = "arn:aws:s3:::lake", "arn:aws:s3:::lake/staging/protocol=hl7v2/source=st-elsewhere/date=2026-01-02/x.json"
	tls := key{"s3:TlsVersion", "numeric", []string{"1.1", "1.2", "1.3", "one"}}
	return []target{
		{staged, lake, []string{"s3:GetObject", "s3:GetObjectVersion", "s3:DeleteObject"}, []key{tls}, true},
		{lake + "/ingestion/protocol=hl7v2/source=general/x.er7", lake, []string{"s3:PutObject"}, []key{
			tls, {"s3:if-none-match", "string", []string{"*", "etag"}},
			{"s3:x-amz-server-side-encryption", "string", []string{"aws:kms", "AES256"}},
		}, true},
		{lake, lake, []string{"s3:ListBucket"}, []key{
			tls, {"s3:prefix", "string", []string{"staging/source=general/", "staging/source=st-elsewhere/", ""}},
			{"s3:max-keys", "numeric", []string{"1", "10", "1000"}},
		}, true},
		{wire.ARN("sns", "hub"), wire.ARN("sns", "hub"), []string{"sns:Publish"}, nil, true},
		{wire.ARN("sqs", "failed"), wire.ARN("sqs", "failed"), []string{"sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage"}, nil, true},
		{wire.ARN("lambda", "function:writer"), wire.ARN("lambda", "function:writer"), []string{"lambda:InvokeFunction"}, nil, false},
		{wire.ARN("dynamodb", "table/catalog"), "", []string{"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query"}, nil, false},
		{wire.ARN("states", "stateMachine:workflow"), "", []string{"states:StartSyncExecution"}, nil, false},
		{wire.ARN("kms", "key/0b8f"), wire.ARN("kms", "key/0b8f"), []string{"kms:Decrypt", "kms:GenerateDataKey", "kms:Encrypt"}, []key{
			{"kms:ViaService", "string", []string{"s3.us-east-1.amazonaws.com", "sns.us-east-1.amazonaws.com"}},
			{"kms:CallerAccount", "string", []string{account, stranger}},
		}, false},
	}
}

// everywhere are condition keys that a request for any action may have.
func everywhere() []key {
	return []key{
		{"aws:PrincipalTag/read", "string", []string{"general", "st-elsewhere", "General"}},
		{"aws:SecureTransport", "bool", []string{"true", "false"}},
		{"aws:MultiFactorAuthPresent", "bool", []string{"true", "false"}},
		{"aws:RequestedRegion", "string", []string{"us-east-1", "eu-central-1"}},
		{"aws:UserAgent", "string", []string{"lake/1", "curl/8"}},
	}
}

// ofCaller are keys that AWS sets in a request according to its caller. Policies ask for
// them, and no request of the generator sets them.
func ofCaller() []key {
	return []key{
		{"aws:PrincipalArn", "arn", append(roles(), "arn:aws:iam::*:role/writer", "arn:aws:iam::"+account+":role/*", "arn:aws:*::*:role/w?iter*")},
		{"aws:SourceArn", "arn", append(sources(), "arn:aws:sns:*:*:hub", "arn:aws:states:*:stateMachine:workflow", "arn:aws:s3:::l?ke", "arn:aws:s*:*:*:*")},
		{"aws:SourceAccount", "string", []string{account, stranger}},
	}
}

func roles() []string {
	return []string{"arn:aws:iam::" + account + ":role/writer", "arn:aws:iam::" + account + ":role/parse", "arn:aws:iam::" + stranger + ":role/writer"}
}

func services() []string { return []string{"sns.amazonaws.com", "logging.s3.amazonaws.com"} }

func sources() []string {
	return []string{wire.ARN("sns", "hub"), "arn:aws:s3:::lake", "arn:aws:sns:us-east-1:" + stranger + ":hub", wire.ARN("states", "stateMachine:workflow")}
}

// generator makes requests, the same ones for the same seed.
type generator struct{ *rand.Rand }

func one[T any](g generator, of []T) T { return of[g.IntN(len(of))] }

func (g generator) in(n int) bool { return g.IntN(n) == 0 }

func (g generator) request() request {
	on := one(g, targets())
	r := request{
		caller: one(g, append(roles(), roles()...)), action: one(g, on.actions), resource: on.resource,
		keys: map[string]string{}, to: on.to,
	}
	if on.to != "" && g.in(4) {
		r.caller = one(g, services())
		if !g.in(4) {
			r.source = one(g, sources())
		}
	}
	if on.anonymous && g.in(10) {
		r.caller, r.source = "", ""
	}
	for _, k := range append(everywhere(), on.keys...) {
		if g.in(2) {
			r.keys[k.name] = one(g, k.values)
		}
	}
	if g.in(3) {
		return g.decidedByOneCondition(r, on)
	}
	if strings.HasPrefix(r.caller, "arn:") {
		for range g.IntN(3) {
			r.own = append(r.own, newPolicy(g.statements(r, on, false)...))
		}
	}
	if on.to != "" && !g.in(4) {
		r.attached = newPolicy(g.statements(r, on, true)...)
	}
	return r
}

// decidedByOneCondition gives the request one statement that applies to it except for its
// conditions.
func (g generator) decidedByOneCondition(r request, on target) request {
	s := statement{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": g.conditions(r, on, 1)}
	if ours := strings.HasPrefix(r.caller, "arn:aws:iam::"+account); on.to == "" || ours && !strings.HasPrefix(r.action, "kms:") {
		r.own = []policy{newPolicy(s)}
		return r
	}
	s["Principal"] = "*"
	r.attached = newPolicy(s)
	if strings.HasPrefix(r.caller, "arn:") {
		r.own = []policy{newPolicy(statement{"Effect": "Allow", "Action": "*", "Resource": "*"})}
	}
	return r
}

func (g generator) statements(r request, on target, attached bool) (all []statement) {
	for range 1 + g.IntN(3) {
		s := statement{"Effect": "Allow"}
		if g.in(6) {
			s["Effect"] = "Deny"
		}
		s[g.orNot("Action")] = g.some(g.actionPatterns(r, on))
		if attached {
			s["Principal"] = g.principal(r)
		}
		if attached && g.in(2) {
			s["Resource"] = "*"
		} else {
			g.nameResources(s, r)
		}
		if conditions := g.conditions(r, on, g.IntN(3)); len(conditions) > 0 {
			s["Condition"] = conditions
		}
		all = append(all, s)
	}
	return all
}

// orNot returns the element, or the one that names the exceptions.
func (g generator) orNot(element string) string {
	if g.in(8) {
		return "Not" + element
	}
	return element
}

// nameResources sets Resource or NotResource. The table has what NotResource means for a
// variable without a value.
func (g generator) nameResources(s statement, r request) {
	element := g.orNot("Resource")
	patterns := g.resourcePatterns(r)
	if element == "NotResource" && r.keys["aws:PrincipalTag/read"] == "" {
		patterns = []string{r.resource, one(g, targets()).resource}
	}
	s[element] = g.some(patterns)
}

func (g generator) actionPatterns(r request, on target) []string {
	service, name, _ := strings.Cut(r.action, ":")
	return []string{
		r.action, r.action, one(g, on.actions), service + ":*", "*", service + ":" + name[:3] + "*", service + ":?" + name[1:],
		strings.ToLower(r.action), "dynamodb:DeleteItem", service + ":*" + name[len(name)-4:],
	}
}

func (g generator) resourcePatterns(r request) []string {
	half := len(r.resource) - g.IntN(3)
	patterns := []string{
		r.resource, r.resource, r.resource[:half] + "*", r.resource[:half-1] + "?" + r.resource[half:], one(g, targets()).resource,
		strings.ReplaceAll(r.resource, account, "*"), strings.ReplaceAll(r.resource, account, stranger),
		strings.ReplaceAll(r.resource, "us-east-1:"+account, "*:*"),
	}
	if across := strings.ReplaceAll(r.resource, "us-east-1:"+account, "*"); strings.Count(across, ":") >= 5 {
		patterns = append(patterns, across) // an ARN whose wildcard would have to match a colon
	}
	for _, institution := range []string{"general", "st-elsewhere"} {
		if strings.Contains(r.resource, institution) {
			patterns = append(patterns,
				strings.ReplaceAll(r.resource, institution, "${aws:PrincipalTag/read}"),
				strings.ReplaceAll(r.resource, institution, "${aws:PrincipalTag/read, 'general'}"),
				"arn:aws:s3:::lake/*/source=${aws:PrincipalTag/read}/*")
		}
	}
	return patterns
}

func (g generator) principal(r request) any {
	if r.caller == "" {
		r.caller = one(g, append(roles(), services()...))
	}
	if strings.HasPrefix(r.caller, "arn:") {
		return one(g, []any{
			"*", map[string]any{"AWS": "*"}, map[string]any{"AWS": g.some(roles())}, map[string]any{"AWS": r.caller},
			map[string]any{"AWS": r.caller}, map[string]any{"AWS": []string{"arn:aws:iam::" + account + ":root"}},
			map[string]any{"AWS": account}, map[string]any{"AWS": "arn:aws:iam::" + stranger + ":root"},
			map[string]any{"AWS": stranger, "Service": services()},
		})
	}
	return one(g, []any{
		"*", map[string]any{"Service": r.caller}, map[string]any{"Service": r.caller}, map[string]any{"Service": g.some(services())},
		map[string]any{"AWS": "arn:aws:iam::" + account + ":root"}, map[string]any{"AWS": one(g, roles()), "Service": services()},
	})
}

func (g generator) conditions(r request, on target, n int) map[string]map[string]any {
	conditions := map[string]map[string]any{}
	for range n {
		k := one(g, slices.Concat(everywhere(), on.keys, on.keys, ofCaller()))
		operator := one(g, operators()[k.kind])
		if k.kind == "arn" && g.in(4) {
			operator = one(g, operators()["string"])
		}
		if g.in(4) {
			operator += "IfExists"
		}
		values := g.some(append(k.values, k.values...))
		switch {
		case g.in(6):
			operator, values = "Null", one(g, []any{"true", "false", true})
		case strings.HasPrefix(operator, "String"):
			values = g.some(g.textPatterns(r, k, operator))
		}
		conditions[operator] = map[string]any{k.name: values}
	}
	return conditions
}

// textPatterns are values to compare a text with. The table has what a negated operator
// means for a variable without a value.
func (g generator) textPatterns(r request, k key, operator string) []string {
	value := one(g, k.values)
	patterns := append([]string{"*", value + "*", "?" + strings.TrimPrefix(value, "s"), strings.ToUpper(value)}, k.values...)
	if r.keys["aws:PrincipalTag/read"] != "" || !strings.Contains(operator, "Not") {
		patterns = append(patterns, "${aws:PrincipalTag/read}", "staging/source=${aws:PrincipalTag/read}/*", "${aws:principaltag/READ}")
	}
	return append(patterns, "${aws:PrincipalTag/read, 'general'}")
}

// some returns one of the texts, or a list of two.
func (g generator) some(of []string) any {
	if g.in(3) {
		return []string{one(g, of), one(g, of)}
	}
	return one(g, of)
}
