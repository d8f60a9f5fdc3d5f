package kms_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"hl7lake/local/iam"
	"hl7lake/local/kms"
	"hl7lake/local/store"
	"hl7lake/local/wire"
)

// hashing is a service with two keys, one of them for hashes, whose secrets are kept in
// the store.
func hashing(t *testing.T, kept *store.Store, deny error) func(body string) string {
	t.Helper()
	service := kms.New(kept, func(_ context.Context, action, _ string, _ map[string]string) error {
		if action != "kms:GenerateMac" {
			t.Errorf("asked for %s", action)
		}
		return deny
	}, func(string, iam.Document) error { return nil })
	for id, key := range map[string]kms.Key{
		"hashes": {KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC"}, "others": {KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC"}, "encrypts": {},
	} {
		if err := service.Add(id, key); err != nil {
			t.Fatal(err)
		}
	}
	return func(body string) string {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		request.Header.Set("X-Amz-Target", "TrentService.GenerateMac")
		answer := httptest.NewRecorder()
		service.ServeHTTP(answer, request)
		return answer.Body.String()
	}
}

func ask(key, message string) string {
	text, _ := json.Marshal(map[string]any{"KeyId": key, "MacAlgorithm": "HMAC_SHA_256", "Message": []byte(message)})
	return string(text)
}

func TestAKeyForHashesMakesTheSameHashesAfterARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	var answers []string
	for range 2 {
		kept, err := store.Open(path, store.Fleeting)
		if err != nil {
			t.Fatal(err)
		}
		call := hashing(t, kept, nil)
		answers = append(answers, call(ask("hashes", "north")), call(ask("arn:aws:kms:us-east-1:123456789012:key/hashes", "north")))
		if other := call(ask("hashes", "south")); other == answers[0] {
			t.Errorf("another message: %s", other)
		}
		if other := call(ask("others", "north")); strings.Contains(other, answers[0][strings.Index(answers[0], `"Mac"`):]) {
			t.Errorf("another key: %s", other)
		}
		if err := kept.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, answer := range answers {
		if answer != answers[0] || !strings.Contains(answer, `"Mac":"`) {
			t.Errorf("%s, and before %s", answer, answers[0])
		}
	}
}

func TestAHashIsMadeOfWhatKMSTakesOnly(t *testing.T) {
	kept, err := store.Open(filepath.Join(t.TempDir(), "store"), store.Fleeting)
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	for name, test := range map[string]struct {
		body, want string
		deny       error
	}{
		"a key that encrypts": {body: ask("encrypts", "x"), want: "InvalidKeyUsageException"},
		"another algorithm":   {body: strings.Replace(ask("hashes", "x"), "SHA_256", "SHA_512", 1), want: "InvalidKeyUsageException"},
		"no message":          {body: ask("hashes", ""), want: "ValidationException"},
		"a long message":      {body: ask("hashes", strings.Repeat("x", 4097)), want: "ValidationException"},
		"no key":              {body: ask("none", "x"), want: "NotFoundException"},
		"no permission":       {body: ask("hashes", "x"), want: "AccessDeniedException", deny: &wire.Error{Status: 400, Code: "AccessDeniedException"}},
	} {
		if got := hashing(t, kept, test.deny)(test.body); !strings.Contains(got, test.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}
