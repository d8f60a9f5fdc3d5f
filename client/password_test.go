package client

import (
	"strings"
	"testing"
	"unicode"
)

func TestNewPasswordsSatisfyThePoolsPolicy(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		password := NewPassword()
		for kind, is := range map[string]func(rune) bool{
			"lower case": unicode.IsLower, "upper case": unicode.IsUpper, "digit": unicode.IsDigit,
			"symbol": func(r rune) bool { return strings.ContainsRune("-_.+=", r) },
		} {
			if !strings.ContainsFunc(password, is) {
				t.Errorf("%s has no %s", password, kind)
			}
		}
		if len(password) != 24 || !unicode.IsLetter(rune(password[0])) || seen[password] {
			t.Errorf("%s: want 24 characters, a letter first, never the same", password)
		}
		seen[password] = true
	}
}
