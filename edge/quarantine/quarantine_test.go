package quarantine_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hl7lake/edge/quarantine"
	"hl7lake/edge/queue"
)

func open(t *testing.T, dir string) quarantine.Folder {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := queue.WriteKey(path); err != nil {
		t.Fatal(err)
	}
	key, err := queue.ReadKey(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := quarantine.Open(dir, key)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func entry(second int) quarantine.Entry {
	received := time.Date(2026, 1, 2, 15, 4, second, 0, time.UTC)
	return quarantine.Entry{Listener: "adt", Received: received, Refused: received.Add(time.Hour), Status: 400, Code: "empty-body", Detail: "It is empty."}
}

func TestWhatIsAddedIsListedReadAndRemoved(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	for _, second := range []int{6, 5, 5} {
		if err := f.Add(entry(second), 17, []byte("PID|Sample")); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := f.List()
	if err != nil {
		t.Fatal(err)
	}
	want := []quarantine.Entry{entry(5), entry(6)}
	want[0].Name, want[0].Size = "20260102T150405.000-adt-17", 10
	want[1].Name, want[1].Size = "20260102T150406.000-adt-17", 10
	if diff := cmp.Diff(want, entries); diff != "" {
		t.Error(diff)
	}
	if e, body, err := f.Read(want[0].Name); err != nil || string(body) != "PID|Sample" || e != want[0] {
		t.Errorf("%+v %q %v", e, body, err)
	}
	if u, err := f.Usage(); err != nil || u.Messages != 2 || u.Bytes < 2*10 {
		t.Errorf("%+v %v", u, err)
	}
	if err := f.Remove(want[0].Name); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Read(want[0].Name); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestNothingOfAMessageStandsInItsFile(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	if err := f.Add(entry(1), 1, []byte("PID|Sample")); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	content, err := os.ReadFile(files[0])
	if err != nil || bytes.Contains(content, []byte("Sample")) {
		t.Errorf("%q %v", content, err)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("readable by others: %v %v", info.Mode(), err)
	}
}

func TestAFileThatWasChangedIsAnError(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	if err := f.Add(entry(1), 1, []byte("PID|Sample")); err != nil {
		t.Fatal(err)
	}
	name := "20260102T150401.000-adt-1"
	path := filepath.Join(dir, name+".refused")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for what, test := range map[string]struct {
		content []byte
		want    error
	}{
		"cut off":        {whole[:20], quarantine.ErrDamaged},
		"another's name": {bytes.Replace(whole, []byte("adt-1"), []byte("adt-2"), 1), quarantine.ErrDamaged},
		"its end":        {append(bytes.Clone(whole[:len(whole)-1]), whole[len(whole)-1]^1), queue.ErrWrongKey},
	} {
		if err := os.WriteFile(path, test.content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := f.Read(name); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, _, err := f.Read("../" + name); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
