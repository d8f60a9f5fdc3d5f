package client

import (
	"errors"
	"net/http/httptest"
	"testing"
)

// A pool's answers are tested with the commands for users, in cmd/lake, since those may
// start a server.

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
