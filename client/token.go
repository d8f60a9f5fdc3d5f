package client

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"time"
)

// TokenSource gives the ID token of a signed-in user, or the access token of a machine
// client. It is called before every request and may be called from several goroutines at
// once.
type TokenSource func(context.Context) (string, error)

// Token is a TokenSource for a single token that was obtained elsewhere.
func Token(token string) TokenSource {
	return func(context.Context) (string, error) { return token, nil }
}

// tokenMargin is how long before its expiry a token is no longer used, so that it does
// not expire on its way.
const tokenMargin = time.Minute

// renewing returns a TokenSource that keeps a token, and gets another one shortly before
// its lifetime is over.
func renewing(get func(context.Context) (token string, lifetime time.Duration, err error)) TokenSource {
	var (
		mu      sync.Mutex
		token   string
		expires time.Time
	)
	return func(ctx context.Context) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if token != "" && time.Now().Before(expires) {
			return token, nil
		}
		fresh, lifetime, err := get(ctx)
		if err != nil {
			return "", err
		}
		token, expires = fresh, time.Now().Add(lifetime-tokenMargin)
		return token, nil
	}
}

// Claims is what a client needs to know of a token of the user pool.
type Claims struct {
	Write string `json:"custom:write"` // the institution that the user may send for; in ID tokens
	Scope string `json:"scope"`        // scopes with spaces between them; in access tokens
}

// writeScope comes before an institution's name in a machine's scope.
const writeScope = "lake/write."

// Institution returns the institution that the bearer of the token may send for, or "".
func (c Claims) Institution() string {
	for scope := range strings.FieldsSeq(c.Scope) {
		if institution, ok := strings.CutPrefix(scope, writeScope); ok {
			return institution
		}
	}
	return c.Write
}

// ReadClaims returns the claims of a token without verifying it, which only the lake
// does. They are empty if the token is not a JSON Web Token.
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
