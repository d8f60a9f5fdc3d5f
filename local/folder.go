package local

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// folderVersion is the version of the data folder's layout. It rises when an
// older program could not read what a newer one wrote, or the other way round.
const folderVersion = "1"

// prepareFolder makes the data folder, or checks that this program understands
// the one that is there.
func prepareFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	file := filepath.Join(dir, "version")
	content, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return os.WriteFile(file, []byte(folderVersion+"\n"), 0o600)
	case err != nil:
		return fmt.Errorf("data folder: %w", err)
	}
	if found := string(bytes.TrimSpace(content)); found != folderVersion {
		return fmt.Errorf("the data folder %s is of version %q, this program reads version %s: "+
			"use the program that wrote it, or name another folder", dir, found, folderVersion)
	}
	return nil
}
