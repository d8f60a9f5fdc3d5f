package fault_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
)

// sound returns a lake that holds one message as it should, and its ledger.
func sound() (contents, *message) {
	m := &message{
		name: "m", sender: sender{owner: "o"}, body: []byte("MSH|"), hl7: true,
		answers: []answer{{Err: "EOF"}, {Status: 503}, {Status: 201, ID: "root"}, {Status: 409, ID: "root"}},
	}
	sum := sha256.Sum256(m.body)
	return contents{
		entries: map[string][]entry{"root": {
			{Root: "root", Zone: "ingestion", Owner: "o", Key: "ingestion/root.er7", VersionID: "1", SHA256: hex.EncodeToString(sum[:])},
			{Root: "root", Zone: "staging", Owner: "o", Key: "staging/derived.json", VersionID: "2"},
		}},
		versions: map[string][]string{"ingestion/root.er7": {"1"}, "staging/derived.json": {"2"}},
		claims:   map[string]claim{key(m): {PK: key(m), ID: "root"}, "id#root": {PK: "id#root"}},
		letters:  map[string][]letter{},
	}, m
}

func TestTheAuditTakesOtherLineEndsForOneMessageWhereTheSenderWasToldSo(t *testing.T) {
	c, m := sound()
	m.ways = [][]byte{[]byte("MSH|\n"), []byte("MSH|\r\n"), m.body, []byte("MSH|\n")}
	m.answers[3].Body = `{"id":"root","detail":"Line ends differ."}`
	if problems := c.audit(m).problems; len(problems) > 0 {
		t.Errorf("%q", problems)
	}
}

// TestTheAuditNoticesWhatIsMissingTwiceOrStrange tests the test.
func TestTheAuditNoticesWhatIsMissingTwiceOrStrange(t *testing.T) {
	for what, damage := range map[string]func(*contents, *message){
		"records of the message itself": func(c *contents, _ *message) { c.entries["root"] = c.entries["root"][1:] },
		"neither staged nor an error":   func(c *contents, _ *message) { c.entries["root"] = c.entries["root"][:1] },
		"staged 2 times":                func(c *contents, _ *message) { c.entries["root"] = append(c.entries["root"], c.entries["root"][1]) },
		"both staged and an error": func(c *contents, _ *message) {
			again := c.entries["root"][0]
			again.Zone, again.Reason = "error", "workflow"
			c.entries["root"] = append(c.entries["root"], again)
		},
		"filed as an error": func(c *contents, _ *message) {
			c.entries["root"][1].Zone, c.entries["root"][1].Reason = "error", "workflow"
		},
		"has the versions":     func(c *contents, _ *message) { c.versions["ingestion/root.er7"] = []string{"1", "3"} },
		"is not what was sent": func(c *contents, _ *message) { c.entries["root"][0].SHA256 = "another" },
		"what was sent when the answer was 201": func(_ *contents, m *message) {
			m.ways = [][]byte{m.body, m.body, []byte("MSH|\n"), m.body}
		},
		"what was sent when the answer was 409": func(_ *contents, m *message) {
			m.ways = [][]byte{m.body, m.body, m.body, []byte("MSH|\n")}
		},
		"belongs to":                   func(c *contents, _ *message) { c.entries["root"][1].Owner = "another" },
		"no claim on it":               func(c *contents, m *message) { delete(c.claims, key(m)) },
		"its claim has the id":         func(c *contents, m *message) { c.claims[key(m)] = claim{ID: "other"} },
		"not come to its end":          func(c *contents, _ *message) { delete(c.claims, "id#root") },
		"told two ids":                 func(_ *contents, m *message) { m.answers = append(m.answers, answer{Status: 409, ID: "other"}) },
		"neither accepted nor refused": func(_ *contents, m *message) { m.answers = m.answers[:2] },
		"its sender was told [EOF 429]": func(_ *contents, m *message) {
			m.answers = []answer{{Err: "EOF"}, {Status: 429}} // not refused: to be sent again
		},
		"message that nobody was told of": func(c *contents, _ *message) { c.entries["other"] = []entry{{Root: "other"}} },
		"a claim, or the end of one":      func(c *contents, _ *message) { c.claims["x"] = claim{ID: "other"} },
		"object that the catalog":         func(c *contents, _ *message) { c.versions["error/other.txt"] = []string{"1"} },
		"letter about no message":         func(c *contents, _ *message) { c.letters["other"] = []letter{{root: "other"}} },
	} {
		c, m := sound()
		if found := append(c.audit(m).problems, c.strangers([]*message{m})...); len(found) > 0 {
			t.Fatalf("a sound lake: %q", found)
		}
		damage(&c, m)
		found := append(c.audit(m).problems, c.strangers([]*message{m})...)
		if !strings.Contains(strings.Join(found, "; "), what) {
			t.Errorf("%s: the audit says %q", what, found)
		}
	}
}
