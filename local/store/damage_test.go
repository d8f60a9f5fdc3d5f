package store_test

// This file is about files that are damaged, empty or locked by another process.

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"hl7lake/local/store"
)

// filled is a file with some hundred pages, as bytes.
func filled(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, path)
	for i := range 50 {
		if err := write(s, fmt.Sprint(i), bytes.Repeat([]byte("x"), 10_000)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func write(s *store.Store, key string, value []byte) error {
	return s.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte("b"))
		if err != nil {
			return err
		}
		return b.Put([]byte(key), value)
	})
}

func TestADamagedFileIsAnErrorWithTheNextStep(t *testing.T) {
	whole := filled(t)
	overwrite := func(from, to int) []byte {
		content := bytes.Clone(whole)
		for i := from; i < to; i++ {
			content[i] = 0xA5
		}
		return content
	}
	page := os.Getpagesize()
	for name, content := range map[string][]byte{
		"cut off in its first page": whole[:100],
		"cut off in its second one": whole[:page+900],
		"cut off after two pages":   whole[:2*page],
		"cut off in the middle":     whole[:len(whole)/2],
		"another file":              []byte(strings.Repeat("not what the store wrote\n", 4000)),
		"both first pages":          overwrite(0, 2*page),
		"all pages but the first":   overwrite(2*page, len(whole)),
		"zeros":                     make([]byte, len(whole)),
	} {
		path := filepath.Join(t.TempDir(), "db")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := store.Open(path, store.Durable)
		if err == nil {
			err = s.Close()
			t.Errorf("%s: was opened (%v)", name, err)
			continue
		}
		if !errors.Is(err, store.ErrDamaged) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "put a copy") ||
			strings.Contains(err.Error(), "invalid database") || strings.Contains(err.Error(), "runtime error") || strings.Contains(err.Error(), "page ") {
			t.Errorf("%s: %v", name, err)
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, content) {
			t.Errorf("%s: the damaged file was changed (%v)", name, err)
		}
	}
}

func TestAnEmptyFileIsANewOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAFileThatAnotherHoldsIsSaidSo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, path)
	defer s.Close()
	if _, err := store.Open(path, store.Durable); !errors.Is(err, store.ErrInUse) {
		t.Errorf("got %v", err)
	}
}
