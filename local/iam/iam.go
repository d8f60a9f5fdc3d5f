// Package iam decides whether a call is granted, from the policies in the templates:
// those of the calling role and those of the resource. A call that is not granted would
// be refused on AWS, and is refused here in the same words. The package also knows which
// grants were never needed.
package iam

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"hl7lake/local/wire"
)

// Root is the caller that may do everything that no policy denies: the person who runs
// the lake.
const Root = "arn:aws:iam::" + wire.Account + ":root"

// Engine holds the policies. After all were attached, it is safe for concurrent use.
type Engine struct {
	identities map[string][]*statement // by the role's ARN
	trust      map[string][]*statement // who may assume a role, by its ARN
	resources  []resourcePolicy
	denied     map[string]wire.Code // by the service that denies

	mu   sync.Mutex
	used map[use]bool
}

type statement struct {
	Statement
	owner               string   // role name or resource, for the report
	actions, notActions []string // Action and NotAction in lower case: IAM ignores it
}

func newStatement(s Statement, owner string) *statement {
	return &statement{s, owner, lower(s.Action), lower(s.NotAction)}
}

func lower(texts []string) []string {
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = strings.ToLower(text)
	}
	return all
}

type resourcePolicy struct {
	resource   string // ARN; its policy also applies to what is below it
	statements []*statement
}

// use is one grant that a call needed: an action and a resource of a statement.
type use struct {
	statement *statement
	action    string
	resource  string
}

// Grant is an action on a resource that a role's policy allows.
type Grant struct {
	Role     string `json:"role"`
	Action   string `json:"action"`
	Resource string `json:"resource"`
}

func (g Grant) String() string { return g.Role + ": " + g.Action + " on " + g.Resource }

// New returns an engine without policies, which refuses everything except to Root.
func New() *Engine {
	return &Engine{identities: map[string][]*statement{}, trust: map[string][]*statement{}, denied: map[string]wire.Code{}, used: map[use]bool{}}
}

// Word makes refusals of a service's calls have that service's words. It must be called
// before the first call.
func (e *Engine) Word(d wire.Dialect) { e.denied[d.Service] = d.Denied }

// AttachToRole adds an identity policy of a role. An error names what in the document is
// not evaluated here.
func (e *Engine) AttachToRole(roleARN string, d Document) error {
	statements, err := checked(d, roleARN[strings.LastIndexByte(roleARN, '/')+1:])
	e.identities[roleARN] = append(e.identities[roleARN], statements...)
	return err
}

// AttachTrust sets who may assume a role: its AssumeRolePolicyDocument.
func (e *Engine) AttachTrust(roleARN string, d Document) error {
	statements, err := checked(d, roleARN[strings.LastIndexByte(roleARN, '/')+1:])
	e.trust[roleARN] = statements
	return err
}

// Federate decides whether a caller may assume the role for whom a federated provider,
// such as cognito-identity.amazonaws.com, vouches with these condition keys. Session tags
// also need sts:TagSession
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html).
func (e *Engine) Federate(roleARN, provider string, keys map[string][]string, tags map[string]string) error {
	actions := []string{"sts:AssumeRoleWithWebIdentity"}
	if len(tags) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	all := values{}
	maps.Copy(all, keys)
	for name, value := range tags {
		all["aws:RequestTag/"+name] = []string{value}
	}
	for _, action := range actions {
		allowed := false
		for _, s := range e.trust[roleARN] {
			names := slices.Contains(s.Principal["Federated"], provider)
			called := included(s.actions, s.notActions, func(pattern string) bool { return Wildcard(pattern, strings.ToLower(action)) })
			if !names || !called || !s.conditionsHold(all) {
				continue
			}
			if s.Effect == "Deny" {
				return e.refusal(provider, action, roleARN, "with an explicit deny in its trust policy")
			}
			allowed = true
		}
		if !allowed {
			return e.refusal(provider, action, roleARN, "because its trust policy does not allow it")
		}
	}
	return nil
}

// AttachToResource adds a resource policy, such as a bucket's or a function's.
func (e *Engine) AttachToResource(resourceARN string, d Document) error {
	statements, err := checked(d, resourceARN)
	e.resources = append(e.resources, resourcePolicy{resourceARN, statements})
	return err
}

func checked(d Document, owner string) (statements []*statement, err error) {
	for _, s := range d.Statement {
		if err := s.check(d.Version); err != nil {
			return nil, fmt.Errorf("policy of %s: %w", owner, err)
		}
		statements = append(statements, newStatement(s, owner))
	}
	return statements, nil
}

// Authorize decides a call by the caller in ctx, for resources of wire.Account
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html).
// The one difference from AWS: requests over the loopback interface count as sent over
// TLS. It is a wire.Authorize.
func (e *Engine) Authorize(ctx context.Context, action, resource string, keys map[string]string) error {
	caller := wire.Caller(ctx)
	v := e.decide(caller, action, resource, requestContext(ctx, keys))
	switch {
	case v.denied:
		return e.refusal(caller, action, resource, "with an explicit deny in a policy")
	case !v.granted(caller, resource):
		return e.refusal(caller, action, resource, "because no identity-based policy allows the "+action+" action")
	}
	return nil
}

// requestContext adds the global condition keys to those of the request. A service has no
// aws:PrincipalArn, and only a service has the keys of a source ("AWS global condition
// context keys").
func requestContext(ctx context.Context, keys map[string]string) values {
	all := map[string]string{"aws:SecureTransport": "true"}
	if caller := wire.Caller(ctx); account(caller) != "" {
		all["aws:PrincipalArn"] = caller
	}
	if source := wire.Source(ctx); source != "" {
		// A bucket's ARN names no account: the bucket belongs to this machine's account.
		all["aws:SourceArn"], all["aws:SourceAccount"] = source, cmp.Or(account(source), wire.Account)
	}
	for name, value := range wire.PrincipalTags(ctx) {
		all["aws:PrincipalTag/"+name] = value
	}
	maps.Copy(all, keys)
	return single(all)
}

// verdict is what the policies say about a call, separately.
type verdict struct {
	denied    bool // by any statement
	own       bool // allowed by the caller's own policies
	named     bool // allowed by the resource's policy, to the caller
	delegated bool // allowed by the resource's policy, to the caller's account
}

// granted combines what the policies allow. Within the account either side is enough, and
// its root needs nothing. From another account both sides must allow ("Cross-account
// policy evaluation logic"). For a KMS key, an account's own policies and its root count
// only if the key's policy lets the account ("Key policies in AWS KMS"). A service has no
// policies of its own.
func (v verdict) granted(caller, resource string) bool {
	switch account(caller) {
	case "":
		return v.named
	case wire.Account:
		if key(resource) {
			return v.named || v.own && v.delegated
		}
		return v.named || v.own || caller == Root
	default:
		return v.own && (v.named || v.delegated)
	}
}

// key reports whether the ARN names a KMS key.
func key(arn string) bool {
	return strings.HasPrefix(arn, "arn:aws:kms:") && strings.Contains(arn, ":key/")
}

// account returns the account that an ARN names; empty for services, which have no ARN.
func account(arn string) string {
	parts := strings.SplitN(arn, ":", arnParts)
	if len(parts) < arnParts {
		return ""
	}
	return parts[4]
}

func (e *Engine) decide(caller, action, resource string, keys values) (v verdict) {
	action = strings.ToLower(action)
	for _, s := range e.identities[caller] {
		if s.matches(action, resource, keys) {
			v.denied = v.denied || s.Effect == "Deny"
			v.own = v.own || s.Effect == "Allow"
			e.note(s, action, resource)
		}
	}
	for _, policy := range e.resources {
		if resource != policy.resource && !strings.HasPrefix(resource, policy.resource+"/") {
			continue
		}
		for _, s := range policy.statements {
			named, delegated := s.names(caller)
			if (named || delegated) && s.matches(action, resource, keys) {
				v.denied = v.denied || s.Effect == "Deny"
				v.named = v.named || s.Effect == "Allow" && named
				v.delegated = v.delegated || s.Effect == "Allow" && delegated
			}
		}
	}
	return v
}

// note records which actions and resources of the statement a call needed.
func (e *Engine) note(s *statement, action, resource string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, a := range s.actions {
		if !Wildcard(a, action) {
			continue
		}
		for _, r := range s.Resource {
			if Wildcard(r, resource) {
				e.used[use{s, s.Action[i], r}] = true
			}
		}
	}
}

// Unused lists the grants of roles that no call has needed so far, for the services that
// are run here.
func (e *Engine) Unused(services ...string) (grants []Grant) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, statements := range e.identities {
		for _, s := range statements {
			grants = append(grants, e.unused(s, services)...)
		}
	}
	slices.SortFunc(grants, func(a, b Grant) int { return cmp.Compare(a.String(), b.String()) })
	return slices.Compact(grants)
}

func (e *Engine) unused(s *statement, services []string) (grants []Grant) {
	if s.Effect != "Allow" {
		return nil
	}
	for _, action := range s.Action {
		service, _, _ := strings.Cut(action, ":")
		for _, resource := range s.Resource {
			if slices.Contains(services, service) && !e.used[use{s, action, resource}] {
				grants = append(grants, Grant{s.owner, action, resource})
			}
		}
	}
	return grants
}

// refusal words a refusal as the called service would, or as most services would if its
// words are not known.
func (e *Engine) refusal(caller, action, resource, reason string) error {
	service, _, _ := strings.Cut(action, ":")
	code, known := e.denied[service]
	if !known {
		code = wire.Speaks(service).Denied
	}
	return code.Error(fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s", cmp.Or(caller, "anonymous"), action, resource, reason))
}
