package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"hl7lake/hl7"
)

// corpus is real public messages, kept beside the repository.
const corpus = "../../../shared/corpus"

func TestEveryFileOfTheCorpusBecomesOneLineOfJSONOrARefusal(t *testing.T) {
	if _, err := os.Stat(corpus); err != nil {
		t.Skip("the corpus is not here: ", err)
	}
	outcomes := map[string]int{}
	err := filepath.WalkDir(corpus, func(path string, file fs.DirEntry, err error) error {
		if err != nil || file.IsDir() || file.Name() == "README.md" {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		outcomes[outcome(t, path, raw)]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(outcomes)
	if outcomes["staged"] == 0 {
		t.Error("nothing was staged")
	}
}

// outcome passes one file through the function. It returns "staged" or the reason's code.
func outcome(t *testing.T, path string, raw []byte) string {
	var s state
	_, err := s.parse(t, prepared(string(hl7.Normalize(nil, raw))))
	if refused := (*ParseError)(nil); errors.As(err, &refused) {
		return refused.Reason.Code
	}
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return "failed"
	}
	document := s.event(t).Body
	if !json.Valid(document) || bytes.Count(document, []byte("\n")) != 1 || !bytes.HasSuffix(document, []byte("]}\n")) {
		t.Errorf("%s: not one line of JSON", path)
	}
	return "staged"
}
