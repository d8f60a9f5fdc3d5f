package client

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
)

// TokenSource gives the ID token of a signed-in user. It is called before every
// request and may be called from several goroutines at once.
type TokenSource func(context.Context) (string, error)

// Token is a TokenSource for a single token that was obtained elsewhere.
func Token(token string) TokenSource {
	return func(context.Context) (string, error) { return token, nil }
}

// Claims are what a token of the user pool says of its user, as far as a client asks.
type Claims struct {
	Write string `json:"custom:write"` // the institution that the user may send for; in ID tokens
	Scope string `json:"scope"`        // scopes with spaces between them; in access tokens
}

// ReadClaims returns the claims of a token without verifying it, which only the lake does.
// They are empty if the token is not a JSON Web Token.
func ReadClaims(token string) Claims {
	_, rest, _ := strings.Cut(token, ".")
	payload, _, _ := strings.Cut(rest, ".")
	text, err := base64.RawURLEncoding.DecodeString(payload)
	var claims Claims
	if err != nil || json.Unmarshal(text, &claims) != nil {
		return Claims{}
	}
	return claims
}
