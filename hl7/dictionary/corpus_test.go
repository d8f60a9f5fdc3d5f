package dictionary_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hl7lake/hl7"
	"hl7lake/hl7/dictionary"
)

const findingsFile = "testdata/findings.txt"

// rules are all of them, in the order of the table of findings.
var rules = []dictionary.Rule{
	dictionary.UnknownStructure, dictionary.MissingSegment, dictionary.UnexpectedSegment, dictionary.Misplaced, dictionary.RunTogether,
	dictionary.MissingField, dictionary.BadType, dictionary.TooManyRepetitions, dictionary.WrongCharset, dictionary.WrongDelimiters,
	dictionary.UnknownEscape, dictionary.UnknownSegment, dictionary.UnknownField, dictionary.WithdrawnField, dictionary.MissingComponent,
	dictionary.TooLong, dictionary.UnknownCode,
}

func TestTheFindingsInPublicMessagesAreAsCounted(t *testing.T) {
	files, err := filepath.Glob("../../../shared/corpus/*/*")
	if err != nil || len(files) == 0 {
		t.Skip("the corpus of public messages is not beside the module (../shared/corpus)")
	}
	lenient, strict, messages := map[dictionary.Rule]int{}, map[dictionary.Rule]int{}, 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for m, err := range hl7.NewReader(bytes.NewReader(data)).Messages() {
			if err != nil {
				continue // the Reader's tests are about text that is not a message
			}
			messages++
			v := dictionary.Of(m.Version())
			for level, counts := range map[dictionary.Level]map[dictionary.Rule]int{dictionary.Lenient: lenient, dictionary.Strict: strict} {
				for _, f := range v.Validate(m, level) {
					counts[f.Rule]++
				}
			}
		}
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%d messages in %d files\n%-22s %8s %8s\n", messages, len(files), "rule", "lenient", "strict")
	for _, rule := range rules {
		fmt.Fprintf(&text, "%-22s %8d %8d\n", rule, lenient[rule], strict[rule])
	}
	recorded(t, findingsFile, text.String())
}
