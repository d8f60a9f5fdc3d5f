package local

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"hl7lake/local/fault"
	"hl7lake/local/wire"
)

// gateway serves every service on one port. A signed request says in its credential scope
// which service it is for. An unsigned request is for the first service that takes it.
type gateway struct {
	keys     *keyring
	services map[string]spoken // by the name in the credential scope
	unsigned []unsigned
	faults   *fault.Injector // fail the calls of functions; nil: none
	process  func(trace string) (fault.Process, bool)
}

// spoken is a service that answers signed calls.
type spoken struct {
	http.Handler
	dialect wire.Dialect
}

// gateway leads to the lake's services.
func (l *Lake) gateway() *gateway {
	g := &gateway{keys: l.keys, services: map[string]spoken{}, faults: l.faults, process: l.lambda.Process}
	for _, s := range l.services {
		if handler, answers := s.(http.Handler); answers {
			g.services[s.Dialect().Service] = spoken{handler, s.Dialect()}
		}
		if s, takes := s.(unsigned); takes {
			g.unsigned = append(g.unsigned, s)
		}
	}
	return g
}

// ServeHTTP passes the request on to its service.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if accessKey, service, signed := credentialScope(r); signed {
		g.serveSigned(w, r, accessKey, service)
		return
	}
	for _, s := range g.unsigned {
		if handler := s.Unsigned(r); handler != nil {
			handler.ServeHTTP(w, r)
			return
		}
	}
	http.NotFound(w, r)
}

func (g *gateway) serveSigned(w http.ResponseWriter, r *http.Request, accessKey, service string) {
	called, known := g.services[service]
	if !known {
		called.dialect = wire.Speaks(service)
	}
	signer, err := g.signer(r, accessKey, called.dialect)
	if err != nil {
		wire.Refuse(w, r, service, err)
		return
	}
	if !known {
		wire.Refuse(w, r, service, wire.NotRun(service, wire.ActionOf(r)))
		return
	}
	ctx := wire.WithPrincipalTags(wire.WithCaller(r.Context(), signer.arn), signer.tags)
	r = r.WithContext(ctx)
	if by, struck := g.caller(r); struck {
		g.faults.Serve(w, r, called.dialect, by, called)
		return
	}
	called.ServeHTTP(w, r)
}

// signer returns the signer of a request, if their key and their session's token are
// still valid (IAM User Guide, Use temporary credentials with AWS resources). It verifies
// a signature only in a presigned address.
func (g *gateway) signer(r *http.Request, accessKey string, called wire.Dialect) (session, error) {
	signer, known := g.keys.find(accessKey)
	token := cmp.Or(r.Header.Get("X-Amz-Security-Token"), r.URL.Query().Get("X-Amz-Security-Token"))
	const invalid, expired = "The security token included in the request is invalid.", "The security token included in the request is expired"
	switch {
	case !known:
		return session{}, called.UnknownKey.Error(invalid)
	case token != signer.credentials.SessionToken:
		return session{}, called.WrongToken.Error(invalid)
	case !signer.expires.IsZero() && !time.Now().Before(signer.expires):
		return session{}, called.Expired.Error(expired)
	case isPresigned(r):
		return signer, checkPresigned(r, signer.credentials, time.Now())
	}
	return signer, nil
}

// caller returns the function's process that makes a request, if there are faults for it.
func (g *gateway) caller(r *http.Request) (fault.Process, bool) {
	trace := r.Header.Get("X-Amzn-Trace-Id")
	if g.faults == nil || trace == "" {
		return fault.Process{}, false
	}
	return g.process(trace)
}

// credentialScope reads who signed a request, and for which service: from the
// Authorization header or, in a presigned URL, the query
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html).
func credentialScope(r *http.Request) (accessKey, service string, signed bool) {
	credential := r.URL.Query().Get("X-Amz-Credential")
	if header, is := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 "); is {
		_, credential, _ = strings.Cut(header, "Credential=")
		credential, _, _ = strings.Cut(credential, ",")
	}
	parts := strings.Split(credential, "/") // key, date, region, service, aws4_request
	if len(parts) != 5 {
		return "", "", false
	}
	return parts[0], parts[3], true
}
