// Package caller says who makes a request and for which institution, from the token that
// API Gateway has verified.
package caller

import (
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
)

// Caller is who makes a request.
type Caller struct {
	Subject string   // the token's sub: a user's id, or a machine client's; "" without a token
	Write   string   // the institution to write for; "" for none
	Read    []string // the institutions whose messages to read; nil for none
	Operate string   // the institution whose messages to operate on: see, replay, forget; "" for none
}

// MayRead reports whether the caller may read the messages of owner, with their content.
func (c Caller) MayRead(owner string) bool { return owner != "" && slices.Contains(c.Read, owner) }

// MayOperate reports whether the caller may operate on the messages of owner.
func (c Caller) MayOperate(owner string) bool { return owner != "" && c.Operate == owner }

// MaySee reports whether the caller may see that the messages of owner exist, and what
// became of them. Their content is only for those who may read it.
func (c Caller) MaySee(owner string) bool { return c.MayRead(owner) || c.MayOperate(owner) }

// Sees returns the institutions whose messages the caller may see, each once.
func (c Caller) Sees() []string {
	if c.Operate == "" || c.MayRead(c.Operate) {
		return c.Read
	}
	return append(slices.Clip(c.Read), c.Operate)
}

// The scopes of a machine's token, followed by an institution's name.
const (
	writeScope = "lake/write."
	readScope  = "lake/read."
)

// Of is who makes the request. An ID token, a user's, says so by its claims
// custom:write, custom:operate, custom:read, custom:read2 and so on, which each hold
// exactly one name. An access token, a machine's, says so by its scopes (Amazon Cognito,
// Scopes, M2M, and resource servers): of each kind exactly one. A message has one owner,
// so nobody writes for two. No scope lets a machine operate: that is for people. Neither
// kind is believed what only the other can say.
func Of(request events.APIGatewayV2HTTPRequest) Caller {
	authorizer := request.RequestContext.Authorizer
	if authorizer == nil || authorizer.JWT == nil {
		return Caller{}
	}
	claims := authorizer.JWT.Claims
	of := Caller{Subject: claims["sub"]}
	write, operate := claims[contract.ClaimPrefix+contract.AttributeWrite], claims[contract.ClaimPrefix+contract.AttributeOperate]
	var read []string
	for _, name := range []string{contract.AttributeRead, contract.AttributeRead2, contract.AttributeRead3, contract.AttributeRead4} {
		read = append(read, claims[contract.ClaimPrefix+name])
	}
	if claims["token_use"] == "access" {
		write, read, operate = scoped(claims["scope"], writeScope), []string{scoped(claims["scope"], readScope)}, ""
	}
	if hub.ValidOwner(write) {
		of.Write = write
	}
	if hub.ValidOwner(operate) {
		of.Operate = operate
	}
	for _, name := range read {
		if hub.ValidOwner(name) && !of.MayRead(name) {
			of.Read = append(of.Read, name)
		}
	}
	return of
}

// scoped returns the name after the prefix in the only scope that has it, or "" if there
// is none or more than one.
func scoped(scopes, prefix string) (name string) {
	for scope := range strings.FieldsSeq(scopes) {
		if rest, ok := strings.CutPrefix(scope, prefix); ok {
			if name != "" {
				return ""
			}
			name = rest
		}
	}
	return name
}
