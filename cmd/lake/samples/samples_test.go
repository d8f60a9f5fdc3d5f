package samples

import (
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/hl7"
)

func all() []Sample { return append([]Sample{Admission(), Transfer(), NotHL7()}, Others()...) }

func TestSamplesParseAsWhatTheyClaimToBe(t *testing.T) {
	for _, sample := range all() {
		t.Run(sample.Name, func(t *testing.T) {
			message, err := hl7.Parse(sample.Body)
			if !sample.HL7() {
				if err == nil {
					t.Fatal("parsed, but it is to be refused")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := Sample{Type: message.Type(), Version: message.Version(), Segments: message.Len()}
			want := Sample{Type: sample.Type, Version: sample.Version, Segments: sample.Segments}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEveryFileIsASample(t *testing.T) {
	known := map[string]bool{}
	for _, sample := range all() {
		if known[sample.Name] {
			t.Errorf("%s is there twice", sample.Name)
		}
		known[sample.Name] = true
	}
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if !entry.IsDir() && !known[entry.Name()] {
			t.Errorf("%s is never sent", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
