package local

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"hl7lake/local/store"
)

// folderVersion is the version of the data folder's layout. It changes when an older
// program could not read what a newer one wrote, or the other way round.
const folderVersion = "2"

// The names in the data folder: of the store's file, and of the folder of the objects in
// S3.
const (
	database      = "lake.db"
	objectsFolder = "s3"
)

// prepareFolder makes the data folder, or checks that this program understands the
// existing one.
func prepareFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	file := filepath.Join(dir, "version")
	content, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return newFolder(dir, file)
	case err != nil:
		return fmt.Errorf("data folder: %w", err)
	}
	if found := string(bytes.TrimSpace(content)); found != folderVersion {
		return fmt.Errorf("the data folder %s is of version %q, this program reads version %s: "+
			"use the program that wrote it, or name another folder", dir, found, folderVersion)
	}
	return checkDatabase(dir)
}

// checkDatabase finds that the store's file is gone or empty, though the folder has
// objects. The store would begin anew, and the lake would know of none of them.
func checkDatabase(dir string) error {
	path := filepath.Join(dir, database)
	if info, err := os.Stat(path); err == nil && info.Size() > 0 {
		return nil
	}
	buckets, err := os.ReadDir(filepath.Join(dir, objectsFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("data folder: %w", err)
	}
	if len(buckets) > 0 {
		return fmt.Errorf("%s: %w", path, store.ErrDamaged)
	}
	return nil
}

// newFolder gives a folder its version, which is written completely or not at all. A
// folder with data but without a version was not made by this program.
func newFolder(dir, file string) error {
	if _, err := os.Stat(filepath.Join(dir, database)); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the data folder %s has data but no version, this program reads version %s: "+
			"use the program that wrote it, or name another folder (%w)", dir, folderVersion, cmp.Or(err, fs.ErrExist))
	}
	begun := file + ".new"
	err := os.WriteFile(begun, []byte(folderVersion+"\n"), 0o600)
	if err == nil {
		err = os.Rename(begun, file)
	}
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	return nil
}
