// Command generate writes the dictionary's definitions and code tables. It merges the npm
// package hl7-dictionary (1.0.1, MIT licence) with the facts of two other
// implementations, hl7apy (MIT licence) and HAPI, which it looks for beside this module.
// HAPI's facts decide between the others. Alone they count only where the rules below say
// so:
//
//	npm install --no-save hl7-dictionary@1.0.1
//	go generate ./hl7/dictionary
//
// Each statement about the standard, such as whether a field is required or a group
// repeats, is decided by itself:
//
//   - The base is the npm package where it covers the version, v2.1 to v2.7.1, and hl7apy
//     after that.
//   - Where the two others agree against the base, they are right: in v2.1 to v2.7 hl7apy
//     and HAPI; in v2.8 and v2.8.1 HAPI and the version before, as it is after the merge.
//     That neither has a segment, a field at a segment's end or a structure is an
//     agreement, too.
//   - Where a version has one source only, v2.7.1 and v2.8.2, what that source says as it
//     said it of the version before is what was decided there; the rest is taken as it is.
//   - Silence is no vote. A table that a source does not name, HAPI's fields where their
//     names show that they are out of step with everyone's, a group without content, and
//     "any segment" count for nothing. The npm package writes ST in v2.7 and v2.7.1 for
//     what it cannot say, a type that varies or a field that was withdrawn; there hl7apy
//     counts.
//   - An event has the structure that HL7's own table 0354 gives it, unless the version's
//     own copy of the table lists one by the event's name or both others have one. What
//     only the npm package has is a structure if that copy lists it.
//   - v2.3 came with the extended data types and left out that they repeat. A limit of
//     v2.3 that v2.3.1 does not have is lifted, and so is a requirement that none of v2.2,
//     v2.3.1 and v2.4 has.
//   - In v2.5 and v2.5.1 the sources have lost how often some fields repeat. A limit that
//     HAPI alone has in v2.5.1 holds if v2.6 has the same. A limit that v2.4 and v2.5.1
//     both have also holds in v2.5.
//   - A field that is new in v2.8 or later has HAPI's limit. hl7apy lets all of them
//     repeat, also where the standard's table says nothing, which means once.
//   - The npm package does not say how often a choice of segments occurs. It occurs once;
//     in a response, after the ORC, it is optional.
//   - patch.tsv says what the standard decides against all of them, with the section; a
//     line that changes nothing is an error.
//
// Code tables are hl7apy's, by version, with the npm package's meanings of the codes.
// Versions before v2.3.1, which hl7apy lacks, get those of v2.3.1. Names that are cut off
// are completed, in the npm package's own spelling if it has one elsewhere, or from HAPI
// if what is missing is in parentheses. Names of groups that a program made up are
// replaced.
//
// The package loads what this writes; see its tables.go for the format.
package main

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"hl7lake/hl7/dictionary/internal/facts"
)

func main() {
	log.SetFlags(0)
	npm := flag.String("npm", "node_modules/hl7-dictionary", "folder of the npm package")
	others := flag.String("facts", "../shared/facts", "folder of the facts of other implementations")
	to := flag.String("to", "hl7/dictionary", "folder to write to")
	flag.Parse()
	if err := run(*npm, *others, *to); err != nil {
		log.Fatal(err)
	}
}

func run(npm, others, to string) error {
	base, err := readNPM(filepath.Join(npm, "lib"))
	if err != nil {
		return err
	}
	hl7apy, hapi, err := facts.Read(others)
	if err != nil {
		return err
	}
	changes, err := readPatch()
	if err != nil {
		return err
	}
	merged, err := merge(base, hl7apy, hapi, changes)
	if err != nil {
		return err
	}
	for _, file := range []struct {
		name string
		text []byte
	}{{"tables.txt.gz", merged.definitions()}, {"codes.txt.gz", merged.codes()}} {
		data, err := compress(file.text)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, file.name), data, 0o644); err != nil {
			return err
		}
		fmt.Printf("%s: %d bytes of text in %d\n", file.name, len(file.text), len(data))
	}
	return nil
}

func compress(text []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}
