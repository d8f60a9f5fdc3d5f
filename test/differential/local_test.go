package differential_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"hl7lake/local/store"
)

// allow grants everything, because moto does not look at policies.
func allow(context.Context, string, string, map[string]string) error { return nil }

func openStore(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(filepath.Join(t.TempDir(), "db"), store.Fleeting)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// serve lets a local service answer until the test ends.
func serve(t *testing.T, service http.Handler) *server {
	t.Helper()
	s := httptest.NewServer(service)
	t.Cleanup(s.Close)
	return &server{s.URL}
}

// read decodes properties or values that are written in the test.
func read[T any](t *testing.T, text string) (into T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &into); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return into
}
