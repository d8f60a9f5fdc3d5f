package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAFileThatCannotBeUsedIsToldInPlainWords(t *testing.T) {
	dir := folder(t, map[string]string{
		"adt.hl7": one, "text.json": "x", "closed.hl7": one, "cut.gz": gzipped(t, one)[:20], "broken.zip": "PK\x03\x04broken"})
	closed := filepath.Join(dir, "closed.hl7")
	if err := os.Chmod(closed, 0); err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	const none, folderWanted = "there is no such file or folder", "its path has a file where a folder is wanted"
	for _, test := range []struct {
		arguments  []string
		file, want string
	}{
		{[]string{"parse", in("none")}, "none", none},
		{[]string{"parse", in("adt.hl7/x")}, "adt.hl7/x", folderWanted},
		{[]string{"parse", in("cut.gz")}, "cut.gz", "it is cut off"},
		{[]string{"parse", in("broken.zip")}, "broken.zip", "it cannot be unpacked: zip: not a valid zip file"},
		{[]string{"parse", closed}, "closed.hl7", "you have no permission for it"},
		{[]string{"trace", "x", "--outputs", in("none")}, "none", none},
		{[]string{"trace", "x", "--outputs", dir}, "", "it is a folder, where a file is wanted"},
		{[]string{"get", "x", "--dir", in("adt.hl7")}, "adt.hl7/connection.json", folderWanted},
		{[]string{"edge", "--config", in("none")}, "none", none},
		{[]string{"edge", "key", in("adt.hl7")}, "adt.hl7", "there is such a file already"},
		{[]string{"tables", "write", "--out", in("adt.hl7"), in("adt.hl7")}, "adt.hl7", folderWanted},
		{[]string{"tables", "show", in("adt.hl7")}, "adt.hl7", "not a Parquet file"},
		{[]string{"send", "--mllp", "127.0.0.1:1", "--tls-ca", in("none"), in("adt.hl7")}, "none", none},
		{[]string{"users", "list", "--outputs", in("none")}, "none", none},
	} {
		if test.file == "closed.hl7" && os.Geteuid() == 0 {
			continue // root has every permission
		}
		got := call(t, nil, "", test.arguments...)
		line, _, _ := strings.Cut(got.Err, "\n")
		if !strings.HasPrefix(line, "lake: ") || !strings.HasSuffix(line, in(test.file)+": "+test.want) || got.Status != statusUnusable {
			t.Errorf("%s: %d: %s", test.arguments, got.Status, got.Err)
		}
		if strings.Count(got.Err, in(test.file)) != 1 {
			t.Errorf("%s: the file is named more than once: %s", test.arguments, got.Err)
		}
	}
}

func TestASentFileThatCannotBeReadHasTheReasonBesideItsName(t *testing.T) {
	dir := folder(t, map[string]string{"cut.gz": gzipped(t, one)[:20]})
	got := call(t, nil, "", "send", "--token", "x", "--url", "http://127.0.0.1:1", filepath.Join(dir, "none"), filepath.Join(dir, "cut.gz"))
	want := result{Status: statusUnusable, Err: "accepted: 0, duplicates: 0, refused: 0, unreadable: 2\n",
		Out: "-    DIR/none  there is no such file or folder\n-    DIR/cut.gz  it is cut off\n"}
	got.Out = strings.ReplaceAll(got.Out, dir, "DIR")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
