package cognito

import (
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"hl7lake/local/wire"
)

// IDClaims returns the claims of a valid ID token of one of the pools. The error is the
// one that an identity pool gives for any other token.
func (s *Service) IDClaims(token string) (map[string]any, error) {
	refused := func(reason string) (map[string]any, error) {
		return nil, &wire.Error{Status: http.StatusBadRequest, Code: "NotAuthorizedException", Message: "Invalid login token. " + reason}
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return refused("Not a valid OpenId Connect identity token.")
	}
	var registered jwt.Claims
	if err := parsed.UnsafeClaimsWithoutVerification(&registered); err != nil {
		return refused("Not a valid OpenId Connect identity token.")
	}
	keys, known := s.Keys(registered.Issuer)
	if !known {
		return refused("Issuer doesn't match providerName")
	}
	var claims map[string]any
	if err := parsed.Claims(keys, &registered, &claims); err != nil {
		return refused("Couldn't verify signed token.")
	}
	switch now := time.Now(); {
	case registered.Expiry == nil || !now.Before(registered.Expiry.Time()):
		return refused("Token expired.")
	case claims["token_use"] != "id":
		return refused("Not an ID token.")
	}
	return claims, nil
}

// SignedIn checks that the user of an ID token, whose claims IDClaims gave, was neither
// deleted nor signed out since: what an identity pool asks that has ServerSideTokenCheck
// (Amazon Cognito Federated Identities API Reference, CognitoIdentityProvider).
func (s *Service) SignedIn(claims map[string]any) error {
	issuer, _ := claims["iss"].(string)
	subject, _ := claims["sub"].(string)
	authTime, _ := claims["auth_time"].(float64)
	s.mu.RLock()
	p := s.pools[issuer[strings.LastIndex(issuer, "/")+1:]]
	s.mu.RUnlock()
	if p == nil {
		return &wire.Error{Status: http.StatusBadRequest, Code: "NotAuthorizedException", Message: "Invalid login token. Issuer doesn't match providerName"}
	}
	u, err := s.find(p, subject)
	if err != nil || u.signedOut(int64(authTime)) {
		return &wire.Error{Status: http.StatusBadRequest, Code: "NotAuthorizedException", Message: "Invalid login token. Token has been revoked"}
	}
	return nil
}
