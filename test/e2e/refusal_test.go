package e2e_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
)

// marker is in every refused body. No answer may repeat it.
const marker = "ZZCANARYZZ"

func TestEveryRefusalSaysWhyAndNeverWhat(t *testing.T) {
	l := start(t)
	admin := token(t, l.admin(t))
	reader := token(t, l.user(t, client.User{Email: "reader@example.org", Read: client.Institutions{scenario.Institution}}))
	body := append(admission(1), "NTE|1||"+marker+"\r"...)
	form := func(text string) request {
		return request{method: http.MethodPost, path: "/er7", contentType: "application/json", token: admin, body: []byte(text)}
	}
	with := func(contentType string, body []byte) request {
		return request{method: http.MethodPost, path: "/er7", contentType: contentType, token: admin, body: body}
	}
	encoded := base64.StdEncoding.EncodeToString(body)
	for _, test := range []struct {
		name   string
		in     request
		status int
		says   string
	}{
		{"no token", er7("", body), 401, "Unauthorized"},
		{"a token that is none", er7("Bearer "+marker, body), 401, "Unauthorized"},
		{"a token whose signature is another's", er7(admin[:len(admin)-6]+"AAAAAA", body), 401, "Unauthorized"},
		{"no right to write", er7(reader, body), 403, "Insufficient privileges to write"},
		{"an empty body", er7(admin, nil), 400, "empty"},
		{"a body of blanks", er7(admin, []byte(" \r\n ")), 400, "empty"},
		{"bad JSON", form(`{"msg":"` + marker), 400, "JSON"},
		{"JSON of another shape", form(`["` + marker + `"]`), 400, `\"msg\"`},
		{"JSON without a message", form(`{"encoding":"utf-8"}`), 400, `\"msg\"`},
		{"bad base64", form(`{"msg":"` + marker + `!"}`), 400, "base64"},
		{"an unknown charset in JSON", form(`{"msg":"` + encoded + `","encoding":"no-such-set"}`), 400, "charset"},
		{"an unknown charset", with("application/hl7-v2; charset=no-such-set", body), 400, "charset"},
		{"a charset that is none", with(`application/hl7-v2; charset="`+strings.Repeat("x", 60)+`"`, body), 400, "charset"},
		{"a type that is no message's", with("image/png", body), 415, "application/hl7-v2"},
		{"more than Lambda passes", er7(admin, append([]byte(marker), make([]byte, 7<<20)...)), 413, ""},
		{"more than API Gateway passes", er7(admin, make([]byte, 11<<20)), 413, ""},
		{"an id that nobody was given", request{method: "GET", path: "/messages/01a20501-9bd9-7ec2-8ff9-1df215e91332", token: admin}, 404, ""},
		{"an id that is none", request{method: "GET", path: "/messages/" + marker, token: admin}, 404, ""},
		{"a path that is none", request{method: "GET", path: "/nowhere", token: admin}, 404, "Not Found"},
		{"reading without a token", request{method: "GET", path: "/messages/x"}, 401, "Unauthorized"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := l.mustDo(t, test.in)
			if r.status != test.status || !strings.Contains(r.body, test.says) {
				t.Errorf("answered %d %s, want %d with %q", r.status, r.body, test.status, test.says)
			}
			if strings.Contains(r.body, marker) {
				t.Errorf("the answer repeats what was sent: %s", r.body)
			}
			var object map[string]any
			if err := json.Unmarshal([]byte(r.body), &object); err != nil {
				t.Errorf("the answer is no JSON: %q", r.body)
			}
		})
	}
	if keys := l.keys(t, client.Ingestion); len(keys) != 0 {
		t.Errorf("refused messages are in the lake: %v", keys)
	}
}

func TestTheOriginalsJSONFormIsAccepted(t *testing.T) {
	l := start(t)
	tokens := l.admin(t)
	form, err := json.Marshal(map[string]string{"msg": base64.StdEncoding.EncodeToString(admission(1)), "encoding": "utf-8"})
	if err != nil {
		t.Fatal(err)
	}
	r := l.mustDo(t, request{method: http.MethodPost, path: "/er7", contentType: "application/json", token: token(t, tokens), body: form})
	if got := r.answer(t); r.status != http.StatusCreated || got.Status != "Message ingested" {
		t.Fatalf("answered %d %s", r.status, r.body)
	}
	again := l.mustDo(t, er7(token(t, tokens), admission(1)))
	if got := again.answer(t); again.status != http.StatusConflict || got.Status != "Rejected due to being a duplicate" || got.ID != r.answer(t).ID {
		t.Errorf("the same content in another form is answered %d %s", again.status, again.body)
	}
}
