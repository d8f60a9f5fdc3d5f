package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"hl7lake/internal/hub"
	"hl7lake/internal/testing/canary"
	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/telemetry"
)

var root = uuid.MustParse("01a204f6-07d0-7ce3-a84e-ee08b2a143f8")

func ingested(body string) hub.Event {
	return hub.Event{
		Name: hub.Ingested, Kind: hub.ER7, ID: root, Root: root,
		Owner: canary.Owner, Type: "ADT^A01", Charset: "iso-8859-1", Body: []byte(body),
	}
}

// state is prepare in front of fakes, as the workflow runs it.
type state struct {
	buckets fake.Buckets
	log     bytes.Buffer
}

func (s *state) checks() hub.ClaimCheck { return hub.ClaimCheck{Bucket: "checks", Objects: &s.buckets} }

// prepare passes e through the function.
func (s *state) prepare(t *testing.T, e hub.Event) (in, out hub.Wire) {
	t.Helper()
	in, err := s.checks().Pack(t.Context(), e, e.ID.String())
	if err != nil {
		t.Fatal(err)
	}
	h := handler{claimCheck: s.checks()}
	out, err = function.Edge(telemetry.NewLogger(&s.log), h.prepare)(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return in, out
}

func TestSegmentsEndInCRWhateverTheSenderUsed(t *testing.T) {
	const want = "MSH|^~\\&|A\rPID|1\r"
	for name, body := range map[string]string{
		"CR":              want,
		"LF":              "MSH|^~\\&|A\nPID|1\n",
		"CRLF":            "MSH|^~\\&|A\r\nPID|1\r\n",
		"byte order mark": "\ufeffMSH|^~\\&|A\rPID|1\r",
		"MLLP":            "\x0bMSH|^~\\&|A\rPID|1\r\x1c\r",
	} {
		t.Run(name, func(t *testing.T) {
			var s state
			_, out := s.prepare(t, ingested(body))
			got, err := s.checks().Open(t.Context(), out)
			if err != nil {
				t.Fatal(err)
			}
			raw := sha256.Sum256([]byte(body))
			expected := ingested(want)
			expected.Raw = hex.EncodeToString(raw[:])
			if diff := cmp.Diff(expected, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestABareLFIsDataWhereCRTerminates(t *testing.T) {
	const body = "MSH|^~\\&|A\rNTE|1||one\ntwo\rNTE|2\r"
	var s state
	_, out := s.prepare(t, ingested(body))
	if out.Body != body {
		t.Errorf("got %q", out.Body)
	}
}

func TestALargeMessageIsPassedOnAsAClaimCheck(t *testing.T) {
	body := "MSH|^~\\&|A\n" + strings.Repeat("OBX|1|TX|||some text\n", 20_000)
	var s state
	in, out := s.prepare(t, ingested(body))
	got, err := s.checks().Open(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.ReplaceAll(body, "\n", "\r"); string(got.Body) != want {
		t.Errorf("got %d bytes, want %d", len(got.Body), len(want))
	}
	if !strings.Contains(out.Body, `"key":"`+root.String()+`/prepare"`) {
		t.Errorf("passed on as %s", out.Body)
	}
	if again, err := s.checks().Open(t.Context(), in); err != nil || string(again.Body) != body {
		t.Errorf("the ingested content changed: %v", err)
	}
}

func TestNoPatientDataIsLogged(t *testing.T) {
	inputs := canary.Broken()
	inputs["a message"] = canary.Message()
	for name, input := range inputs {
		t.Run(name, func(t *testing.T) {
			var s state
			_, out := s.prepare(t, ingested(string(input)))
			canary.Check(t, "the log", s.log.String())
			canary.Check(t, "an attribute", fmt.Sprint(out.Attributes, out.Subject))
		})
	}
}
