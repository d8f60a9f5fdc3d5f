package simulate

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hl7lake/local"
	"hl7lake/local/template"
	"hl7lake/local/wire"
)

// TestWhatTheTemplatesGrantIsGrantedAsTheJudgeGrantsIt turns every action on every
// resource of every statement that allows one into a request that must be granted, one
// that must not, and others that a denial applies to.
func TestWhatTheTemplatesGrantIsGrantedAsTheJudgeGrantsIt(t *testing.T) {
	for _, env := range []string{"dev", "prod"} {
		t.Run(env, func(t *testing.T) {
			grants := readGrants(t, env)
			var requests []request
			beyond := 0
			for _, r := range slices.Concat(grants.ofRoles(t), grants.ofResources(t)) {
				if r.beyond() {
					beyond++
				} else {
					requests = append(requests, r, r.elsewhere(grants))
					requests = append(requests, r.variants()...)
				}
				if !r.local(t) {
					t.Errorf("a template means to grant, but local/iam refuses: %s", r)
				}
				if r.elsewhere(grants).local(t) {
					t.Errorf("no template grants, but local/iam does: %s", r.elsewhere(grants))
				}
			}
			granted := agree(t, requests)
			t.Logf("%d requests from the templates, %d of them granted; %d more beyond the judge", len(requests), granted, beyond)
			if len(requests) < 100 {
				t.Errorf("%d requests: the templates were not read", len(requests))
			}
		})
	}
}

// grants are the policies of one environment's templates.
type grants struct {
	own      map[string][]policy // by the role's ARN
	attached map[string]policy   // by the resource's ARN
}

// properties are those of all types that grant something.
type properties struct {
	Policies                                                  []struct{ PolicyDocument policy }
	PolicyDocument                                            json.RawMessage // XRay::ResourcePolicy has it as a text
	KeyPolicy                                                 policy
	Roles, Queues, Topics                                     []string
	Bucket                                                    string
	Action, FunctionName, Principal, SourceArn, SourceAccount string
}

func readGrants(t *testing.T, env string) grants {
	t.Helper()
	assembly, err := local.Load("../../snapshots/" + env)
	if err != nil {
		t.Fatal(err)
	}
	g := grants{map[string][]policy{}, map[string]policy{}}
	for _, resourceType := range []string{
		"AWS::IAM::Role", "AWS::IAM::Policy", "AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy",
		"AWS::KMS::Key", "AWS::Lambda::Permission", "AWS::XRay::ResourcePolicy",
	} {
		for _, r := range assembly.OfType(resourceType) {
			text, err := r.JSON()
			if err != nil {
				t.Fatal(err)
			}
			var p properties
			if err := json.Unmarshal(text, &p); err != nil {
				t.Fatalf("%s: %v", r.LogicalID, err)
			}
			g.add(t, r, p)
		}
	}
	return g
}

func (g grants) add(t *testing.T, r *template.Resource, p properties) {
	for _, inline := range p.Policies {
		g.own[r.Attributes["Arn"]] = append(g.own[r.Attributes["Arn"]], inline.PolicyDocument)
	}
	if p.KeyPolicy.Statement != nil {
		g.attach(r.Attributes["Arn"], p.KeyPolicy)
	}
	if p.FunctionName != "" {
		g.attach(p.permission())
	}
	if p.PolicyDocument == nil {
		return
	}
	text := p.PolicyDocument
	if text[0] == '"' {
		var inner string
		if err := json.Unmarshal(text, &inner); err != nil {
			t.Fatal(err)
		}
		text = []byte(inner)
	}
	var document policy
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatalf("%s: %v", r.LogicalID, err)
	}
	for _, name := range p.Roles {
		arn := "arn:aws:iam::" + account + ":role/" + name
		g.own[arn] = append(g.own[arn], document)
	}
	for _, url := range p.Queues {
		g.attach(wire.ARN("sqs", url[strings.LastIndexByte(url, '/')+1:]), document)
	}
	for _, topic := range p.Topics {
		g.attach(topic, document)
	}
	switch {
	case p.Bucket != "":
		g.attach("arn:aws:s3:::"+p.Bucket, document)
	case r.Type == "AWS::XRay::ResourcePolicy":
		g.attach("*", document)
	}
}

func (g grants) attach(arn string, p policy) {
	p.Statement = slices.Concat(g.attached[arn].Statement, p.Statement)
	g.attached[arn] = p
}

// permission returns the statement that Lambda makes of an AWS::Lambda::Permission
// ("Lambda API Reference, AddPermission").
func (p properties) permission() (function string, added policy) {
	function = p.FunctionName
	if !strings.HasPrefix(function, "arn:") {
		function = wire.ARN("lambda", "function:"+function)
	}
	conditions := map[string]any{}
	if p.SourceArn != "" {
		conditions["ArnLike"] = map[string]any{"aws:SourceArn": p.SourceArn}
	}
	if p.SourceAccount != "" {
		conditions["StringEquals"] = map[string]any{"aws:SourceAccount": p.SourceAccount}
	}
	return function, newPolicy(statement{
		"Effect": "Allow", "Principal": map[string]any{"Service": p.Principal}, "Action": p.Action, "Resource": function,
		"Condition": conditions,
	})
}

// ofRoles makes requests from what the roles' policies allow.
func (g grants) ofRoles(t *testing.T) (requests []request) {
	for _, role := range slices.Sorted(maps.Keys(g.own)) {
		for _, p := range g.own[role] {
			for _, s := range p.Statement {
				requests = append(requests, g.requests(t, s, role)...)
			}
		}
	}
	if len(requests) == 0 {
		t.Fatal("no role is granted anything")
	}
	return requests
}

// ofResources makes requests from what the resources' policies allow to services and
// roles. What they allow to the account is used through its roles' policies.
func (g grants) ofResources(t *testing.T) (requests []request) {
	for _, arn := range slices.Sorted(maps.Keys(g.attached)) {
		for _, s := range g.attached[arn].Statement {
			principals, _ := s["Principal"].(map[string]any)
			for _, caller := range slices.Concat(texts(principals["Service"]), texts(principals["AWS"])) {
				if s["Effect"] == "Allow" && !strings.HasSuffix(caller, ":root") {
					requests = append(requests, g.requestsOn(t, s, caller, arn)...)
				}
			}
		}
	}
	if len(requests) == 0 {
		t.Fatal("no resource grants anything")
	}
	return requests
}

// requestsOn returns the requests whose resource is arn or lies in it, as * means in
// every policy that is attached to one.
func (g grants) requestsOn(t *testing.T, s statement, caller, arn string) []request {
	s = maps.Clone(s)
	if slices.Equal(texts(s["Resource"]), []string{"*"}) {
		s["Resource"] = arn
	}
	return g.requests(t, s, caller)
}

func (g grants) requests(t *testing.T, s statement, caller string) (requests []request) {
	t.Helper()
	if s["Effect"] != "Allow" {
		return nil
	}
	for _, action := range texts(s["Action"]) {
		for _, pattern := range texts(s["Resource"]) {
			r := request{
				caller: caller, action: actionOf(action), resource: concrete(pattern), own: g.own[caller],
				keys: map[string]string{tagOf(s): "general"},
			}
			if !fits(r.action, r.resource) {
				continue
			}
			r.to, r.attached = g.over(r.resource)
			r.fulfil(s)
			if strings.HasPrefix(r.action, "kms:") {
				r.fulfil(delegation(r.attached, action))
			}
			if r.action == "s3:PutObject" {
				r.keys["s3:if-none-match"] = "*"
			}
			requests = append(requests, r)
		}
	}
	return requests
}

// over finds the policy of the resource, or of what contains it.
func (g grants) over(resource string) (arn string, p policy) {
	for arn, p := range g.attached {
		if resource == arn || strings.HasPrefix(resource, arn+"/") {
			return arn, p
		}
	}
	return "", policy{}
}

// delegation returns the statement by which a key's policy lets the account's policies
// allow the action; nil if there is none.
func delegation(p policy, action string) statement {
	for _, s := range p.Statement {
		principals, _ := s["Principal"].(map[string]any)
		if slices.Contains(texts(principals["AWS"]), "arn:aws:iam::"+account+":root") && slices.Contains(texts(s["Action"]), action) {
			return s
		}
	}
	return nil
}

// fulfil gives the request what the statement's conditions require.
func (r *request) fulfil(s statement) {
	conditions, _ := s["Condition"].(map[string]any)
	for _, keys := range conditions {
		for name, values := range keys.(map[string]any) {
			value := concrete(texts(values)[0])
			switch {
			case name == "aws:SourceArn":
				r.source = value
			case name == "aws:SourceAccount" && r.source == "":
				r.source = wire.ARN("sns", "of-"+value)
			case !strings.HasPrefix(name, "aws:"):
				r.keys[name] = value
			}
		}
	}
}

// elsewhere returns the request for a resource beside the granted one or, if none is
// named, by somebody else.
func (r request) elsewhere(g grants) request {
	if r.resource == "*" {
		r.own, r.caller = nil, roles()[0]
		return r
	}
	r.resource = beside(r.resource)
	r.to, r.attached = g.over(r.resource)
	if !strings.HasPrefix(r.caller, "arn:") { // a statement with * applies to everything that it is attached to
		r.caller = "ec2.amazonaws.com"
	}
	return r
}

// beside changes the name in an ARN: the last part of the path before what the last
// wildcard stood for. It does so within the name, which may stand between two wildcards.
func beside(arn string) string {
	name := arn
	if i := strings.LastIndex(arn, placeholder); i >= 0 {
		name = arn[:i]
	}
	name, _, _ = strings.Cut(name, ":log-stream:")
	rest := arn[len(name):]
	stem := strings.TrimRight(name, "/:")
	inside := len(stem) - 1
	return name[:inside] + "x" + name[inside:] + rest
}

// variants are requests that differ from a granted one in what policies commonly deny.
func (r request) variants() []request {
	insecure := r.with("aws:SecureTransport", "false")
	untagged := r
	for key := range r.keys {
		if strings.HasPrefix(key, tagKey) {
			untagged = untagged.with(key, "st-elsewhere")
		}
	}
	impostor := r
	if strings.HasPrefix(r.caller, "arn:") {
		impostor.caller += "x"
	} else {
		impostor.source = wire.ARN("sns", "other")
	}
	variants := []request{insecure, untagged, impostor}
	if strings.HasPrefix(r.action, "s3:") {
		variants = append(variants, r.with("s3:TlsVersion", "1.1"), r.with("s3:TlsVersion", "1.3"))
	}
	if r.action == "s3:PutObject" {
		overwriting := r.with("s3:TlsVersion", "1.2")
		delete(overwriting.keys, "s3:if-none-match")
		variants = append(variants, overwriting)
	}
	return variants
}

// tagKey is how the key begins that stands for a tag of the session.
const tagKey = "aws:PrincipalTag/"

var tagVariable = regexp.MustCompile(`\$\{aws:PrincipalTag/(\w+)\}`)

// tagOf is the key of the tag that a statement speaks of, that of `read` where it speaks
// of none.
func tagOf(s statement) string {
	for _, pattern := range texts(s["Resource"]) {
		if match := tagVariable.FindStringSubmatch(pattern); match != nil {
			return tagKey + match[1]
		}
	}
	condition, _ := json.Marshal(s["Condition"])
	if _, rest, found := strings.Cut(string(condition), tagKey); found {
		name, _, _ := strings.Cut(rest, `"`)
		return tagKey + name
	}
	return tagKey + "read"
}

// placeholder stands where a pattern has a wildcard.
const placeholder = "any"

// concrete returns a text that a pattern matches: with the caller's tag, and something
// for each wildcard.
func concrete(pattern string) string {
	pattern = tagVariable.ReplaceAllString(pattern, "general")
	if strings.HasPrefix(pattern, "arn:aws:logs:") {
		pattern = strings.Replace(pattern, ":*", ":log-stream:*", 1)
	}
	if pattern == "*" {
		return pattern
	}
	return strings.NewReplacer("*", placeholder, "?", "a").Replace(pattern)
}

// actionOf returns an action that the pattern matches.
func actionOf(pattern string) string {
	known := map[string]string{"s3:DeleteObject*": "s3:DeleteObject", "s3:GetBucket*": "s3:GetBucketPolicy", "s3:List*": "s3:ListBucket"}
	if action, is := known[pattern]; is {
		return action
	}
	return pattern
}

// fits reports whether an S3 action applies to such a resource: to a bucket or to an
// object.
func fits(action, resource string) bool {
	return !strings.HasPrefix(action, "s3:") || strings.Contains(action, "Object") == strings.Contains(resource, "/")
}

// texts is one text or a list of them.
func texts(value any) (all []string) {
	switch value := value.(type) {
	case string:
		return []string{value}
	case []any:
		for _, item := range value {
			all = append(all, fmt.Sprint(item))
		}
	case []string:
		return value
	}
	return all
}
