package local

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"hl7lake/local/fault"
	"hl7lake/local/lambda"
	"hl7lake/local/wire"
)

// gateway serves every service on one port. A signed request says in its
// credential scope which service it is for; one of the Runtime API and of
// Cognito's public keys is known by its path, Cognito's unsigned operations by
// their target; all the rest is for the HTTP API.
type gateway struct {
	keys     *keyring
	services map[string]http.Handler // by the name in the credential scope
	runtime  http.Handler
	cognito  http.Handler
	identity http.Handler
	api      http.Handler
	isPool   func(path string) bool // whether a path is that of a user pool's public documents
	faults   *fault.Injector        // strike the calls of functions; nil: none
	process  func(trace string) (fault.Process, bool)
}

// ServeHTTP passes the request on to its service.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if lambda.IsRuntime(r) {
		g.runtime.ServeHTTP(w, r)
		return
	}
	accessKey, service, signed := credentialScope(r)
	switch {
	case signed:
		g.serveSigned(w, r, accessKey, service)
	case strings.HasPrefix(r.Header.Get("X-Amz-Target"), "AWSCognitoIdentityProviderService."), g.isPool(r.URL.Path):
		g.cognito.ServeHTTP(w, r)
	case strings.HasPrefix(r.Header.Get("X-Amz-Target"), "AWSCognitoIdentityService."):
		g.identity.ServeHTTP(w, r)
	default:
		g.api.ServeHTTP(w, r)
	}
}

func (g *gateway) serveSigned(w http.ResponseWriter, r *http.Request, accessKey, service string) {
	signer, err := g.signer(r, accessKey, service)
	if err != nil {
		wire.Refuse(w, r, service, err)
		return
	}
	handler, known := g.services[service]
	if !known {
		wire.Refuse(w, r, service, wire.NotRun(service, wire.ActionOf(r)))
		return
	}
	ctx := wire.WithPrincipalTags(wire.WithCaller(r.Context(), signer.arn), signer.tags)
	r = r.WithContext(ctx)
	if by, struck := g.caller(r); struck {
		g.faults.Serve(w, r, service, by, handler)
		return
	}
	handler.ServeHTTP(w, r)
}

// signer returns whoever signed a request, if they still may, and with their session's token
// (IAM User Guide, Use temporary credentials with AWS resources). A signature is verified
// where it is in an address.
func (g *gateway) signer(r *http.Request, accessKey, service string) (session, error) {
	code := func(ofS3, ofQuery, ofJSON string) string {
		switch service {
		case "s3":
			return ofS3
		case "sns", "sqs", "sts", "cloudformation":
			return ofQuery
		}
		return ofJSON
	}
	signer, known := g.keys.find(accessKey)
	token := cmp.Or(r.Header.Get("X-Amz-Security-Token"), r.URL.Query().Get("X-Amz-Security-Token"))
	const invalid, expired = "The security token included in the request is invalid.", "The security token included in the request is expired"
	switch {
	case !known:
		return session{}, &wire.Error{Status: http.StatusForbidden, Message: invalid,
			Code: code("InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException")}
	case token != signer.credentials.SessionToken:
		return session{}, &wire.Error{Status: http.StatusForbidden, Message: invalid,
			Code: code("InvalidToken", "InvalidClientTokenId", "UnrecognizedClientException")}
	case !signer.expires.IsZero() && !time.Now().Before(signer.expires):
		return session{}, &wire.Error{Status: http.StatusForbidden, Message: expired,
			Code: code("ExpiredToken", "ExpiredToken", "ExpiredTokenException")}
	case isPresigned(r):
		return signer, checkPresigned(r, signer.credentials, time.Now())
	}
	return signer, nil
}

// caller is the function's process that makes a request, where there are faults
// that can strike it.
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
