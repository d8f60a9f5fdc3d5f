package hl7_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"hl7lake/hl7"
)

// What is wrong with some files of the corpus. Nothing is wrong with the others.
func wantError(file string) error {
	switch file {
	case "testdata_malformed_invalid_delimiters.hl7": // not a message on purpose: MSH-2 is the word INVALID
		return hl7.ErrDelimiters
	case "src_Microsoft.Health.Fhir.Liquid.Converter.UnitTests_TestData_Expected_BundleToHl7v2.hl7": // BTS-1 says 1, the batch has 2
		return hl7.ErrCount
	}
	return nil
}

// corpus runs a subtest on each of the package's own fixtures and on each file of the
// corpus of public messages.
func corpus(t *testing.T, test func(t *testing.T, data []byte)) {
	t.Helper()
	run := func(pattern string) (found bool) {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			t.Run(filepath.Base(file), func(t *testing.T) { test(t, data) })
		}
		return len(files) > 0
	}
	if !run("testdata/*.hl7") {
		t.Error("no fixtures")
	}
	if !run("../../shared/corpus/*/*") {
		t.Skip("the corpus of public messages is not beside the module (../shared/corpus): own fixtures only")
	}
}

func TestEveryMessageComesBackByteForByte(t *testing.T) {
	corpus(t, func(t *testing.T, data []byte) {
		var back bytes.Buffer
		messages := 0
		r := hl7.NewReader(bytes.NewReader(data))
		for {
			part, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			encoded := part.Data
			if part.Kind == hl7.Single {
				m, err := hl7.Parse(part.Data)
				switch {
				case err == nil:
					encoded = m.Encode()
				case !errors.Is(err, wantError(filepath.Base(t.Name()))):
					t.Fatal(err)
				}
				messages++
			}
			back.Write(encoded)
		}
		if messages == 0 {
			t.Error("no message in this file")
		}
		if !bytes.Equal(back.Bytes(), data) {
			t.Error("the parts are not the file")
		}
	})
}

func TestEveryMessageIsValidJSON(t *testing.T) {
	corpus(t, func(t *testing.T, data []byte) {
		for m, err := range hl7.NewReader(bytes.NewReader(data)).Messages() {
			if err != nil {
				if !errors.Is(err, wantError(filepath.Base(t.Name()))) {
					t.Error(err)
				}
				continue
			}
			checkJSON(t, m)
		}
	})
}

type jsonSegment struct {
	Seq    int                            `json:"seq"`
	ID     string                         `json:"id"`
	Fields map[string][]map[string]string `json:"fields"`
}

// checkJSON compares the JSON of a message with the values at its paths.
func checkJSON(t *testing.T, m *hl7.Message) {
	t.Helper()
	line := m.AppendJSON(nil, hl7.JSON{})
	if bytes.ContainsAny(line, "\r\n") {
		t.Error("the JSON is more than one line")
	}
	var segments []jsonSegment
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&segments); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	if len(segments) != m.Len() {
		t.Fatalf("%d segments, want %d", len(segments), m.Len())
	}
	for i, got := range segments {
		s := m.Segment(i)
		if got.Seq != i+1 {
			t.Errorf("segment %d has seq %d", i+1, got.Seq)
		}
		if escape := m.Delimiters().Escape; got.ID != s.Name() && (escape == 0 || strings.IndexByte(s.Name(), escape) < 0) {
			t.Errorf("segment %d has id %q, want %q", i+1, got.ID, s.Name())
		}
		for field, repetitions := range got.Fields {
			for r, values := range repetitions {
				for key, value := range values {
					path := field + "[" + strconv.Itoa(r+1) + "]." + key
					if want := s.Get(path); value != want {
						t.Errorf("%s-%s: JSON has %q, Get %q", s.Name(), path, value, want)
					}
				}
			}
		}
	}
}

func TestEveryMessageSurvivesJSON(t *testing.T) {
	corpus(t, func(t *testing.T, data []byte) {
		for m, err := range hl7.NewReader(bytes.NewReader(data)).Messages() {
			if err == nil {
				checkCanonical(t, m)
			}
		}
	})
}

// checkCanonical converts a message to JSON and back, which gives its canonical form, and
// does the same with that. The second time nothing may change, and all values must be the
// same.
func checkCanonical(t *testing.T, m *hl7.Message) {
	t.Helper()
	line := m.AppendJSON(nil, hl7.JSON{})
	canonical, err := hl7.FromJSON(line)
	noCharacter := bytes.Contains(line, []byte("\ufffd"))
	noEscape := m.Delimiters().Escape == 0 // and an escape is needed, for a line end in a value
	if errors.Is(err, hl7.ErrNotEncodable) && (noCharacter || noEscape) {
		return
	}
	if err != nil {
		t.Fatalf("FromJSON: %v of %s", err, line)
	}
	if again := canonical.AppendJSON(nil, hl7.JSON{}); !bytes.Equal(again, line) {
		t.Errorf("the JSON of the canonical form differs:\n%s\n%s", line, again)
	}
	read, err := hl7.Parse(canonical.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if again := read.AppendJSON(nil, hl7.JSON{}); !bytes.Equal(again, line) {
		t.Errorf("the canonical form does not say the same:\n%s\n%s", line, again)
	}
}
