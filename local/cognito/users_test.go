package cognito_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"hl7lake/local/cognito"
	"hl7lake/local/store"
	"hl7lake/local/wire"
)

// refusal returns the error that the SDK saw, as code and message.
func refusal(err error) string {
	var refused smithy.APIError
	if errors.As(err, &refused) {
		return refused.ErrorCode() + ": " + strings.TrimSpace(refused.ErrorMessage())
	}
	return ""
}

func TestASignInIsRefusedInCognitosWords(t *testing.T) {
	r := started(t)
	r.create(t, email)
	r.setPassword(t, email, good)
	r.create(t, "off@example.org")
	r.setPassword(t, "off@example.org", good)
	if _, err := r.AdminDisableUser(t.Context(), &cip.AdminDisableUserInput{UserPoolId: aws.String(poolID), Username: aws.String("off@example.org")}); err != nil {
		t.Fatal(err)
	}
	wrong := "NotAuthorizedException: Incorrect username or password."
	for name, test := range map[string]struct{ user, password, want string }{
		"a wrong password":                      {email, good + "x", wrong},
		"an unknown user looks the same":        {"nobody@example.org", good, wrong},
		"a disabled user":                       {"off@example.org", good, "NotAuthorizedException: User is disabled."},
		"a disabled user with a wrong password": {"off@example.org", "x", wrong},
		"no password":                           {email, "", "InvalidParameterException: Missing required parameter PASSWORD"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := r.signIn(t.Context(), test.user, test.password); refusal(err) != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	_, err := r.InitiateAuth(t.Context(), &cip.InitiateAuthInput{ClientId: aws.String("zzz"), AuthFlow: types.AuthFlowTypeUserPasswordAuth})
	if want := "ResourceNotFoundException: User pool client zzz does not exist."; refusal(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAClientMayUseOnlyItsOwnFlows(t *testing.T) {
	r := started(t)
	_, err := r.AdminInitiateAuth(t.Context(), &cip.AdminInitiateAuthInput{ClientId: aws.String(clientID), UserPoolId: aws.String(poolID),
		AuthFlow: types.AuthFlowTypeAdminUserPasswordAuth})
	if want := "InvalidParameterException: Auth flow not enabled for this client"; refusal(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
	add(t, r.service, poolProperties, `{"UserPoolId":"`+poolID+`","ExplicitAuthFlows":["ALLOW_ADMIN_USER_PASSWORD_AUTH"]}`)
	if _, err := r.signIn(t.Context(), email, good); refusal(err) != "InvalidParameterException: USER_PASSWORD_AUTH flow not enabled for this client" {
		t.Errorf("got %v", err)
	}
	r.create(t, email)
	r.setPassword(t, email, good)
	output, err := r.AdminInitiateAuth(t.Context(), &cip.AdminInitiateAuthInput{ClientId: aws.String(clientID), UserPoolId: aws.String(poolID),
		AuthFlow: types.AuthFlowTypeAdminUserPasswordAuth, AuthParameters: map[string]string{"USERNAME": email, "PASSWORD": good}})
	if err != nil || output.AuthenticationResult == nil {
		t.Errorf("got %+v, %v", output, err)
	}
	if _, err := r.signIn(t.Context(), "nobody@example.org", good); !strings.Contains(refusal(err), "not enabled") {
		t.Errorf("got %v", err)
	}
}

func TestAUserIsRefusedThatDoesNotFitThePool(t *testing.T) {
	r := started(t)
	r.create(t, email)
	for name, test := range map[string]struct {
		user, password string
		attribute      types.AttributeType
		want           string
	}{
		"again":                {email, good, attribute("name", "x"), "UsernameExistsException: User account already exists"},
		"again in capitals":    {"ADA.ADMIN@example.org", good, attribute("name", "x"), "UsernameExistsException: User account already exists"},
		"no e-mail":            {"ada", good, attribute("name", "x"), "InvalidParameterException: Username should be an email."},
		"an unknown attribute": {"b@example.org", good, attribute("custom:x", "x"), "InvalidParameterException: Attributes did not conform to the schema: custom:x: Attribute does not exist in the schema."},
		"its bare name":        {"b@example.org", good, attribute("read", "x"), "InvalidParameterException: Attributes did not conform to the schema: read: Attribute does not exist in the schema."},
		"a long value":         {"b@example.org", good, attribute("custom:read", strings.Repeat("x", 65)), "InvalidParameterException: Attributes did not conform to the schema: custom:read: String must be between 1 and 64 characters long"},
		"short":                {"b@example.org", "Sh0rt-one", attribute("name", "x"), "InvalidPasswordException: Password did not conform with policy: Password not long enough"},
		"no capitals":          {"b@example.org", "correct-horse-42", attribute("name", "x"), "InvalidPasswordException: Password did not conform with policy: Password must have uppercase characters"},
		"no small letters":     {"b@example.org", "CORRECT-HORSE-42", attribute("name", "x"), "InvalidPasswordException: Password did not conform with policy: Password must have lowercase characters"},
		"no digits":            {"b@example.org", "Correct-horse-xx", attribute("name", "x"), "InvalidPasswordException: Password did not conform with policy: Password must have numeric characters"},
		"no symbols":           {"b@example.org", "CorrectXhorseX42", attribute("name", "x"), "InvalidPasswordException: Password did not conform with policy: Password must have symbol characters"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := r.AdminCreateUser(t.Context(), &cip.AdminCreateUserInput{UserPoolId: aws.String(poolID), Username: &test.user,
				TemporaryPassword: &test.password, UserAttributes: []types.AttributeType{test.attribute}})
			if refusal(err) != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// attributes returns a user's attributes without the sub.
func (r rig) attributes(t *testing.T, name string) map[string]string {
	t.Helper()
	output, err := r.AdminGetUser(t.Context(), &cip.AdminGetUserInput{UserPoolId: aws.String(poolID), Username: &name})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, a := range output.UserAttributes {
		if *a.Name != "sub" {
			got[*a.Name] = *a.Value
		}
	}
	return got
}

func TestAnAdministratorChangesAttributes(t *testing.T) {
	r := started(t)
	sub := *r.create(t, email, attribute("custom:read", "a"), attribute("name", "Ada"), attribute("custom:fixed", "1")).Username
	update := func(attributes ...types.AttributeType) error {
		_, err := r.AdminUpdateUserAttributes(t.Context(), &cip.AdminUpdateUserAttributesInput{
			UserPoolId: aws.String(poolID), Username: aws.String(email), UserAttributes: attributes})
		return err
	}
	if err := update(attribute("custom:read", "b"), attribute("name", "")); err != nil {
		t.Fatal(err)
	}
	if got := refusal(update(attribute("custom:fixed", "2"))); got != "InvalidParameterException: user.custom:fixed: Attribute cannot be updated." {
		t.Errorf("got %s", got)
	}
	if diff := cmp.Diff(map[string]string{"email": email, "custom:read": "b", "custom:fixed": "1"}, r.attributes(t, sub)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r.create(t, "b@example.org")
	if got := refusal(update(attribute("email", "b@example.org"))); !strings.HasPrefix(got, "AliasExistsException") {
		t.Errorf("got %s", got)
	}
	if err := update(attribute("email", "new@example.org")); err != nil {
		t.Fatal(err)
	}
	if got := r.attributes(t, "new@example.org")["email"]; got != "new@example.org" {
		t.Errorf("got %s", got)
	}
	if _, err := r.AdminGetUser(t.Context(), &cip.AdminGetUserInput{UserPoolId: aws.String(poolID), Username: aws.String(email)}); refusal(err) != "UserNotFoundException: User does not exist." {
		t.Errorf("the old address still leads to the user: %v", err)
	}
}

func TestADeletedUserIsGoneAndTheirRefreshTokenWithThem(t *testing.T) {
	r := started(t)
	signedIn := r.signedIn(t)
	if _, err := r.AdminDeleteUser(t.Context(), &cip.AdminDeleteUserInput{UserPoolId: aws.String(poolID), Username: aws.String(email)}); err != nil {
		t.Fatal(err)
	}
	_, err := r.InitiateAuth(t.Context(), &cip.InitiateAuthInput{ClientId: aws.String(clientID), AuthFlow: types.AuthFlowTypeRefreshTokenAuth,
		AuthParameters: map[string]string{"REFRESH_TOKEN": *signedIn.RefreshToken}})
	if refusal(err) != "NotAuthorizedException: Invalid Refresh Token" {
		t.Errorf("got %v", err)
	}
	r.create(t, email)
}

func TestUsersAreListedByPageAndFilter(t *testing.T) {
	r := started(t)
	for _, name := range []string{"a1@example.org", "a2@example.org", "b@example.org"} {
		r.create(t, name)
	}
	var seen []string
	pages := cip.NewListUsersPaginator(r.Client, &cip.ListUsersInput{UserPoolId: aws.String(poolID), Limit: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, user := range page.Users {
			seen = append(seen, *user.Username)
		}
	}
	if len(seen) != 3 {
		t.Errorf("the pages have %q", seen)
	}
	for filter, want := range map[string]int{
		`email = "b@example.org"`: 1, `email ^= "a"`: 2, `email = "a"`: 0,
		`cognito:user_status = "FORCE_CHANGE_PASSWORD"`: 3, `status = "Disabled"`: 0,
	} {
		output, err := r.ListUsers(t.Context(), &cip.ListUsersInput{UserPoolId: aws.String(poolID), Filter: &filter})
		if err != nil || len(output.Users) != want {
			t.Errorf("%s: got %v, %v", filter, output, err)
		}
	}
	if _, err := r.ListUsers(t.Context(), &cip.ListUsersInput{UserPoolId: aws.String(poolID), Filter: aws.String("email")}); refusal(err) != "InvalidParameterException: Error while parsing filter" {
		t.Errorf("got %v", err)
	}
}

// ask calls an operation without a network, so that it can be done in a synctest bubble.
// It returns the answer, or AWS's message of a refusal.
func ask(t *testing.T, s *cognito.Service, operation string, input map[string]any) (output map[string]any, message string) {
	t.Helper()
	text, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequest("POST", "/", strings.NewReader(string(text)))
	request.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+operation)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, request)
	if err := json.Unmarshal(w.Body.Bytes(), &output); err != nil {
		t.Fatal(err)
	}
	message, _ = output["message"].(string)
	return output, message
}

func TestTemporaryPasswordsSessionsAndRefreshTokensExpire(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	synctest.Test(t, func(t *testing.T) {
		kept, err := store.Open(path, store.Fleeting)
		if err != nil {
			t.Fatal(err)
		}
		defer kept.Close()
		s := cognito.New(kept, allow)
		add(t, s, poolProperties, clientProperties)
		create := func(name string) {
			if _, message := ask(t, s, "AdminCreateUser", map[string]any{"UserPoolId": poolID, "Username": name, "TemporaryPassword": good}); message != "" {
				t.Fatal(message)
			}
		}
		signIn := func(name string) (map[string]any, string) {
			return ask(t, s, "InitiateAuth", map[string]any{"ClientId": clientID, "AuthFlow": "USER_PASSWORD_AUTH",
				"AuthParameters": map[string]string{"USERNAME": name, "PASSWORD": good}})
		}
		create(email)
		challenge, _ := signIn(email)
		time.Sleep(3 * time.Minute)
		_, message := ask(t, s, "RespondToAuthChallenge", map[string]any{"ClientId": clientID, "ChallengeName": "NEW_PASSWORD_REQUIRED",
			"Session": challenge["Session"], "ChallengeResponses": map[string]string{"NEW_PASSWORD": good}})
		if message != "Invalid session for the user, session is expired." {
			t.Errorf("got %q", message)
		}
		time.Sleep(3 * 24 * time.Hour)
		if _, message := signIn(email); message != "Temporary password has expired and must be reset by an administrator." {
			t.Errorf("got %q", message)
		}
		if _, message := ask(t, s, "AdminSetUserPassword", map[string]any{"UserPoolId": poolID, "Username": email, "Password": good, "Permanent": true}); message != "" {
			t.Fatal(message)
		}
		signedIn, message := signIn(email)
		if message != "" {
			t.Fatal(message)
		}
		refresh := map[string]any{"ClientId": clientID, "AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": map[string]any{
			"REFRESH_TOKEN": signedIn["AuthenticationResult"].(map[string]any)["RefreshToken"]}}
		time.Sleep(1440*time.Minute - time.Second)
		if _, message := ask(t, s, "InitiateAuth", refresh); message != "" {
			t.Errorf("got %q a second before it expires", message)
		}
		time.Sleep(time.Second)
		if _, message := ask(t, s, "InitiateAuth", refresh); message != "Refresh Token has expired" {
			t.Errorf("got %q", message)
		}
	})
}

func TestWhatIsNotRunIsRefusedByName(t *testing.T) {
	s := started(t).service
	for properties, want := range map[string]string{
		`{"LambdaConfig":{}}`:                                                       "LambdaConfig",
		`{"EmailConfiguration":{}}`:                                                 "EmailConfiguration",
		`{"AliasAttributes":["email"]}`:                                             "AliasAttributes",
		`{"UsernameAttributes":["phone_number"]}`:                                   "phone_number",
		`{"Schema":[{"Name":"n","AttributeDataType":"Number"}]}`:                    "AttributeDataType",
		`{"Schema":[{"Name":"name","AttributeDataType":"String","Required":true}]}`: "Required",
	} {
		var p cognito.UserPool
		if err := errors.Join(json.Unmarshal([]byte(properties), &p), s.AddUserPool("x", p)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", properties, err)
		}
	}
	for properties, want := range map[string]string{
		`{"AnalyticsConfiguration":{}}`:                                       "AnalyticsConfiguration",
		`{"GenerateSecret":true,"ExplicitAuthFlows":["ALLOW_USER_SRP_AUTH"]}`: "GenerateSecret",
		`{"SupportedIdentityProviders":["Google"]}`:                           "Google",
		`{"ExplicitAuthFlows":["USER_PASSWORD_AUTH"]}`:                        "ExplicitAuthFlows",
		`{"UserPoolId":"nowhere"}`:                                            "nowhere",
	} {
		var c cognito.UserPoolClient
		if err := errors.Join(json.Unmarshal([]byte(properties), &c), s.AddUserPoolClient("x", c)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", properties, err)
		}
	}
}

func TestEachOperationOfAnAdministratorAsksForItsOwnPermission(t *testing.T) {
	kept, err := store.Open(filepath.Join(t.TempDir(), "db"), store.Fleeting)
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	var asked string
	s := cognito.New(kept, func(_ context.Context, action, resource string, _ map[string]string) error {
		asked = action + " " + resource
		return &wire.Error{Status: 400, Code: "AccessDeniedException", Message: "denied"}
	})
	for _, operation := range []string{"AdminCreateUser", "AdminSetUserPassword", "AdminUpdateUserAttributes", "AdminDeleteUser", "AdminGetUser",
		"AdminDisableUser", "AdminEnableUser", "AdminUserGlobalSignOut", "ListUsers", "AdminInitiateAuth", "AdminRespondToAuthChallenge", "DescribeUserPool", "DescribeUserPoolClient"} {
		_, message := ask(t, s, operation, map[string]any{"UserPoolId": poolID, "Username": email})
		if want := "cognito-idp:" + operation + " arn:aws:cognito-idp:us-east-1:123456789012:userpool/" + poolID; asked != want || message != "denied" {
			t.Errorf("%s asked for %s and answered %s", operation, asked, message)
		}
	}
	asked = ""
	ask(t, s, "InitiateAuth", map[string]any{"ClientId": clientID})
	if asked != "" {
		t.Errorf("a user who signs in needs no permission, but %s was asked for", asked)
	}
}
