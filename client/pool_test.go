package client

import (
	"context"
	"errors"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/local/cognito"
	"hl7lake/local/store"
)

// pool is a user pool as the templates have it, run by the local Cognito.
func pool(t *testing.T) *Pool {
	t.Helper()
	kept, err := store.Open(filepath.Join(t.TempDir(), "store"), store.Fleeting)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kept.Close() })
	allowed := func(context.Context, string, string, map[string]string) error { return nil }
	service := cognito.New(kept, allowed)
	properties := cognito.UserPool{
		UsernameAttributes: []string{"email"},
		Schema:             []cognito.Attribute{{Name: "read", AttributeDataType: "String"}, {Name: "write", AttributeDataType: "String"}},
	}
	properties.AdminCreateUserConfig.AllowAdminCreateUserOnly = true
	if err := service.AddUserPool("us-east-1_Test", properties); err != nil {
		t.Fatal(err)
	}
	err = service.AddUserPoolClient("test-client", cognito.UserPoolClient{
		UserPoolId: "us-east-1_Test", ExplicitAuthFlows: []string{"ALLOW_USER_PASSWORD_AUTH"},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	return NewPool(PoolOptions{
		ID: "us-east-1_Test", ClientID: "test-client", Endpoint: server.URL,
		Credentials: StaticCredentials("AKIDEXAMPLE", "secret"),
	})
}

func TestAUserIsAddedSignsInAndIsRemoved(t *testing.T) {
	pool, ctx := pool(t), t.Context()
	user := User{Email: "engine@example.org", Read: "a", Write: "b"}
	first, second := NewPassword(), NewPassword()
	if err := pool.Add(ctx, user, first); err != nil {
		t.Fatal(err)
	}
	if token, err := pool.SignIn(user.Email, first)(ctx); token == "" || err != nil {
		t.Error(token, err)
	}
	if err := pool.SetPassword(ctx, user.Email, second); err != nil {
		t.Error(err)
	}
	if _, err := pool.SignIn(user.Email, first)(ctx); err == nil {
		t.Error("the earlier password still works")
	}
	users, err := pool.List(ctx)
	user.Status = "CONFIRMED"
	if diff := cmp.Diff([]User{user}, users); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if err := pool.Remove(ctx, user.Email); err != nil {
		t.Error(err)
	}
	if users, err := pool.List(ctx); len(users) != 0 || err != nil {
		t.Error(users, err)
	}
}

func TestAnAddressHasOneUser(t *testing.T) {
	pool, ctx := pool(t), t.Context()
	user := User{Email: "engine@example.org", Write: "b"}
	if err := pool.Add(ctx, user, NewPassword()); err != nil {
		t.Fatal(err)
	}
	if err := pool.Add(ctx, user, NewPassword()); !errors.Is(err, ErrUserExists) {
		t.Error(err)
	}
}

func TestAUserWhosePasswordIsRefusedIsNotKept(t *testing.T) {
	pool, ctx := pool(t), t.Context()
	if err := pool.Add(ctx, User{Email: "engine@example.org", Read: "a"}, "short"); err == nil {
		t.Error("the password is taken")
	}
	if users, err := pool.List(ctx); len(users) != 0 || err != nil {
		t.Error(users, err)
	}
}

func TestWhoIsUnknownCannotBeChanged(t *testing.T) {
	pool, ctx := pool(t), t.Context()
	if err := pool.SetPassword(ctx, "nobody@example.org", NewPassword()); !errors.Is(err, ErrNoUser) {
		t.Error(err)
	}
	if err := pool.Remove(ctx, "nobody@example.org"); !errors.Is(err, ErrNoUser) {
		t.Error(err)
	}
	_, err := pool.SignIn("nobody@example.org", NewPassword())(ctx)
	if problem, ok := errors.AsType[*SignInError](err); !ok || problem.Email != "nobody@example.org" {
		t.Error(err)
	}
}

func TestAPoolThatDoesNotAnswerIsTold(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	gone := NewPool(PoolOptions{ID: "us-east-1_Test", ClientID: "test-client", Endpoint: server.URL, Credentials: StaticCredentials("AKIDEXAMPLE", "secret")})
	_, signIn := gone.SignIn("engine@example.org", NewPassword())(t.Context())
	_, list := gone.List(t.Context())
	for _, err := range []error{signIn, list, gone.Add(t.Context(), User{Email: "engine@example.org"}, NewPassword())} {
		unreachable, ok := errors.AsType[*UnreachableError](err)
		if !ok || !unreachable.Refused() || unreachable.URL != server.URL {
			t.Error(err)
		}
	}
}

func TestATokenIsUsedAgain(t *testing.T) {
	pool, ctx := pool(t), t.Context()
	password := NewPassword()
	if err := pool.Add(ctx, User{Email: "engine@example.org", Read: "a"}, password); err != nil {
		t.Fatal(err)
	}
	token := pool.SignIn("engine@example.org", password)
	first, err := token(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := token(ctx); second != first || err != nil {
		t.Error("signed in again", err)
	}
}
