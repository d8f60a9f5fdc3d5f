package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"hl7lake/internal/contract"
)

// OutputSignIn is the output with the address of the sign-in pages and of /oauth2/token.
const OutputSignIn = contract.OutputSignIn

// Machine returns a TokenSource for a machine client of the user pool, such as that of an
// interface engine. It asks for a token on first use, and again when the token is about
// to expire (client credentials, RFC 6749, 4.4). The token has all scopes of the client.
func (c Connection) Machine(clientID, secret string) (TokenSource, error) {
	address, err := c.Outputs.Get(OutputSignIn)
	if err != nil {
		return nil, err
	}
	endpoint := strings.TrimSuffix(address, "/") + "/oauth2/token"
	asking := &http.Client{Timeout: answerTimeout}
	return renewing(func(ctx context.Context) (string, time.Duration, error) {
		return machineToken(ctx, asking, endpoint, clientID, secret)
	}), nil
}

// machineToken asks for a token, and returns it with its lifetime.
func machineToken(ctx context.Context, asking *http.Client, endpoint, clientID, secret string) (string, time.Duration, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return "", 0, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(url.QueryEscape(clientID), url.QueryEscape(secret)) // RFC 6749, 2.3.1
	response, err := asking.Do(request)
	if err != nil {
		return "", 0, fmt.Errorf("sign in as %s: %w", clientID, cause(err))
	}
	defer response.Body.Close()
	var answer struct {
		Token   string `json:"access_token"`
		Expires int    `json:"expires_in"` // seconds
		Error   string `json:"error"`      // RFC 6749, 5.2
	}
	err = json.NewDecoder(response.Body).Decode(&answer)
	switch {
	case answer.Error == "invalid_client":
		return "", 0, &SignInError{Email: clientID, Reason: "unknown client or wrong secret"}
	case err != nil || response.StatusCode != http.StatusOK || answer.Token == "":
		return "", 0, &SignInError{Email: clientID, Reason: fmt.Sprintf("%s answers %d without a token", endpoint, response.StatusCode), Err: err}
	}
	return answer.Token, time.Duration(answer.Expires) * time.Second, nil
}
