package cognito

import (
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"hl7lake/local/wire"
)

// IDClaims returns the claims of an ID token of one of the pools that is good now. The
// error is the one that an identity pool gives to who brings another.
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
