package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// authorization is what a function is told about the token of a request.
type authorization struct {
	JWT struct {
		Claims map[string]string `json:"claims"`
		Scopes []string          `json:"scopes"` // those of the route that the token has
	} `json:"jwt"`
}

// refusal is why a request is refused.
type refusal struct {
	status    int
	challenge string // of the WWW-Authenticate header
}

func unauthorized(description string) *refusal {
	if description == "" {
		return &refusal{http.StatusUnauthorized, "Bearer"}
	}
	return &refusal{http.StatusUnauthorized, fmt.Sprintf(`Bearer scope="" error="invalid_token" error_description=%q`, description)}
}

// authorize checks a request's token as a JWT authorizer does
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html),
// and returns what the function is told about it.
func (s *Service) authorize(header string, z Authorizer, scopes []string) (*authorization, *refusal) {
	parts := strings.Fields(header)
	if len(parts) > 0 && strings.EqualFold(parts[0], "Bearer") {
		parts = parts[1:]
	}
	if len(parts) == 0 {
		return nil, unauthorized("")
	}
	claims, refused := s.verify(strings.Join(parts, " "), z)
	if refused != nil {
		return nil, refused
	}
	allowed := new(authorization)
	allowed.JWT.Claims = make(map[string]string, len(claims))
	for name, value := range claims {
		allowed.JWT.Claims[name] = text(value)
	}
	if len(scopes) == 0 {
		return allowed, nil
	}
	for _, scope := range scopesOf(claims) {
		if slices.Contains(scopes, scope) {
			allowed.JWT.Scopes = append(allowed.JWT.Scopes, scope)
		}
	}
	if len(allowed.JWT.Scopes) == 0 {
		return nil, &refusal{http.StatusForbidden,
			fmt.Sprintf(`Bearer scope=%q error="insufficient_scope"`, strings.Join(scopes, " "))}
	}
	return allowed, nil
}

// verify checks the signature, then the issuer and the audience, then the times.
func (s *Service) verify(token string, z Authorizer) (map[string]any, *refusal) {
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512})
	if err != nil {
		return nil, unauthorized("the token is not a signed JWT")
	}
	keys, known := s.keys(z.JwtConfiguration.Issuer)
	if !known {
		return nil, unauthorized("the issuer's keys are not known")
	}
	var registered struct {
		jwt.Claims
		ClientID string `json:"client_id"`
	}
	var claims map[string]any
	if err := parsed.Claims(keys, &registered, &claims); err != nil {
		return nil, unauthorized("the signature is invalid")
	}
	audience := registered.Audience
	if len(audience) == 0 {
		audience = jwt.Audience{registered.ClientID}
	}
	now := time.Now()
	switch {
	case registered.Issuer != z.JwtConfiguration.Issuer:
		return nil, unauthorized("the token has an invalid issuer")
	case !slices.ContainsFunc(z.JwtConfiguration.Audience, audience.Contains):
		return nil, unauthorized("the token does not have a valid audience")
	case registered.Expiry == nil || !now.Before(registered.Expiry.Time()):
		return nil, unauthorized("the token has expired")
	case registered.NotBefore != nil && now.Before(registered.NotBefore.Time()):
		return nil, unauthorized("the token is not valid yet")
	case registered.IssuedAt != nil && now.Before(registered.IssuedAt.Time()):
		return nil, unauthorized("the token was issued in the future")
	}
	return claims, nil
}

func scopesOf(claims map[string]any) []string {
	for _, name := range []string{"scope", "scp"} {
		switch value := claims[name].(type) {
		case string:
			return strings.Fields(value)
		case []any:
			var scopes []string
			for _, scope := range value {
				scopes = append(scopes, text(scope))
			}
			return scopes
		}
	}
	return nil
}

// text returns a claim as functions see it: always a string, a list as [a b].
func text(claim any) string {
	switch claim := claim.(type) {
	case string:
		return claim
	case float64:
		return json.Number(fmt.Sprintf("%.15g", claim)).String()
	case []any:
		parts := make([]string, len(claim))
		for i := range claim {
			parts[i] = text(claim[i])
		}
		return "[" + strings.Join(parts, " ") + "]"
	case map[string]any:
		encoded, _ := json.Marshal(claim) // it came from JSON
		return string(encoded)
	}
	return fmt.Sprint(claim)
}
