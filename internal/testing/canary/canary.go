// Package canary finds leaks, for tests. It has messages with a marker in every field
// that can hold patient data, and a check that no output of a function or of the whole
// lake holds the marker.
package canary

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// marker is a text that occurs only in the messages of this package.
const marker = "Zeisig"

// Owner is the institution that sends the messages.
const Owner = "vogelsang"

// ControlID is the messages' MSH-10. It says nothing about a patient by itself, but the
// lake promises to keep it in content only.
const ControlID = marker + "-control"

// Message is an ADT^A01 about an invented person. All its values hold the marker.
func Message() []byte {
	return []byte(strings.Join([]string{
		fmt.Sprintf(`MSH|^~\&|%[1]s-app|%[1]s-facility|%[1]s-to|%[1]s-place|20260102030405||ADT^A01^ADT_A01|%[2]s|P|2.5.1`, marker, ControlID),
		fmt.Sprintf(`EVN|A01|20260102|||%[1]s-operator`, marker),
		fmt.Sprintf(`PID|1||%[1]s-mrn^^^%[1]s-authority||%[1]s-family^%[1]s-given||%[1]s-birth|F|||%[1]s-street^^%[1]s-city||%[1]s-phone`, marker),
		fmt.Sprintf(`PD1||||%[1]s-doctor`, marker),
		fmt.Sprintf(`NK1|1|%[1]s-kin^%[1]s-given|MTH|%[1]s-street|%[1]s-phone`, marker),
		fmt.Sprintf(`PV1|1|I|%[1]s-ward^%[1]s-room||||%[1]s-attending||||||||||||%[1]s-visit`, marker),
		fmt.Sprintf(`GT1|1|%[1]s-number|%[1]s-guarantor||%[1]s-street|%[1]s-phone`, marker),
		fmt.Sprintf(`IN1|1|%[1]s-plan|%[1]s-company|%[1]s-insurer||||%[1]s-group||||||||%[1]s-insured`, marker),
		fmt.Sprintf(`DG1|1||%[1]s-diagnosis`, marker),
		fmt.Sprintf(`OBX|1|TX|%[1]s-code||%[1]s-text`, marker),
		fmt.Sprintf(`NTE|1|L|%[1]s-note\T\%[1]s-comment`, marker),
		fmt.Sprintf(`ZZZ|%[1]s-local`, marker),
	}, "\r") + "\r")
}

// Broken are inputs that cannot be staged, with the marker in the places that an error
// might quote.
func Broken() map[string][]byte {
	return map[string][]byte{
		"no header":     []byte(marker + " had a temperature of 39 degrees"),
		"header cut":    []byte("MSH|^~" + marker),
		"delimiters":    []byte("MSH" + marker + "|" + marker),
		"type":          []byte(`MSH|^~\&|||||||` + marker + "^" + marker + "|" + ControlID),
		"two messages":  append(Message(), Message()...),
		"batch":         append([]byte("BHS|^~\\&|"+marker+"\r"), Message()...),
		"not UTF-8":     []byte(marker + "\xff\x00\x0b" + marker),
		"segment names": []byte(marker + "|" + marker + "\r" + marker),
	}
}

// Leaks returns the places in value, which is JSON, that hold the marker: as it is, in
// base64 or in hex. It returns nil if there are none.
func Leaks(value any) []string {
	text, err := json.Marshal(value)
	if err != nil {
		return []string{"cannot be looked into: " + err.Error()}
	}
	return leaks(string(text))
}

func leaks(text string) []string {
	var found []string
	text = strings.ToLower(text)
	for form, needle := range forms() {
		if strings.Contains(text, strings.ToLower(needle)) {
			found = append(found, form)
		}
	}
	slices.Sort(found)
	return found
}

// forms are the encodings of the marker that are looked for; the comparison ignores case.
// The base64 of a text depends on its position modulo 3, so only the part of it that does
// not depend on its neighbours is looked for.
func forms() map[string]string {
	all := map[string]string{"plain": marker}
	for spelling, text := range map[string]string{"": marker, " lower": strings.ToLower(marker), " upper": strings.ToUpper(marker)} {
		all["hex"+spelling] = hex.EncodeToString([]byte(text))
		for shift := range 3 {
			encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("_", shift) + text))
			from := (shift*8 + 5) / 6
			all[fmt.Sprintf("base64+%d%s", shift, spelling)] = encoded[from : len(encoded)-1]
		}
	}
	return all
}

// Check fails the test if value holds the marker.
func Check(t testing.TB, what string, value any) {
	t.Helper()
	if found := Leaks(value); found != nil {
		t.Errorf("%s holds patient data (%s)", what, strings.Join(found, ", "))
	}
}
