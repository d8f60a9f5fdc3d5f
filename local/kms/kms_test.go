package kms_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hl7lake/local/iam"
	"hl7lake/local/kms"
	"hl7lake/local/wire"
)

func TestAKeyIsDescribedByItsIDAndItsARN(t *testing.T) {
	var asked string
	var deny error
	policies := map[string]iam.Document{}
	service := kms.New(nil, func(_ context.Context, action, resource string, _ map[string]string) error {
		asked = action + " " + resource
		return deny
	}, func(resource string, d iam.Document) error {
		policies[resource] = d
		return nil
	})
	for id, key := range map[string]kms.Key{"on": {Description: "of the lake"}, "off": {Enabled: new(false)}} {
		if err := service.Add(id, key); err != nil {
			t.Fatal(err)
		}
	}
	describe := func(key string) string {
		t.Helper()
		body, err := json.Marshal(map[string]string{"KeyId": key})
		if err != nil {
			t.Fatal(err)
		}
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(string(body)))
		request.Header.Set("X-Amz-Target", "TrentService.DescribeKey")
		answer := httptest.NewRecorder()
		service.ServeHTTP(answer, request)
		return answer.Body.String()
	}
	const prefix = "arn:aws:kms:us-east-1:123456789012:key/"
	if _, attached := policies[prefix+"on"]; !attached || len(policies) != 2 {
		t.Errorf("the keys' policies that are attached: %v", policies)
	}
	for key, want := range map[string]string{
		"on":              `"KeyState":"Enabled"`,
		prefix + "on":     `"Description":"of the lake"`,
		"off":             `"KeyState":"Disabled"`,
		"none":            `"__type":"NotFoundException"`,
		"alias/of-no-key": `"__type":"NotFoundException"`,
	} {
		id := strings.TrimPrefix(key, prefix)
		if got := describe(key); !strings.Contains(got, want) || asked != "kms:DescribeKey "+prefix+id {
			t.Errorf("%s: %s, asked for %s", key, got, asked)
		}
	}
	deny = &wire.Error{Status: 400, Code: "AccessDeniedException"}
	if got := describe("on"); !strings.Contains(got, "AccessDeniedException") || strings.Contains(got, "of the lake") {
		t.Error(got)
	}
}
