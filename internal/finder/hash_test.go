package finder_test

import (
	"testing"

	"pgregory.net/rapid"

	"hl7lake/internal/finder"
)

func TestAHashDependsOnKeyKindValueAndAuthority(t *testing.T) {
	key, other := finder.Key("a key of thirty-two bytes, or so."), finder.Key("another key of thirty-two bytes.")
	seen := map[string]string{}
	for name, hash := range map[string]string{
		"patient 1":           key.Identifier("patient", "1"),
		"patient 2":           key.Identifier("patient", "2"),
		"visit 1":             key.Identifier("visit", "1"),
		"patient 1, key":      other.Identifier("patient", "1"),
		"patient 1 of X":      key.Authority("patient", "1", "X"),
		"patient 2 of X":      key.Authority("patient", "2", "X"),
		"patient 1 of Y":      key.Authority("patient", "1", "Y"),
		"patient 1X of none":  key.Authority("patient", "1X", ""),
		"patient 1 of X, key": other.Authority("patient", "1", "X"),
	} {
		if twin, known := seen[hash]; known || len(hash) != 22 {
			t.Errorf("%s and %s: %s", name, twin, hash)
		}
		seen[hash] = name
	}
}

func TestNoTwoIdentifiersAreHashedAsOneText(t *testing.T) {
	key := finder.Key("key")
	rapid.Check(t, func(t *rapid.T) {
		text := func(name string) string {
			return rapid.StringOf(rapid.SampledFrom([]rune("ab\x00\x01\x02"))).Draw(t, name)
		}
		kind := func(name string) finder.Kind { return finder.Kind(rapid.StringMatching(`[ab]{1,3}`).Draw(t, name)) }
		k1, v1, a1 := kind("kind"), text("value"), text("authority")
		k2, v2, a2 := kind("other kind"), text("other value"), text("other authority")
		if same := k1 == k2 && v1 == v2; (key.Identifier(k1, v1) == key.Identifier(k2, v2)) != same {
			t.Errorf("%q %q and %q %q", k1, v1, k2, v2)
		}
		if same := k1 == k2 && v1 == v2 && a1 == a2; (key.Authority(k1, v1, a1) == key.Authority(k2, v2, a2)) != same {
			t.Errorf("%q %q %q and %q %q %q", k1, v1, a1, k2, v2, a2)
		}
		if key.Identifier(k1, v1) == key.Authority(k2, v2, a2) {
			t.Errorf("an identifier has the hash of an authority: %q %q, %q %q %q", k1, v1, k2, v2, a2)
		}
	})
}
