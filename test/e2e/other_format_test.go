package e2e_test

import (
	"errors"
	"testing"
	"time"

	"hl7lake/client"
	"hl7lake/operate"
)

// TestAMessageThatNoConnectorKnowsIsKeptAndGivenBack sends what is no HL7 the whole way:
// it is kept byte for byte, is a duplicate the second time, waits for no JSON, and is
// published again and forgotten like any other.
func TestAMessageThatNoConnectorKnowsIsKeptAndGivenBack(t *testing.T) {
	l := start(t)
	tokens := l.admin(t)
	c := l.client(t, tokens)
	claims := client.Message{Protocol: "x12", Format: "edi", Body: []byte("ISA*00*~\r\nGS*HC~\x00\xff")}
	receipt, err := c.Send(t.Context(), claims)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.Send(t.Context(), claims); err != nil || !again.Duplicate || again.ID != receipt.ID {
		t.Errorf("sent again: %+v, %v", again, err)
	}
	history, err := c.Wait(t.Context(), receipt.ID)
	if err != nil || history.Status != client.Ingested || history.Protocol != "x12" || history.Format != "edi" || len(history.Steps) != 1 {
		t.Fatalf("%+v, %v", history, err)
	}
	if content, err := c.Content(t.Context(), receipt.ID); err != nil || string(content) != string(claims.Body) {
		t.Errorf("it came back as %q, %v", content, err)
	}
	for name, read := range map[string]func() ([]byte, error){
		"not-er7":   func() ([]byte, error) { return c.ER7(t.Context(), receipt.ID) },
		"no-result": func() ([]byte, error) { return c.Result(t.Context(), receipt.ID, "patients") },
	} {
		_, err := read()
		if problem, is := errors.AsType[*client.Problem](err); !is || problem.Code != name {
			t.Errorf("got %v, want %s", err, name)
		}
	}
	since := operate.Selection{Owner: history.Owner, From: history.Received.Add(-time.Minute)}
	if replayed := l.replay(t, since, false); !replayed[receipt.ID].Done {
		t.Errorf("replayed %+v", replayed)
	}
	if gone, err := l.operator(t).Forget(t.Context(), receipt.ID, "test-data", false); err != nil || !gone.Done || !gone.Released {
		t.Errorf("forgotten: %+v, %v", gone, err)
	}
}
