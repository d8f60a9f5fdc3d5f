// Package caller says who makes a request and for which institution, by the
// token that API Gateway has verified.
package caller

import (
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"hl7lake/internal/hub"
)

// Caller is who makes a request.
type Caller struct {
	Subject string // the token's sub: a user's id, or a machine client's; "" without a token
	Write   string // the institution to write for; "" for none
	Read    string // the institution whose messages to read; "" for none
}

// The scopes of a machine's token, an institution's name behind them.
const (
	writeScope = "lake/write."
	readScope  = "lake/read."
)

// Of is who makes the request. An ID token, a user's, says so by its claims
// custom:write and custom:read, which each hold exactly one name. An access
// token, a machine's, says so by its scopes (Amazon Cognito, Scopes, M2M, and
// resource servers): of each kind exactly one, since a message has one owner.
// Neither kind is believed what only the other can say.
func Of(request events.APIGatewayV2HTTPRequest) Caller {
	authorizer := request.RequestContext.Authorizer
	if authorizer == nil || authorizer.JWT == nil {
		return Caller{}
	}
	claims := authorizer.JWT.Claims
	of := Caller{Subject: claims["sub"], Write: claims["custom:write"], Read: claims["custom:read"]}
	if claims["token_use"] == "access" {
		of.Write, of.Read = scoped(claims["scope"], writeScope), scoped(claims["scope"], readScope)
	}
	if !hub.ValidOwner(of.Write) {
		of.Write = ""
	}
	if !hub.ValidOwner(of.Read) {
		of.Read = ""
	}
	return of
}

// scoped is the name behind the prefix in the one scope that has it, "" where
// there is none or more than one.
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
