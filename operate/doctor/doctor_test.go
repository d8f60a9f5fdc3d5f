package doctor_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"hl7lake/client"
	"hl7lake/operate/doctor"
)

// answers are AWS's to the operations that a probe calls: it does not run here.
// The key is the end of X-Amz-Target, the form's Action, or a part of the path.
type answers map[string]struct {
	status int
	body   string
}

func (a answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	asked := r.Header.Get("X-Amz-Target") + " " + r.URL.Path + " " + string(body)
	for name, answer := range a {
		if strings.Contains(asked, name) {
			w.WriteHeader(answer.status)
			_, _ = io.WriteString(w, answer.body)
			return
		}
	}
	w.WriteHeader(http.StatusNotFound)
}

const (
	caller = `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`
	denied = `{"__type":"AccessDeniedException","message":"secret words"}`
)

func TestBeforeADeploymentEachProbeSaysWhatItSaw(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"manifest.json":   `{"artifacts":{"Core":{"properties":{"requiresBootstrapStackVersion":6,"bootstrapStackVersionSsmParameter":"/cdk-bootstrap/hnb659fds/version"}}}}`,
		"a.template.json": `{"Resources":{"A":{"Properties":{"ReservedConcurrentExecutions":400}},"B":{"Properties":{"ReservedConcurrentExecutions":201}}}}`,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	settings := func(n string) string {
		return `{"AccountLimit":{"ConcurrentExecutions":` + n + `,"UnreservedConcurrentExecutions":` + n + `}}`
	}
	for _, test := range []struct {
		name, operation string
		status          int
		body            string
		probe           string
		want            doctor.Verdict
		says            string
	}{
		{"a good version", "GetParameter", 200, `{"Parameter":{"Value":"21"}}`, "bootstrap", doctor.OK, "21"},
		{"an old version", "GetParameter", 200, `{"Parameter":{"Value":"5"}}`, "bootstrap", doctor.Fail, "npx cdk bootstrap aws://111122223333/eu-west-1"},
		{"no bootstrap", "GetParameter", 400, `{"__type":"ParameterNotFound"}`, "bootstrap", doctor.Fail, "npx cdk bootstrap aws://111122223333/eu-west-1"},
		{"a denied version", "GetParameter", 400, denied, "bootstrap", doctor.Fail, "GetParameter"},
		{"a usual quota", "account-settings", 200, settings("1000"), "concurrency", doctor.OK, "601"},
		{"just enough", "account-settings", 200, settings("701"), "concurrency", doctor.OK, "601"},
		{"one too little", "account-settings", 200, settings("700"), "concurrency", doctor.Fail, "100 must stay"},
		{"a new account", "account-settings", 200, settings("10"), "concurrency", doctor.Fail, "higher quota"},
		{"a denied quota", "account-settings", 403, denied, "concurrency", doctor.Fail, "GetAccountSettings"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := answers{"GetCallerIdentity": {200, caller}}
			a[test.operation] = struct {
				status int
				body   string
			}{test.status, test.body}
			server := httptest.NewServer(a)
			defer server.Close()
			c := aws.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: client.StaticCredentials("a", "b"), RetryMaxAttempts: 1}
			seen := 0
			doctor.Examine(t.Context(), false, doctor.Before(c, folder), func(f doctor.Finding) {
				seen++
				if f.Probe != test.probe {
					return
				}
				text := f.Text + " " + f.Next
				if f.Verdict != test.want || !strings.Contains(text, test.says) || strings.Contains(text, "secret words") {
					t.Errorf("%s: %s, want %s with %q", f.Verdict, text, test.want, test.says)
				}
			})
			if seen != 4 {
				t.Errorf("%d probes ran, want all 4", seen)
			}
		})
	}
}
