package local

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hl7lake/local/store"
)

func TestANewDataFolderHasTheVersionThatIsReadAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	for range 2 {
		if err := prepareFolder(dir); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != "version" {
		t.Errorf("the folder holds %v (%v)", entries, err)
	}
}

func TestADataFolderThatThisProgramCannotReadIsRefusedWithAdvice(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"a newer version":            {"version": "3\n"},
		"an older one":               {"version": "1\n", database: "x"},
		"a version that is none":     {"version": "\n"},
		"data without a version":     {database: "x"},
		"a folder that is a version": {"version/file": "1"},
	} {
		dir := t.TempDir()
		for file, content := range files {
			path := filepath.Join(dir, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		err := prepareFolder(dir)
		if err == nil {
			t.Errorf("%s: the folder is taken", name)
			continue
		}
		if name != "a folder that is a version" && !strings.Contains(err.Error(), "use the program that wrote it, or name another folder") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAFileInThePlaceOfTheDataFolderIsSaidSo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := prepareFolder(file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v", err)
	}
}

func TestObjectsWithoutADatabaseAreDamage(t *testing.T) {
	for name, files := range map[string][]string{
		"the database is gone":  {"version", "s3/bucket/object"},
		"the database is empty": {"version", "s3/bucket/object", database},
	} {
		dir := t.TempDir()
		for _, file := range files {
			path, content := filepath.Join(dir, file), ""
			if file == "version" {
				content = folderVersion
			}
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		if err := prepareFolder(dir); !errors.Is(err, store.ErrDamaged) || !strings.Contains(err.Error(), filepath.Join(dir, database)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestADamagedDataFolderStopsTheStartWithTheNextStep goes the way that a start goes.
func TestADamagedDataFolderStopsTheStartWithTheNextStep(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, database), []byte(strings.Repeat("nothing that a store wrote ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	err := newLake(Options{Dir: dir}, nil).open()
	if err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "put a copy of the whole data folder in its place") {
		t.Errorf("got %v", err)
	}
}
