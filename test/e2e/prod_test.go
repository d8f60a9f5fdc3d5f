package e2e_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
	"hl7lake/edge"
	"hl7lake/edge/config"
	"hl7lake/local"
	"hl7lake/local/store"
)

// prod is the folder of prod's committed templates.
const prod = "../snapshots/prod"

// TestAnEdgeSendsToProdAsAMachine, because prod signs nobody in by password.
func TestAnEdgeSendsToProdAsAMachine(t *testing.T) {
	t.Parallel()
	l := startWith(t, local.Options{Assembly: prod, Dir: t.TempDir(), Addr: "127.0.0.1:0", Durability: store.Fleeting})
	id, secret := l.machine(t, "engine-of-st-elsewhere")
	c, err := scenario.EdgeConfig(t.TempDir(), l.connection, client.User{Email: "unused@example.org", Write: scenario.Institution}, config.Delivered)
	if err != nil {
		t.Fatal(err)
	}
	c.Listeners[0].Credentials = &config.Credentials{Client: id, SecretEnv: "SECRET"}
	to := openEdge(t, c, secret).Listeners()[0].Addr()
	if codes := overMLLP(t, to, admission(1), admission(1)); !slices.Equal(codes, []string{"AA", "AA"}) {
		t.Errorf("answered %v", codes)
	}
	receipt, err := l.client(t, client.Token(l.clientCredentials(t, id, secret))).Send(t.Context(), client.Message{Body: admission(1)})
	if err != nil || !receipt.Duplicate {
		t.Errorf("posted again: %+v, %v", receipt, err)
	}
	for name, other := range map[string]config.Listener{
		"another institution": {Institution: "elsewhere", Credentials: c.Listeners[0].Credentials},
		"a wrong secret":      {Credentials: &config.Credentials{Client: id, SecretEnv: "WRONG"}},
	} {
		target, err := edge.NewTarget(c, other, func(name string) string { return map[string]string{"SECRET": secret, "WRONG": "x"}[name] })
		if err != nil {
			t.Fatal(err)
		}
		_, err = target.Send(t.Context(), client.Message{Body: admission(2)})
		institution, wrong := errors.AsType[*edge.InstitutionError](err)
		signIn, unknown := errors.AsType[*client.SignInError](err)
		if !wrong && !unknown || wrong && institution.Got != scenario.Institution || unknown && strings.Contains(signIn.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestProdRunsToo posts a message as an engine does, with a machine's token, and reads
// its JSON. People sign in to prod with SRP and a second factor.
func TestProdRunsToo(t *testing.T) {
	t.Parallel()
	l := startWith(t, local.Options{Assembly: prod, Dir: t.TempDir(), Addr: "127.0.0.1:0", Durability: store.Fleeting})
	id, secret := l.machine(t, "engine-of-st-elsewhere")
	tokens := client.Token(l.clientCredentials(t, id, secret))
	c := l.client(t, tokens)

	body := admission(1)
	r := l.mustDo(t, er7(token(t, tokens), body))
	if r.status != http.StatusCreated {
		t.Fatalf("the post is answered %d %s", r.status, r.body)
	}
	id = r.answer(t).ID
	if history := ended(t, c, id); history.Status != client.Staged {
		t.Errorf("the message ended as %s", history.Status)
	}
	if back, err := c.ER7(t.Context(), id); err != nil || string(back) != string(body) {
		t.Errorf("it comes back as %q (%v)", back, err)
	}
	if line, err := c.JSON(t.Context(), id); err != nil || !json.Valid(line) {
		t.Errorf("its JSON is %q (%v)", line, err)
	}

	mail := func(o local.LeftOut) bool {
		return o.Type == "AWS::SNS::Subscription" && o.Property == "" && o.Reason == "no mail is sent from here"
	}
	if !slices.ContainsFunc(l.NotRun(), mail) {
		t.Errorf("the subscription by e-mail is not among what is left out: %v", l.NotRun())
	}
}

// machine returns the id and the secret of the client of that name.
func (l *lake) machine(t *testing.T, name string) (id, secret string) {
	t.Helper()
	assembly, err := local.Load(prod)
	if err != nil {
		t.Fatal(err)
	}
	pool := l.output(t, client.OutputPool)
	api := cognitoidentityprovider.NewFromConfig(l.config())
	for _, r := range assembly.OfType("AWS::Cognito::UserPoolClient") {
		out, err := api.DescribeUserPoolClient(t.Context(), &cognitoidentityprovider.DescribeUserPoolClientInput{
			UserPoolId: &pool, ClientId: aws.String(r.PhysicalID)})
		if err != nil {
			t.Fatal(err)
		}
		if aws.ToString(out.UserPoolClient.ClientName) == name {
			return r.PhysicalID, aws.ToString(out.UserPoolClient.ClientSecret)
		}
	}
	t.Fatalf("there is no client %s", name)
	return "", ""
}

// clientCredentials gets an access token for a client.
func (l *lake) clientCredentials(t *testing.T, id, secret string) string {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}}.Encode()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, l.output(t, "SignInUrl")+"/oauth2/token", strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(id, secret)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var granted struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&granted); err != nil || granted.Token == "" {
		t.Fatalf("the token endpoint answers %d without a token (%v)", response.StatusCode, err)
	}
	return granted.Token
}
