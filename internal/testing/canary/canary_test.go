package canary

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"hl7lake/hl7"
)

func TestAPlantedLeakIsFound(t *testing.T) {
	for name, planted := range map[string]any{
		"a log line":      `{"level":"INFO","patient":"` + marker + `-family"}`,
		"another case":    "zeisig-FAMILY",
		"an attribute":    map[string]string{"type": "ADT^" + marker},
		"a base64 body":   base64.StdEncoding.EncodeToString(Message()),
		"base64, shift 1": base64.StdEncoding.EncodeToString([]byte("x" + marker + " and more")),
		"base64, shift 2": base64.StdEncoding.EncodeToString([]byte("xx" + marker + " and more")),
		"bytes":           []byte(marker),
		"upper, base64":   base64.StdEncoding.EncodeToString([]byte("A" + strings.ToUpper(marker) + "!")),
		"lower, hex":      strings.ToUpper(hex.EncodeToString([]byte(strings.ToLower(marker)))),
		"hex":             hex.EncodeToString([]byte("_" + marker)),
		"a nested value":  []any{map[string]any{"a": []string{"b", marker}}},
	} {
		if Leaks(planted) == nil {
			t.Errorf("%s: the leak was not found", name)
		}
	}
}

func TestWhatHoldsNoMarkerIsClean(t *testing.T) {
	Check(t, "an id", "01a204f6-07d0-7ce3-a84e-ee08b2a143f8")
	Check(t, "a reason", "code=no-header segment=1 path=MSH-2 offset=0")
}

func TestTheMessageParsesAndTheBrokenOnesDoNot(t *testing.T) {
	if _, err := hl7.Parse(Message()); err != nil {
		t.Error(err)
	}
	refused := 0
	for _, input := range Broken() {
		if _, err := hl7.Parse(input); err != nil {
			refused++
		}
	}
	if refused < 5 {
		t.Errorf("only %d of the broken inputs are refused", refused)
	}
}
