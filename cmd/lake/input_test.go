package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

const (
	one = "MSH|^~\\&|A||||2026||ADT^A01|1|P|2.5\rPID|1\r"
	two = "MSH|^~\\&|B||||2026||ADT^A01|2|P|2.5\rPID|1\r"
)

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// zipped returns an archive of files: name, content, name, content.
func zipped(t *testing.T, files ...string) string {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(files); i += 2 {
		entry, err := w.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := entry.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// inUTF16 returns text in UTF-16, little-endian, after a byte order mark.
func inUTF16(text string) string {
	out := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(text)) {
		out = append(out, byte(unit), byte(unit>>8))
	}
	return string(out)
}

// withoutMessage are files and folders that hold no message, and what must be reported
// about each.
func withoutMessage(t *testing.T) (dir string, told map[string]string) {
	t.Helper()
	dir = folder(t, map[string]string{
		"LICENSE":         "                Licence\n\nTERMS AND CONDITIONS\n",
		"binary.dat":      "\x00\x01\x02\xff\xfe\x80\x81 binary",
		"nothing.hl7":     "",
		"blank.hl7":       "\r\n \r\n",
		"page.pdf":        "%PDF-1.7\n%\xe2\xe3",
		"document.xml":    "<?xml version=\"1.0\"?><ClinicalDocument/>",
		"bundle.json":     `{"resourceType":"Bundle"}`,
		"text.gz":         gzipped(t, "some text\n"),
		"empty.zip":       zipped(t),
		"texts.zip":       zipped(t, "a.txt", "some text\n"),
		"hidden/.hl7":     one,
		"texts/a.txt":     "some text\n",
		"texts/b/c.csv":   "a,b\n1,2\n",
		"archive/in.zip":  zipped(t, "x.zip", zipped(t, "y.hl7", one)),
		"messages/a.hl7":  one,
		"messages/b.hl7":  two,
		"messages/.z.hl7": "x",
	})
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir, map[string]string{
		"LICENSE": "text", "binary.dat": "binary data", "nothing.hl7": "an empty file", "blank.hl7": "blanks", "page.pdf": "application/pdf",
		"document.xml": "text/xml", "bundle.json": "JSON", "text.gz": "text", "empty.zip": "an empty archive", "texts.zip": "text",
		"empty": "an empty folder", "hidden": "only names that begin with a dot", "texts": "text", "archive/in.zip": "application/zip",
	}
}

func TestAnInputWithoutAMessageIsAnErrorThatSaysWhatItHolds(t *testing.T) {
	dir, all := withoutMessage(t)
	url, kept := keepingLake(t)
	for name, want := range all {
		path := filepath.Join(dir, name)
		for _, command := range [][]string{
			{"parse", "--pretty"}, {"parse", "--stats"}, {"parse", "--validate"}, {"parse", "--json"}, {"parse", "--path", "PID-3"},
			{"send", "--token", "x", "--url", url}, {"send", "--split", "--token", "x", "--url", url},
		} {
			got := call(t, nil, "", append(command, path)...)
			if got.Status != statusRefused || !strings.Contains(got.Out+got.Err, "no HL7 message") || !strings.Contains(got.Out+got.Err, want) {
				t.Errorf("%s of %s: %d\n%s%s", command, name, got.Status, got.Out, got.Err)
			}
		}
	}
	if posted := kept(); len(posted) > 0 {
		t.Errorf("posted: %q", posted)
	}
}

func TestEachNamedInputIsToHoldAMessage(t *testing.T) {
	dir, _ := withoutMessage(t)
	got := call(t, nil, "", "parse", "--validate", filepath.Join(dir, "messages"), filepath.Join(dir, "empty"))
	if got.Status != statusRefused || !strings.Contains(got.Err, "empty: no HL7 message: an empty folder") {
		t.Errorf("%d: %s", got.Status, got.Err)
	}
}

func TestWhatIsNotOneMessageIsNotPostedWholeUnlessThatIsAskedFor(t *testing.T) {
	for name, test := range map[string]struct{ content, told string }{
		"two messages":   {one + two, "2 messages"},
		"a batch":        {"BHS|^~\\&\r" + one + "BTS|1\r", "a batch"},
		"a file of none": {"FHS|^~\\&\rFTS|0\r", "a batch"},
		"text before":    {"exported by x\r\n" + one, "begins with 15 bytes that belong to no message"},
		"MLLP frames":    {"\v" + one + "\x1c\r\v" + two + "\x1c\r", "2 messages"},
		"text":           {"Permission is hereby granted\n", "no HL7 message: text"},
	} {
		t.Run(name, func(t *testing.T) {
			url, kept := keepingLake(t)
			got := call(t, nil, test.content, "send", "-", "--token", "x", "--url", url)
			if got.Status != statusRefused || !strings.Contains(got.Out, test.told) || !strings.Contains(got.Err, "not sent: 1") {
				t.Errorf("%d: %s%s", got.Status, got.Out, got.Err)
			}
			if hint := strings.Contains(got.Err, "--split"); hint != (name != "text") {
				t.Errorf("hint of --split: %v: %s", hint, got.Err)
			}
			if posted := kept(); len(posted) > 0 {
				t.Fatalf("posted: %q", posted)
			}
			got = call(t, nil, test.content, "send", "-", "--whole", "--token", "x", "--url", url)
			if diff := cmp.Diff([]string{test.content}, kept()); diff != "" || got.Status != statusDone {
				t.Errorf("--whole: %d: %s", got.Status, diff)
			}
		})
	}
}

func TestABrokenHeaderIsPosted(t *testing.T) {
	for _, text := range []string{"MSH\rPID|1\r", "\ufeffMSH|", "\vMSH|A\x1c\r", inUTF16("MSH\r")} {
		url, kept := keepingLake(t)
		if got := call(t, nil, text, "send", "-", "--token", "x", "--url", url); got.Status != statusDone || len(kept()) != 1 {
			t.Errorf("%q: %d: %s%s", text, got.Status, got.Out, got.Err)
		}
	}
}

func TestWhatNoPostTakesIsNotPosted(t *testing.T) {
	url, kept := keepingLake(t)
	got := call(t, nil, one+"NTE|1||"+strings.Repeat("x", largestPost)+"\r", "send", "-", "--whole", "--token", "x", "--url", url)
	if got.Status != statusRefused || len(kept()) > 0 || !strings.Contains(got.Out, "larger than") {
		t.Errorf("%d: %s%s", got.Status, got.Out, got.Err)
	}
}

func TestLinkedFoldersAreFollowedOnce(t *testing.T) {
	dir := folder(t, map[string]string{"real/a.hl7": one, "top/b.hl7": two})
	for link, to := range map[string]string{"link": "real", "top/linked": "../real", "real/loop": "../top", "top/file.hl7": "../real/a.hl7"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Skip(err)
		}
	}
	got := call(t, nil, "", "parse", "--path", "MSH-3", filepath.Join(dir, "link"), filepath.Join(dir, "top"))
	got.Out = strings.ReplaceAll(got.Out, dir, "DIR")
	want := result{Out: `DIR/link/a.hl7: A
DIR/link/loop/b.hl7: B
DIR/link/loop/file.hl7: A
DIR/top/b.hl7: B
DIR/top/file.hl7: A
DIR/top/linked/a.hl7: A
`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCompressedFilesAreReadByWhatTheyHold(t *testing.T) {
	dir := folder(t, map[string]string{
		"a.hl7.gz":   gzipped(t, one),
		"b":          gzipped(t, two), // whatever its name is
		"c.zip":      zipped(t, "in/x.hl7", one, "in/", "", "y.gz", gzipped(t, two), "__MACOSX/._x.hl7", "x"),
		"d/real.hl7": one,
	})
	got := call(t, nil, "", "parse", "--path", "MSH-3", dir)
	got.Out = strings.ReplaceAll(got.Out, dir, "DIR")
	want := result{Out: "DIR/a.hl7.gz: A\nDIR/b: B\nDIR/c.zip/in/x.hl7: A\nDIR/c.zip/y.gz: B\nDIR/d/real.hl7: A\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	url, kept := keepingLake(t)
	got = call(t, nil, gzipped(t, two), "send", "-p", "1", dir, "-", "--token", "x", "--url", url)
	if diff := cmp.Diff([]string{one, two, one, two, one, two}, kept()); diff != "" || got.Status != statusDone {
		t.Errorf("%d: %s%s", got.Status, got.Err, diff)
	}
}

func TestADamagedArchiveIsAFileThatCannotBeRead(t *testing.T) {
	whole := gzipped(t, strings.Repeat(one, 100))
	dir := folder(t, map[string]string{
		"cut.gz": whole[:len(whole)-9], "cut.zip": zipped(t, "a", one)[:60],
	})
	for _, name := range []string{"cut.gz", "cut.zip"} {
		for _, command := range []string{"parse", "send"} {
			arguments := []string{command, filepath.Join(dir, name)}
			if command == "send" {
				url, _ := keepingLake(t)
				arguments = append(arguments, "--split", "--token", "x", "--url", url)
			}
			got := call(t, nil, "", arguments...)
			if got.Status != statusUnusable || !strings.Contains(got.Out+got.Err, name) {
				t.Errorf("%s %s: %d: %s%s", command, name, got.Status, got.Out, got.Err)
			}
		}
	}
}

func TestFilesInUTF16AreSplit(t *testing.T) {
	for name, text := range map[string]string{"a header first": one + two, "text first": "exported\r\n" + one + two} {
		url, kept := keepingLake(t)
		got := call(t, nil, inUTF16(text), "send", "-", "--split", "-p", "1", "--token", "x", "--url", url)
		if len(kept()) != 2 {
			t.Errorf("%s: %d: %s%s", name, len(kept()), got.Out, got.Err)
		}
		parsed := call(t, nil, inUTF16(text), "parse", "-", "--path", "MSH-3")
		if parsed.Out != "A\nB\n" {
			t.Errorf("%s: %s%s", name, parsed.Out, parsed.Err)
		}
	}
}

func TestTextBeforeTheFirstHeaderIsTold(t *testing.T) {
	got := call(t, nil, "exported\r\n"+one, "parse", "--path", "MSH-3", "-")
	if got.Status != statusRefused || !strings.Contains(got.Err, "in no message: 10 bytes") {
		t.Errorf("%d: %s", got.Status, got.Err)
	}
}

func TestSendWaitsForWhatBecomesOfEach(t *testing.T) {
	url := lakeThatEnds(t)
	dir := folder(t, map[string]string{"a.hl7": "MSH|^~\\&|staged|", "b.hl7": "MSH|^~\\&|error|", "c.hl7": "MSH|^~\\&|never|"})
	got := call(t, nil, "", "send", dir, "--wait", "300ms", "--token", "x", "--url", url)
	got.Out = strings.ReplaceAll(got.Out, dir, "DIR")
	want := result{
		Status: statusRefused,
		Out: `201  DIR/a.hl7  staged  staged
201  DIR/b.hl7  error  error: bad-delimiters at segment 1, byte 4
201  DIR/c.hl7  never  ingested
`,
		Err: "accepted: 3, duplicates: 0, refused: 0; JSON: 1, errors: 1, under way: 1\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got = call(t, nil, "MSH|^~\\&|staged|", "send", "-", "--wait", "--json", "--token", "x", "--url", url)
	var line struct{ Became struct{ Status string } }
	if err := json.Unmarshal([]byte(got.Out), &line); err != nil || line.Became.Status != "staged" || got.Status != statusDone {
		t.Errorf("%d: %v: %s", got.Status, err, got.Out)
	}
}
