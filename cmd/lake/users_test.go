package main

import (
	"context"
	"errors"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/client"
	"hl7lake/local/cognito"
	"hl7lake/local/store"
)

// pool is a user pool as the templates define it, run by the local Cognito.
func pool(t *testing.T) *client.Pool {
	t.Helper()
	connection := poolConnection(t)
	pool, err := connection.Pool(nil)
	if err != nil {
		t.Fatal(err)
	}
	return pool
}

// poolConnection is the connection to a lake that has only a user pool.
func poolConnection(t *testing.T) client.Connection {
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
	}
	for _, name := range []string{"read", "read2", "read3", "read4", "write", "operate"} {
		properties.Schema = append(properties.Schema, cognito.Attribute{Name: name, AttributeDataType: "String"})
	}
	properties.AdminCreateUserConfig.AllowAdminCreateUserOnly = true
	if err := service.AddUserPool("us-east-1_Test", properties); err != nil {
		t.Fatal(err)
	}
	app := cognito.UserPoolClient{UserPoolId: "us-east-1_Test", IdTokenValidity: 15, ExplicitAuthFlows: []string{"ALLOW_USER_PASSWORD_AUTH"}}
	app.TokenValidityUnits.IdToken = "minutes"
	if err := service.AddUserPoolClient("test-client", app); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	return client.Connection{
		Outputs:     client.Outputs{"hl7lake-dev-front-door": {client.OutputPool: "us-east-1_Test", client.OutputClient: "test-client"}},
		Endpoint:    server.URL,
		Credentials: &client.Key{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"},
	}
}

func TestAUserIsAddedSignsInAndIsRemoved(t *testing.T) {
	pool, ctx := pool(t), t.Context()
	user := client.User{Email: "engine@example.org", Read: client.Institutions{"a"}, Write: "b", Operate: "c"}
	first, second := client.NewPassword(), client.NewPassword()
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
	if diff := cmp.Diff([]client.User{user}, users); diff != "" || err != nil {
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
	user := client.User{Email: "engine@example.org", Write: "b"}
	if err := pool.Add(ctx, user, client.NewPassword()); err != nil {
		t.Fatal(err)
	}
	if err := pool.Add(ctx, user, client.NewPassword()); !errors.Is(err, client.ErrUserExists) {
		t.Error(err)
	}
}

func TestAUserWhosePasswordIsRefusedIsNotKept(t *testing.T) {
	pool, ctx := pool(t), t.Context()
	if err := pool.Add(ctx, client.User{Email: "engine@example.org", Read: client.Institutions{"a"}}, "short"); err == nil {
		t.Error("the password is taken")
	}
	if users, err := pool.List(ctx); len(users) != 0 || err != nil {
		t.Error(users, err)
	}
}

func TestWhoIsUnknownCannotBeChanged(t *testing.T) {
	pool, ctx := pool(t), t.Context()
	if err := pool.SetPassword(ctx, "nobody@example.org", client.NewPassword()); !errors.Is(err, client.ErrNoUser) {
		t.Error(err)
	}
	if err := pool.Remove(ctx, "nobody@example.org"); !errors.Is(err, client.ErrNoUser) {
		t.Error(err)
	}
	_, err := pool.SignIn("nobody@example.org", client.NewPassword())(ctx)
	if problem, ok := errors.AsType[*client.SignInError](err); !ok || problem.Email != "nobody@example.org" {
		t.Error(err)
	}
}

func TestATokenIsUsedAgain(t *testing.T) {
	pool, ctx := pool(t), t.Context()
	password := client.NewPassword()
	if err := pool.Add(ctx, client.User{Email: "engine@example.org", Read: client.Institutions{"a"}}, password); err != nil {
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
