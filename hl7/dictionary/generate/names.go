package main

import (
	"regexp"
	"strings"
)

// A speller knows how the npm package spells names. It corrects those that other sources
// have in capitals with underscores.
type speller struct {
	names map[string]string // from letters to the newest spelling
	words map[string]string // from capitals to the spelling
}

func newSpeller(npm *model) *speller {
	s := &speller{map[string]string{}, map[string]string{}}
	for _, v := range versions {
		for _, all := range []map[string]*definition{npm.types[v], npm.segments[v]} {
			for _, d := range all {
				for _, f := range d.fields {
					s.learn(f.name)
				}
			}
		}
	}
	return s
}

var word = regexp.MustCompile(`[A-Za-z0-9][A-Za-z0-9]*`)

// learn keeps, of several spellings, the one that sorts first, so that the result is
// always the same: capitals come before small letters.
func (s *speller) learn(name string) {
	if old, ok := s.names[letters(name)]; !ok || better(name, old) {
		s.names[letters(name)] = name
	}
	for i, w := range word.FindAllString(name, -1) {
		key := strings.ToUpper(w)
		if i == 0 || len(w) < 2 {
			continue // a first word always has a capital
		}
		if old, ok := s.words[key]; !ok || better(w, old) {
			s.words[key] = w
		}
	}
}

// better reports whether a spelling is preferred: the one with more words in capitals,
// then with fewer underscores and stray spaces, then the one that sorts first.
func better(a, b string) bool {
	score := func(s string) (n int) {
		for _, w := range strings.Fields(s) {
			if w[0] >= 'A' && w[0] <= 'Z' {
				n += 2
			}
		}
		if strings.ToUpper(s) == s && len(s) > 4 {
			n -= 100
		}
		return n - 10*strings.Count(s, "_")
	}
	if score(a) != score(b) {
		return score(a) > score(b)
	}
	return a < b
}

// letters returns a name's letters and digits.
func letters(name string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, strings.ToUpper(name))
}

// agreed returns the npm package's name, or the name on which both others agree. A name
// that is cut before a parenthesis is completed from HAPI, which spells names as the
// standard does.
func (s *speller) agreed(base, one, other string) string {
	if n := strings.IndexByte(other, '('); n > 0 && letters(base) == letters(other[:n]) {
		name := strings.TrimRight(other[:n], " -")
		full := clean(strings.TrimRight(base, " -") + other[len(name):])
		s.names[letters(full)] = full // for the versions after
		return full
	}
	if letters(one) != letters(other) || letters(base) == letters(one) {
		return strings.TrimRight(base, " -")
	}
	rest, longer := strings.CutPrefix(letters(one), letters(base))
	if longer && strings.Trim(strings.TrimPrefix(rest, "NUMBER"), "0123456789") == "" && strings.HasPrefix(rest, "NUMBER") {
		return base // "Unused Number 3": their way to distinguish fields of one name
	}
	return s.complete(base, one)
}

// whole returns the full name if the npm package cuts it off.
func (s *speller) whole(base, other string) string {
	tail, ok := strings.CutPrefix(letters(other), letters(base))
	if !ok || tail == "" || len(tail) <= 2 && tail != "S" {
		return base // the same, or with the data type after it as in "ID number (ST)"
	}
	return s.complete(base, other)
}

// complete spells a name that may go on where the base ends.
func (s *speller) complete(base, other string) string {
	if known, ok := s.names[letters(other)]; ok && !strings.HasSuffix(known, "-") {
		return known
	}
	words := strings.Split(other, "_")
	for n := range words {
		if strings.Join(words[:n], "") != letters(base) {
			continue
		}
		full := strings.TrimRight(base, " -")
		if tail := words[n:]; len(tail) == 1 && tail[0] == "S" {
			full += "(s)"
		} else {
			full += " (" + s.phrase(tail) + ")"
		}
		s.names[letters(full)] = full // for the versions after
		return full
	}
	return s.spell(other)
}

// spell writes a name such as PATIENT_S_HOME_ADDRESS as people would.
func (s *speller) spell(name string) string {
	if known, ok := s.names[letters(name)]; ok {
		return known
	}
	if key := letters(name); len(name) >= 49 { // hl7apy cuts names there
		best := ""
		for known, spelling := range s.names {
			if strings.HasPrefix(known, key) && (best == "" || spelling < best) {
				best = spelling
			}
		}
		if best != "" {
			return best
		}
	}
	return s.phrase(strings.Split(name, "_"))
}

func (s *speller) phrase(words []string) string {
	var parts []string
	for i, w := range words {
		switch {
		case w == "":
		case w == "S" && i > 0:
			parts[len(parts)-1] += "'s"
		case i > 0 && isNumber(w) && (isNumber(words[i-1]) || words[i-1] == "OBX"):
			parts[len(parts)-1] += "-" + w
		case w == "TIME" && i > 0 && words[i-1] == "DATE":
			parts[len(parts)-1] += "/Time"
		case i == 2 && words[0] == "SET" && words[1] == "ID":
			parts = append(parts, "-", w)
		case i > 0 && small[w]:
			parts = append(parts, strings.ToLower(w))
		case abbreviations[w]:
			parts = append(parts, w)
		case s.words[w] != "":
			parts = append(parts, s.words[w])
		case len(w) <= 3 && len(words) == 1:
			parts = append(parts, w)
		default:
			parts = append(parts, w[:1]+strings.ToLower(w[1:]))
		}
	}
	if len(parts) > 0 && parts[0] != "" {
		parts[0] = strings.ToUpper(parts[0][:1]) + parts[0][1:]
	}
	return strings.Join(parts, " ")
}

// The words that are written small within a name, and the abbreviations.
var (
	small         = words("AND AT BY FOR IN OF ON OR PER THE TO WITH")
	abbreviations = words("DIN DOB MCP PCA UNSPSC")
)

func words(list string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		set[w] = true
	}
	return set
}

func isNumber(s string) bool { return strings.Trim(s, "0123456789") == "" }
