package cognito_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"

	"hl7lake/internal/testing/answer"
	"hl7lake/local/cognito"
	"hl7lake/local/store"
	"hl7lake/local/wire"
)

const (
	poolID   = "us-east-1_TESTPOOL1"
	clientID = "abcdefghijklmnopqrstuvwxyz"
	issuer   = "https://cognito-idp.us-east-1.amazonaws.com/" + poolID
	email    = "ada.admin@example.org"
	good     = "Correct-horse-42"

	poolProperties = `{"UsernameAttributes":["email"],"UsernameConfiguration":{"CaseSensitive":false},
		"AutoVerifiedAttributes":["email"],"AdminCreateUserConfig":{"AllowAdminCreateUserOnly":true},
		"Policies":{"PasswordPolicy":{"MinimumLength":12,"RequireLowercase":true,"RequireNumbers":true,
			"RequireSymbols":true,"RequireUppercase":true,"TemporaryPasswordValidityDays":3}},
		"Schema":[{"AttributeDataType":"String","Mutable":true,"Name":"read","StringAttributeConstraints":{"MaxLength":"64","MinLength":"1"}},
			{"AttributeDataType":"String","Mutable":false,"Name":"fixed"}]}`
	clientProperties = `{"UserPoolId":"` + poolID + `","AccessTokenValidity":60,"IdTokenValidity":5,"RefreshTokenValidity":1440,
		"TokenValidityUnits":{"AccessToken":"minutes","IdToken":"minutes","RefreshToken":"minutes"},
		"ExplicitAuthFlows":["ALLOW_USER_PASSWORD_AUTH","ALLOW_REFRESH_TOKEN_AUTH"],"PreventUserExistenceErrors":"ENABLED",
		"ReadAttributes":["custom:read","email","name"],"WriteAttributes":["name"],"SupportedIdentityProviders":["COGNITO"],
		"AllowedOAuthFlowsUserPoolClient":false,"EnableTokenRevocation":true}`
)

// rig is a service with one pool and client, and the SDK talking to it.
type rig struct {
	*cip.Client
	service *cognito.Service
	server  *httptest.Server
}

func allow(context.Context, string, string, map[string]string) error { return nil }

func start(t *testing.T, path string) rig {
	t.Helper()
	kept, err := store.Open(path, store.Fleeting)
	if err != nil {
		t.Fatal(err)
	}
	service := cognito.New(kept, allow)
	add(t, service, poolProperties, clientProperties)
	server := httptest.NewServer(service)
	t.Cleanup(func() {
		server.Close()
		if err := kept.Close(); err != nil {
			t.Error(err)
		}
	})
	return rig{cip.New(cip.Options{
		Region: wire.Region, BaseEndpoint: &server.URL, RetryMaxAttempts: 1, HTTPClient: answer.Whole{},
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	}), service, server}
}

func add(t *testing.T, service *cognito.Service, poolText, clientText string) {
	t.Helper()
	var pool cognito.UserPool
	var client cognito.UserPoolClient
	err := errors.Join(json.Unmarshal([]byte(poolText), &pool), json.Unmarshal([]byte(clientText), &client))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(service.AddUserPool(poolID, pool), service.AddUserPoolClient(clientID, client)); err != nil {
		t.Fatal(err)
	}
}

func started(t *testing.T) rig { return start(t, filepath.Join(t.TempDir(), "db")) }

// create creates a user with a valid temporary password.
func (r rig) create(t *testing.T, name string, attributes ...types.AttributeType) *types.UserType {
	t.Helper()
	output, err := r.AdminCreateUser(t.Context(), &cip.AdminCreateUserInput{
		UserPoolId: aws.String(poolID), Username: &name, TemporaryPassword: aws.String(good),
		MessageAction: types.MessageActionTypeSuppress, UserAttributes: attributes,
	})
	if err != nil {
		t.Fatal(err)
	}
	return output.User
}

func (r rig) setPassword(t *testing.T, name, password string) {
	t.Helper()
	_, err := r.AdminSetUserPassword(t.Context(), &cip.AdminSetUserPasswordInput{
		UserPoolId: aws.String(poolID), Username: &name, Password: &password, Permanent: true,
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (r rig) signIn(ctx context.Context, name, password string) (*cip.InitiateAuthOutput, error) {
	return r.InitiateAuth(ctx, &cip.InitiateAuthInput{
		ClientId: aws.String(clientID), AuthFlow: types.AuthFlowTypeUserPasswordAuth,
		AuthParameters: map[string]string{"USERNAME": name, "PASSWORD": password},
	})
}

// signedIn creates a user with the attributes, and returns the tokens of the first
// sign-in.
func (r rig) signedIn(t *testing.T, attributes ...types.AttributeType) *types.AuthenticationResultType {
	t.Helper()
	r.create(t, email, attributes...)
	r.setPassword(t, email, good)
	output, err := r.signIn(t.Context(), email, good)
	if err != nil {
		t.Fatal(err)
	}
	return output.AuthenticationResult
}

func attribute(name, value string) types.AttributeType {
	return types.AttributeType{Name: &name, Value: &value}
}

// claims checks a token's signature and returns its claims.
func (r rig) claims(t *testing.T, token string) map[string]any {
	t.Helper()
	keys, known := r.service.Keys(issuer)
	if !known {
		t.Fatal("the issuer has no keys")
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	claims := map[string]any{}
	if err := parsed.Claims(keys, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func TestATokenHasTheClaimsThatCognitoPutsIn(t *testing.T) {
	r := started(t)
	user := r.create(t, email, attribute("custom:read", "nordspital"), attribute("email_verified", "true"), attribute("locale", "de"))
	r.setPassword(t, email, good)
	output, err := r.signIn(t.Context(), email, good)
	if err != nil {
		t.Fatal(err)
	}
	id, access := r.claims(t, *output.AuthenticationResult.IdToken), r.claims(t, *output.AuthenticationResult.AccessToken)
	if id["origin_jti"] != access["origin_jti"] || id["jti"] == access["jti"] {
		t.Error("the tokens of one sign-in share origin_jti, and not jti")
	}
	if life := id["exp"].(float64) - id["iat"].(float64); life != 300 {
		t.Errorf("the ID token lives for %v s, want 300", life)
	}
	for _, claims := range []map[string]any{id, access} {
		for _, random := range []string{"jti", "origin_jti", "event_id", "iat", "exp", "auth_time"} {
			if claims[random] == nil {
				t.Errorf("no claim %s", random)
			}
			delete(claims, random)
		}
	}
	sub := *user.Username
	want := map[string]any{"sub": sub, "iss": issuer, "aud": clientID, "token_use": "id", "cognito:username": sub,
		"email": email, "custom:read": "nordspital"}
	if diff := cmp.Diff(want, id); diff != "" {
		t.Errorf("ID token (-want +got):\n%s", diff)
	}
	want = map[string]any{"sub": sub, "iss": issuer, "client_id": clientID, "token_use": "access", "username": sub,
		"scope": "aws.cognito.signin.user.admin"}
	if diff := cmp.Diff(want, access); diff != "" {
		t.Errorf("access token (-want +got):\n%s", diff)
	}
}

func TestATemporaryPasswordLeadsToANewOneAndThenToTokens(t *testing.T) {
	r := started(t)
	r.create(t, email)
	challenge, err := r.signIn(t.Context(), email, good)
	if err != nil || challenge.ChallengeName != types.ChallengeNameTypeNewPasswordRequired {
		t.Fatalf("got %+v, %v", challenge, err)
	}
	respond := func(password string) (*cip.RespondToAuthChallengeOutput, error) {
		return r.RespondToAuthChallenge(t.Context(), &cip.RespondToAuthChallengeInput{
			ClientId: aws.String(clientID), ChallengeName: challenge.ChallengeName, Session: challenge.Session,
			ChallengeResponses: map[string]string{"USERNAME": email, "NEW_PASSWORD": password, "userAttributes.name": "Ada"},
		})
	}
	if _, err := respond("short"); code(err) != "InvalidPasswordException" {
		t.Errorf("a weak password: %v", err)
	}
	output, err := respond("Another-horse-43")
	if err != nil {
		t.Fatal(err)
	}
	if got := r.claims(t, *output.AuthenticationResult.IdToken)["name"]; got != "Ada" {
		t.Errorf("name is %v", got)
	}
	if _, err := respond("Another-horse-44"); code(err) != "NotAuthorizedException" {
		t.Errorf("the session is used again: %v", err)
	}
}

func code(err error) string {
	var refused interface{ ErrorCode() string }
	if errors.As(err, &refused) {
		return refused.ErrorCode()
	}
	return ""
}

func TestARefreshTokenKeepsTheSignInsTime(t *testing.T) {
	r := started(t)
	first := r.signedIn(t)
	refresh := func(token string) (*cip.InitiateAuthOutput, error) {
		return r.InitiateAuth(t.Context(), &cip.InitiateAuthInput{
			ClientId: aws.String(clientID), AuthFlow: types.AuthFlowTypeRefreshTokenAuth,
			AuthParameters: map[string]string{"REFRESH_TOKEN": token},
		})
	}
	second, err := refresh(*first.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	before, after := r.claims(t, *first.IdToken), r.claims(t, *second.AuthenticationResult.IdToken)
	if before["origin_jti"] != after["origin_jti"] || before["auth_time"] != after["auth_time"] {
		t.Errorf("got %v after %v", after, before)
	}
	if second.AuthenticationResult.RefreshToken != nil {
		t.Error("a refresh gives no new refresh token")
	}
	if _, err := refresh(*first.IdToken); code(err) != "NotAuthorizedException" {
		t.Errorf("an ID token is no refresh token: %v", err)
	}
}

func TestUsersAndKeysSurviveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	var token string
	t.Run("before", func(t *testing.T) {
		r := start(t, path)
		token = *r.signedIn(t).IdToken
	})
	t.Run("after", func(t *testing.T) {
		r := start(t, path)
		r.claims(t, token)
		if _, err := r.signIn(t.Context(), "ADA.Admin@example.org", good); err != nil {
			t.Error(err)
		}
	})
}

func TestThePublicKeysAreServedWhereTheIssuerSays(t *testing.T) {
	r := started(t)
	w := httptest.NewRecorder()
	r.service.ServeHTTP(w, httptest.NewRequest("GET", "/"+poolID+"/.well-known/jwks.json", nil))
	text := w.Body.Bytes()
	var served jose.JSONWebKeySet
	if err := json.Unmarshal(text, &served); err != nil || len(served.Keys) != 1 || !served.Keys[0].IsPublic() {
		t.Fatalf("got %s, %v", text, err)
	}
}
