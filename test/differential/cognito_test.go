package differential_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"hl7lake/local/cognito"
)

// The pool and the client that both have are the front door's.
const (
	poolProperties = `{"UsernameAttributes":["email"],"AutoVerifiedAttributes":["email"],"AdminCreateUserConfig":{"AllowAdminCreateUserOnly":true},
		"Policies":{"PasswordPolicy":{"MinimumLength":12,"RequireLowercase":true,"RequireNumbers":true,"RequireSymbols":true,"RequireUppercase":true}},
		"Schema":[{"AttributeDataType":"String","Mutable":true,"Name":"read"},{"AttributeDataType":"String","Mutable":true,"Name":"write"}]}`
	goodPassword = "Correct-horse-42"
)

func authFlows() []types.ExplicitAuthFlowsType {
	return []types.ExplicitAuthFlowsType{types.ExplicitAuthFlowsTypeAllowUserPasswordAuth, types.ExplicitAuthFlowsTypeAllowRefreshTokenAuth}
}

// userPool asks one of the two about its pool.
type userPool struct {
	*sdk.Client
	pool, client string
}

func compareCognito(t *testing.T, moto *server, agree verdict) {
	both := [2]userPool{localPool(t), motoPool(t, moto)}
	for _, step := range signIns() {
		agree(step.name, step.ask(t, both[0]), step.ask(t, both[1]))
	}
}

func localPool(t *testing.T) userPool {
	t.Helper()
	const pool, client = "us-east-1_TESTPOOL1", "abcdefghijklmnopqrstuvwxyz"
	service := cognito.New(openStore(t), allow)
	flows, err := json.Marshal(authFlows())
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(service.AddUserPool(pool, read[cognito.UserPool](t, poolProperties)),
		service.AddUserPoolClient(client, read[cognito.UserPoolClient](t, `{"UserPoolId":"`+pool+`","ExplicitAuthFlows":`+string(flows)+`,"PreventUserExistenceErrors":"LEGACY"}`)))
	if err != nil {
		t.Fatal(err)
	}
	return userPool{sdk.NewFromConfig(serve(t, service).config()), pool, client}
}

func motoPool(t *testing.T, moto *server) userPool {
	t.Helper()
	client := sdk.NewFromConfig(moto.config())
	in := read[sdk.CreateUserPoolInput](t, poolProperties)
	in.PoolName = aws.String("pool")
	pool, err := client.CreateUserPool(t.Context(), &in)
	if err != nil {
		t.Fatal(err)
	}
	app, err := client.CreateUserPoolClient(t.Context(), &sdk.CreateUserPoolClientInput{
		UserPoolId: pool.UserPool.Id, ClientName: aws.String("app"), ExplicitAuthFlows: authFlows(),
		PreventUserExistenceErrors: types.PreventUserExistenceErrorTypesLegacy,
	})
	if err != nil {
		t.Fatal(err)
	}
	return userPool{client, *pool.UserPool.Id, *app.UserPoolClient.ClientId}
}

// signIn is one step of a user's life. The steps follow each other.
type signIn struct {
	name string
	ask  func(*testing.T, userPool) string
}

func signIns() []signIn {
	const ada = "ada@example.org"
	return []signIn{
		{"create a user", func(t *testing.T, p userPool) string { return p.create(t, ada) }},
		{"create the user again", func(t *testing.T, p userPool) string { return p.create(t, ada) }},
		{"create a user without an address", func(t *testing.T, p userPool) string { return p.create(t, "no address") }},
		{"sign in with the temporary password", func(t *testing.T, p userPool) string { return p.signIn(t, ada, "Temporary-pass-1") }},
		{"set a password that is too short", func(t *testing.T, p userPool) string { return p.setPassword(t, ada, "Short-1") }},
		{"set a password without digits", func(t *testing.T, p userPool) string { return p.setPassword(t, ada, "Correct-horse-xx") }},
		{"set a password", func(t *testing.T, p userPool) string { return p.setPassword(t, ada, goodPassword) }},
		{"set the password of nobody", func(t *testing.T, p userPool) string { return p.setPassword(t, "nobody@example.org", goodPassword) }},
		{"sign in", func(t *testing.T, p userPool) string { return p.signIn(t, ada, goodPassword) }},
		{"sign in with the wrong password", func(t *testing.T, p userPool) string { return p.signIn(t, ada, "Wrong-password-1") }},
		{"sign in as nobody", func(t *testing.T, p userPool) string { return p.signIn(t, "nobody@example.org", goodPassword) }},
		{"what the ID token says", func(t *testing.T, p userPool) string {
			return p.claims(t, ada, func(r *types.AuthenticationResultType) *string { return r.IdToken })
		}},
		{"what the access token says", func(t *testing.T, p userPool) string {
			return p.claims(t, ada, func(r *types.AuthenticationResultType) *string { return r.AccessToken })
		}},
		{"a new token for a refresh token", func(t *testing.T, p userPool) string { return p.refresh(t, ada) }},
		{"a refresh token that is none", func(t *testing.T, p userPool) string { return p.refreshWith(t, "none") }},
		{"get the user", func(t *testing.T, p userPool) string { return p.get(t, ada) }},
		{"get nobody", func(t *testing.T, p userPool) string { return p.get(t, "nobody@example.org") }},
		{"change what the user may read", func(t *testing.T, p userPool) string { return p.update(t, ada, "custom:read", "another") }},
		{"get the changed user", func(t *testing.T, p userPool) string { return p.get(t, ada) }},
		{"set an attribute that there is not", func(t *testing.T, p userPool) string { return p.update(t, ada, "custom:absent", "x") }},
		{"sign in with a flow that the client may not use", func(t *testing.T, p userPool) string {
			_, err := p.AdminInitiateAuth(t.Context(), &sdk.AdminInitiateAuthInput{
				UserPoolId: &p.pool, ClientId: &p.client, AuthFlow: types.AuthFlowTypeAdminUserPasswordAuth,
				AuthParameters: map[string]string{"USERNAME": ada, "PASSWORD": goodPassword},
			})
			return done(err)
		}},
		{"disable the user", func(t *testing.T, p userPool) string {
			_, err := p.AdminDisableUser(t.Context(), &sdk.AdminDisableUserInput{UserPoolId: &p.pool, Username: aws.String(ada)})
			return done(err)
		}},
		{"sign in as a disabled user", func(t *testing.T, p userPool) string { return p.signIn(t, ada, goodPassword) }},
		{"delete the user", func(t *testing.T, p userPool) string {
			_, err := p.AdminDeleteUser(t.Context(), &sdk.AdminDeleteUserInput{UserPoolId: &p.pool, Username: aws.String(ada)})
			return done(err)
		}},
		{"get the deleted user", func(t *testing.T, p userPool) string { return p.get(t, ada) }},
		{"sign in to a client that there is not", func(t *testing.T, p userPool) string {
			p.client = "zyxwvutsrqponmlkjihgfedcba"
			return p.signIn(t, ada, goodPassword)
		}},
	}
}

func done(err error) string {
	if err != nil {
		return code(err)
	}
	return "done"
}

func (p userPool) create(t *testing.T, email string) string {
	t.Helper()
	out, err := p.AdminCreateUser(t.Context(), &sdk.AdminCreateUserInput{
		UserPoolId: &p.pool, Username: &email, TemporaryPassword: aws.String("Temporary-pass-1"), MessageAction: types.MessageActionTypeSuppress,
		UserAttributes: []types.AttributeType{
			{Name: aws.String("email"), Value: &email}, {Name: aws.String("email_verified"), Value: aws.String("true")},
			{Name: aws.String("custom:read"), Value: aws.String("lakeside")}, {Name: aws.String("custom:write"), Value: aws.String("lakeside")},
		},
	})
	if err != nil {
		return code(err)
	}
	return fmt.Sprintf("%s, enabled %t, %s", out.User.UserStatus, out.User.Enabled, attributesText(out.User.Attributes))
}

// attributesText writes a user's attributes except the id, which is random.
func attributesText(attributes []types.AttributeType) string {
	var all []string
	for _, a := range attributes {
		value := aws.ToString(a.Value)
		if *a.Name == "sub" {
			value = "…"
		}
		all = append(all, *a.Name+"="+value)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func (p userPool) setPassword(t *testing.T, email, password string) string {
	t.Helper()
	_, err := p.AdminSetUserPassword(t.Context(), &sdk.AdminSetUserPasswordInput{UserPoolId: &p.pool, Username: &email, Password: &password, Permanent: true})
	return done(err)
}

func (p userPool) auth(t *testing.T, email, password string) (*sdk.InitiateAuthOutput, error) {
	t.Helper()
	return p.InitiateAuth(t.Context(), &sdk.InitiateAuthInput{
		ClientId: &p.client, AuthFlow: types.AuthFlowTypeUserPasswordAuth, AuthParameters: map[string]string{"USERNAME": email, "PASSWORD": password},
	})
}

func (p userPool) signIn(t *testing.T, email, password string) string {
	t.Helper()
	out, err := p.auth(t, email, password)
	if err != nil {
		return code(err)
	}
	return result(out.ChallengeName, out.AuthenticationResult)
}

// result says what a sign-in returned.
func result(challenge types.ChallengeNameType, r *types.AuthenticationResultType) string {
	if r == nil {
		return "challenge " + string(challenge)
	}
	return fmt.Sprintf("%s for %d s, id %t, access %t, refresh %t", aws.ToString(r.TokenType), r.ExpiresIn, r.IdToken != nil, r.AccessToken != nil, r.RefreshToken != nil)
}

func (p userPool) refresh(t *testing.T, email string) string {
	t.Helper()
	out, err := p.auth(t, email, goodPassword)
	if err != nil {
		return code(err)
	}
	return p.refreshWith(t, *out.AuthenticationResult.RefreshToken)
}

func (p userPool) refreshWith(t *testing.T, token string) string {
	t.Helper()
	out, err := p.InitiateAuth(t.Context(), &sdk.InitiateAuthInput{
		ClientId: &p.client, AuthFlow: types.AuthFlowTypeRefreshTokenAuth, AuthParameters: map[string]string{"REFRESH_TOKEN": token},
	})
	if err != nil {
		return code(err)
	}
	return result(out.ChallengeName, out.AuthenticationResult)
}

// claims returns those of a token: all names, and the values that are neither random nor
// times.
func (p userPool) claims(t *testing.T, email string, token func(*types.AuthenticationResultType) *string) string {
	t.Helper()
	out, err := p.auth(t, email, goodPassword)
	if err != nil {
		return code(err)
	}
	parts := strings.Split(*token(out.AuthenticationResult), ".")
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(text, &claims); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		value := fmt.Sprintf("%T", claims[name])
		if slices.Contains([]string{"email", "email_verified", "custom:read", "custom:write", "token_use", "scope"}, name) {
			value = fmt.Sprintf("%T %v", claims[name], claims[name])
		}
		for own, known := range map[string]string{"client": p.client, "issuer": "https://cognito-idp.us-east-1.amazonaws.com/" + p.pool} {
			if claims[name] == known {
				value = "the " + own
			}
		}
		all = append(all, name+": "+value)
	}
	return strings.Join(all, ", ")
}

func (p userPool) get(t *testing.T, email string) string {
	t.Helper()
	out, err := p.AdminGetUser(t.Context(), &sdk.AdminGetUserInput{UserPoolId: &p.pool, Username: &email})
	if err != nil {
		return code(err)
	}
	return fmt.Sprintf("%s, enabled %t, %s", out.UserStatus, out.Enabled, attributesText(out.UserAttributes))
}

func (p userPool) update(t *testing.T, email, name, value string) string {
	t.Helper()
	_, err := p.AdminUpdateUserAttributes(t.Context(), &sdk.AdminUpdateUserAttributesInput{
		UserPoolId: &p.pool, Username: &email, UserAttributes: []types.AttributeType{{Name: &name, Value: &value}},
	})
	return done(err)
}
