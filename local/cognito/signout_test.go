package cognito_test

// This file is about sessions that end: signing out and deleting a user.

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"hl7lake/local/cognito"
	"hl7lake/local/store"
)

func TestSigningAUserOutEndsTheirSessionsAndNoLaterOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	synctest.Test(t, func(t *testing.T) {
		kept, err := store.Open(path, store.Fleeting)
		if err != nil {
			t.Fatal(err)
		}
		defer kept.Close()
		s := cognito.New(kept, allow)
		add(t, s, poolProperties, clientProperties)
		do := func(operation string, input map[string]any) map[string]any {
			t.Helper()
			output, message := ask(t, s, operation, input)
			if message != "" {
				t.Fatalf("%s: %s", operation, message)
			}
			return output
		}
		user := map[string]any{"UserPoolId": poolID, "Username": email}
		do("AdminCreateUser", user)
		do("AdminSetUserPassword", map[string]any{"UserPoolId": poolID, "Username": email, "Password": good, "Permanent": true})
		signIn := func() map[string]any {
			t.Helper()
			return do("InitiateAuth", map[string]any{"ClientId": clientID, "AuthFlow": "USER_PASSWORD_AUTH",
				"AuthParameters": map[string]string{"USERNAME": email, "PASSWORD": good}})["AuthenticationResult"].(map[string]any)
		}
		// answers are what refreshing, asking about oneself and an identity pool's check
		// say of a session.
		answers := func(session map[string]any) [3]string {
			t.Helper()
			_, refreshed := ask(t, s, "InitiateAuth", map[string]any{"ClientId": clientID, "AuthFlow": "REFRESH_TOKEN_AUTH",
				"AuthParameters": map[string]any{"REFRESH_TOKEN": session["RefreshToken"]}})
			_, self := ask(t, s, "GetUser", map[string]any{"AccessToken": session["AccessToken"]})
			claims, err := s.IDClaims(session["IdToken"].(string))
			if err != nil {
				t.Fatalf("the ID token itself is good until it expires: %v", err)
			}
			checked := ""
			if err := s.SignedIn(claims); err != nil {
				checked = err.Error()
			}
			return [3]string{refreshed, self, checked}
		}
		ended := [3]string{"Refresh Token has been revoked", "Access Token has been revoked",
			"NotAuthorizedException: Invalid login token. Token has been revoked"}

		first := signIn()
		if got := answers(first); got != [3]string{} {
			t.Errorf("signed in: %q", got)
		}
		time.Sleep(time.Minute)
		do("AdminUserGlobalSignOut", user)
		if got := answers(first); got != ended {
			t.Errorf("signed out: %q", got)
		}
		time.Sleep(time.Second)
		second := signIn()
		if got := answers(second); got != [3]string{} {
			t.Errorf("signed in again: %q", got)
		}
		do("AdminDisableUser", user)
		if got := answers(second)[0]; got != "User is disabled." {
			t.Errorf("disabled: %q", got)
		}
		do("AdminEnableUser", user)
		if got := answers(second); got != [3]string{} {
			t.Errorf("a user who was disabled for a while goes on with what they had: %q", got)
		}
		if got := answers(first); got != ended {
			t.Errorf("enabled: %q", got)
		}
	})
}

func TestADeletedUsersTokenIsGoodForNoIdentityPool(t *testing.T) {
	r := started(t)
	signedIn := r.signedIn(t)
	claims, err := r.service.IDClaims(*signedIn.IdToken)
	if err != nil {
		t.Fatal(err)
	}
	if _, message := ask(t, r.service, "AdminDeleteUser", map[string]any{"UserPoolId": poolID, "Username": email}); message != "" {
		t.Fatal(message)
	}
	if err := r.service.SignedIn(claims); err == nil {
		t.Error("the token of a user who is gone is taken")
	}
}
