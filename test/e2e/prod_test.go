package e2e_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"hl7lake/local"
	"hl7lake/local/store"
)

// prod's templates ask for more than one machine has; what is left out is told by name, and the rest runs.
func TestTheTemplatesOfProdRunButForWhatIsTold(t *testing.T) {
	t.Parallel()
	l := startWith(t, local.Options{
		Assembly: "../snapshots/prod", Dir: t.TempDir(), Addr: "127.0.0.1:0", Durability: store.Fleeting,
	})
	answer, err := l.do(t.Context(), request{method: http.MethodPost, path: "/er7", contentType: "application/hl7-v2", body: []byte("MSH|")})
	if err != nil || answer.status != http.StatusUnauthorized {
		t.Errorf("a post without a token: %d, %v", answer.status, err)
	}
	for _, want := range []string{"(AWS::SNS::Subscription) to email", "MfaConfiguration: nobody is asked for a second factor"} {
		if !slices.ContainsFunc(l.NotRun(), func(told string) bool { return strings.Contains(told, want) }) {
			t.Errorf("it is not told that %s is left out: %q", want, l.NotRun())
		}
	}
}
