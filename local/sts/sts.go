// Package sts says who a caller is. The AWS CLI and the CDK ask that first.
package sts

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"hl7lake/local/iam"
	"hl7lake/local/resource"
	"hl7lake/local/wire"
)

// Service has the only operation of AWS STS that is run, GetCallerIdentity.
type Service struct{ http.Handler }

// Dialect is that of STS.
func (Service) Dialect() wire.Dialect { return wire.SpeaksQuery("sts") }

// Resources returns none.
func (Service) Resources() []resource.Type { return nil }

// New returns AWS STS in its Query protocol. Nobody needs a permission to ask who they
// are (AWS STS API Reference, GetCallerIdentity).
func New() Service {
	return Service{wire.Query("https://sts.amazonaws.com/doc/2011-06-15/", map[string]wire.QueryOperation{
		"GetCallerIdentity": func(ctx context.Context, _ url.Values) (any, error) { return identityOf(wire.Caller(ctx)), nil },
	})}
}

// identity is the result of GetCallerIdentity.
type identity struct {
	Arn     string
	UserID  string `xml:"UserId"`
	Account string
}

// identityOf returns the identity of the account's root user, or of a role's session.
func identityOf(caller string) identity {
	if caller == iam.Root {
		return identity{caller, wire.Account, wire.Account}
	}
	role := caller[strings.LastIndexByte(caller, '/')+1:]
	return identity{"arn:aws:sts::" + wire.Account + ":assumed-role/" + role + "/local", "AROALOCAL:local", wire.Account}
}
