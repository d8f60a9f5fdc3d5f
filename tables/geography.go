package tables

import "strings"

// isState reports whether a text is the postal abbreviation of a state, district or
// territory of the United States (USPS Publication 28, appendix B).
func isState(text []byte) bool {
	const states = "AK AL AR AS AZ CA CO CT DC DE FL GA GU HI IA ID IL IN KS KY LA MA MD ME MI MN MO MP MS MT NC ND NE NH NJ NM " +
		"NV NY OH OK OR PA PR RI SC SD TN TX UT VA VI VT WA WI WV WY"
	return len(text) == 2 && text[0] != ' ' && text[1] != ' ' && strings.Contains(states, strings.ToUpper(string(text)))
}

// shortZIP returns the first three digits of a ZIP code, or 000 if 20,000 people or fewer
// live in the area of all ZIP codes that begin with these (45 CFR 164.514(b)(2)(i)(B)).
// It reports false if the text is not a ZIP code.
//
// The areas are those of the census of 2000, which the guidance of the Department of
// Health and Human Services lists, and those that the census of 2010 added.
func shortZIP(text []byte) (zip []byte, ok bool) {
	for i, c := range text {
		if digit := '0' <= c && c <= '9'; digit == (i == 5 && len(text) == 10) || !digit && c != '-' {
			return nil, false
		}
	}
	if len(text) != 5 && len(text) != 9 && len(text) != 10 {
		return nil, false
	}
	switch string(text[:3]) {
	case "036", "059", "063", "102", "202", "203", "204", "205", "369", "556", "692", "753", "772", "790", "821", "823",
		"830", "831", "878", "879", "884", "890", "893":
		return []byte("000"), true
	}
	return text[:3], true
}
