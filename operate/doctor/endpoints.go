package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"hl7lake/client"
	"hl7lake/internal/contract"
)

// endpoints are a deployed lake as anybody on the network sees it, without credentials.
type endpoints struct {
	outputs       client.Outputs
	configuration aws.Config
}

// maxAnswer is how many bytes of an answer are read at most.
const maxAnswer = 1 << 20

// heard is an answer that was read to its end.
type heard struct {
	status int
	date   string // the header Date
	body   []byte
}

// reach sends a request to an address and reads the answer.
func reach(ctx context.Context, method, address string) (heard, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return heard{}, err
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return heard{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return heard{status: response.StatusCode, date: response.Header.Get("Date"), body: body}, err
}

// unreachable returns the finding for an address that does not answer.
func unreachable(err error) Finding {
	return Finding{Verdict: Fail, Text: "no answer: " + err.Error(),
		Next: "Look at this machine's network, name resolution and proxy; then whether the stack is deployed."}
}

func (e endpoints) apiAddress() (string, error) {
	address, err := e.outputs.Get(client.OutputAPI)
	return strings.TrimSuffix(address, "/") + "/messages/none", err
}

// api checks that a request without a token is refused.
func (e endpoints) api(ctx context.Context) (Finding, error) {
	address, err := e.apiAddress()
	if err != nil {
		return Finding{}, err
	}
	answer, err := reach(ctx, http.MethodGet, address)
	switch {
	case err != nil:
		return unreachable(err), nil
	case answer.status == http.StatusUnauthorized:
		return Finding{Verdict: OK, Text: "answers 401 without a token"}, nil
	case answer.status >= 500:
		return Finding{Verdict: Fail, Text: fmt.Sprintf("answers %d, want 401 without a token", answer.status),
			Next: "See docs/runbook/api-errors.md."}, nil
	}
	return Finding{Verdict: Fail, Text: fmt.Sprintf("answers %d without a token, want 401", answer.status),
		Next: "Is " + client.OutputAPI + " this lake's address, and nothing in between? " +
			"Then npx cdk diff shows whether the route's authorizer is there."}, nil
}

// How far apart the clocks may be. A request must reach AWS within five minutes of its
// time stamp (IAM user guide, "AWS Signature Version 4 for API requests").
const (
	skewWarn = time.Minute
	skewFail = 5 * time.Minute
)

// clock compares this machine's time with the time in the API's answers, which is in
// whole seconds.
func (e endpoints) clock(ctx context.Context) (Finding, error) {
	address, err := e.apiAddress()
	if err != nil {
		return Finding{}, err
	}
	asked := time.Now()
	answer, err := reach(ctx, http.MethodGet, address)
	if err != nil {
		return Finding{Verdict: Skip, Text: "the API does not answer"}, nil // the probe of the API has told that
	}
	here := asked.Add(time.Since(asked) / 2)
	date, err := http.ParseTime(answer.date)
	if err != nil {
		return Finding{Verdict: Skip, Text: "the API's answer has no date"}, nil
	}
	apart := here.Sub(date).Round(time.Second)
	finding := Finding{Verdict: Warn, Text: fmt.Sprintf("%v ahead of AWS's", apart),
		Next: "Set this machine's clock by NTP: AWS refuses what was signed five minutes off."}
	if apart < 0 {
		finding.Text = fmt.Sprintf("%v behind AWS's", -apart)
	}
	switch {
	case apart.Abs() >= skewFail:
		finding.Verdict = Fail
	case apart.Abs() < skewWarn:
		return Finding{Verdict: OK, Text: "agrees with AWS's"}, nil
	}
	return finding, nil
}

// issuerAddresses returns the issuer of the lake's tokens, and the address at which it
// answers. The two are the same on AWS, and differ on one machine or an emulator (Cognito
// developer guide, "Verifying JSON web tokens").
func (e endpoints) issuerAddresses() (name, address string, err error) {
	pool, err := e.outputs.Get(client.OutputPool)
	if err != nil {
		return "", "", err
	}
	region, _, _ := strings.Cut(pool, "_")
	name = "https://cognito-idp." + region + ".amazonaws.com/" + pool
	if endpoint := aws.ToString(e.configuration.BaseEndpoint); endpoint != "" {
		return name, strings.TrimSuffix(endpoint, "/") + "/" + pool, nil
	}
	return name, name, nil
}

// document reads a JSON document of the issuer. If it cannot, wrong is the finding; else
// wrong's verdict is "".
func (e endpoints) document(ctx context.Context, page string, into any) (wrong Finding, err error) {
	_, issuer, err := e.issuerAddresses()
	if err != nil {
		return wrong, err
	}
	address := issuer + "/.well-known/" + page
	answer, err := reach(ctx, http.MethodGet, address)
	if err != nil {
		return unreachable(err), nil
	}
	if answer.status != http.StatusOK || json.Unmarshal(answer.body, into) != nil {
		return Finding{Verdict: Fail, Text: fmt.Sprintf("%s answers %d, want 200 with JSON", address, answer.status),
			Next: "Without it no token is accepted. Is the user pool of " + client.OutputPool + " still there?"}, nil
	}
	return wrong, nil
}

// issuer checks the configuration that the API's authorizer reads first.
func (e endpoints) issuer(ctx context.Context) (Finding, error) {
	var configuration struct {
		Issuer string
		Keys   string `json:"jwks_uri"`
	}
	if wrong, err := e.document(ctx, "openid-configuration", &configuration); wrong.Verdict != "" || err != nil {
		return wrong, err
	}
	name, _, err := e.issuerAddresses()
	if err != nil {
		return Finding{}, err
	}
	if configuration.Issuer != name || configuration.Keys == "" {
		text := fmt.Sprintf("calls itself %q with keys at %q, want %q", configuration.Issuer, configuration.Keys, name)
		return Finding{Verdict: Fail, Text: text,
			Next: "The API would refuse its tokens. Is the outputs file that of one deployment?"}, nil
	}
	return Finding{Verdict: OK, Text: name}, nil
}

// keys checks the public keys that verify tokens.
func (e endpoints) keys(ctx context.Context) (Finding, error) {
	var set struct{ Keys []struct{ Kid, Kty string } }
	if wrong, err := e.document(ctx, "jwks.json", &set); wrong.Verdict != "" || err != nil {
		return wrong, err
	}
	usable := 0
	for _, key := range set.Keys {
		if key.Kid != "" && key.Kty != "" {
			usable++
		}
	}
	if usable == 0 {
		return Finding{Verdict: Fail, Text: "the issuer has no key, so no token can be verified",
			Next: "Ask AWS Support: a user pool always has keys."}, nil
	}
	return Finding{Verdict: OK, Text: fmt.Sprintf("%d to verify tokens by", usable)}, nil
}

// signIn asks for a token with an empty request, and checks that it is refused in OAuth's
// words (RFC 6749, 5.2; Cognito developer guide, "The token issuer endpoint"). A domain
// that does not exist answers in other words or not at all.
func (e endpoints) signIn(ctx context.Context) (Finding, error) {
	address, err := e.outputs.Get(contract.OutputSignIn)
	if err != nil {
		return Finding{}, err
	}
	answer, err := reach(ctx, http.MethodPost, strings.TrimSuffix(address, "/")+"/oauth2/token")
	if err != nil {
		return unreachable(err), nil
	}
	var refusal struct{ Error string }
	if answer.status/100 != 4 || json.Unmarshal(answer.body, &refusal) != nil || refusal.Error == "" {
		return Finding{Verdict: Fail, Text: fmt.Sprintf("%s/oauth2/token answers %d, want a refusal by OAuth", address, answer.status),
			Next: "A new domain takes some minutes. If it stays so, npx cdk diff shows whether the user pool's domain is there."}, nil
	}
	return Finding{Verdict: OK, Text: address + " answers"}, nil
}

// console checks that the console's page is served to a browser that has no token.
func (e endpoints) console(ctx context.Context) (Finding, error) {
	address, err := e.outputs.Get(contract.OutputConsole)
	if err != nil {
		return Finding{}, err
	}
	answer, err := reach(ctx, http.MethodGet, address)
	switch {
	case err != nil:
		return unreachable(err), nil
	case answer.status != http.StatusOK || !bytes.Contains(answer.body, []byte("/console/main.js")):
		return Finding{Verdict: Fail, Text: fmt.Sprintf("%s answers %d, want the console's page", address, answer.status),
			Next: "Is " + contract.OutputConsole + " this lake's address, and nothing in between? " +
				"Then npx cdk diff shows whether the route is there, and lets anybody in."}, nil
	}
	return Finding{Verdict: OK, Text: address + " answers"}, nil
}
