package store_test

import (
	"encoding/binary"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"hl7lake/local/store"
)

func open(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := store.Open(path, store.Durable)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWritersThatShareACommitAllGetTheirOwnAnswer(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "db"))
	defer s.Close()
	refused := errors.New("refused")
	var writers sync.WaitGroup
	const count = 500
	for i := range count {
		writers.Go(func() {
			err := s.Update(func(tx *bbolt.Tx) error {
				if i%5 == 0 {
					return refused
				}
				return put(tx, uint32(i))
			})
			if want := i%5 == 0; errors.Is(err, refused) != want {
				t.Errorf("writer %d got %v", i, err)
			}
		})
	}
	writers.Wait()
	if got, want := size(t, s), count-count/5; got != want {
		t.Errorf("%d keys are kept, want %d", got, want)
	}
}

func TestWhatWasAcknowledgedIsThereAfterReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, path)
	if err := s.Update(func(tx *bbolt.Tx) error { return put(tx, 7) }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(func(*bbolt.Tx) error { return nil }); !errors.Is(err, store.ErrClosed) {
		t.Errorf("a write after Close gives %v", err)
	}
	s = open(t, path)
	defer s.Close()
	if got := size(t, s); got != 1 {
		t.Errorf("%d keys after reopening, want 1", got)
	}
}

func TestWhatNobodyWaitsForIsWrittenInOrderBeforeTheStoreCloses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, path)
	const count = 300 // more than one commit takes
	for i := range count {
		if err := s.Later(func(tx *bbolt.Tx) error { return put(tx, uint32(i)) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Later(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("numbers")).Delete(make([]byte, 4)) }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Later(func(*bbolt.Tx) error { return nil }); !errors.Is(err, store.ErrClosed) {
		t.Errorf("a write after Close gives %v", err)
	}
	s = open(t, path)
	defer s.Close()
	if got, want := size(t, s), count-1; got != want {
		t.Errorf("%d keys after reopening, want %d", got, want)
	}
}

func TestWhatNobodyWaitsForSharesTheCommitOfTheNextWrite(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "db"))
	defer s.Close()
	var together int
	const count = 20
	for range count {
		var later, update int
		if err := s.Later(func(tx *bbolt.Tx) error { later = tx.ID(); return nil }); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond) // time enough to commit it, if that were done
		if err := s.Update(func(tx *bbolt.Tx) error { update = tx.ID(); return nil }); err != nil {
			t.Fatal(err)
		}
		if later == update {
			together++
		}
	}
	if together < count/2 { // the first may have lain too long, where the machine is busy
		t.Errorf("%d of %d were in one commit", together, count)
	}
}

func TestWhatNobodyWaitsForIsWrittenWhereNothingElseIs(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "db"))
	defer s.Close()
	if err := s.Later(func(tx *bbolt.Tx) error { return put(tx, 1) }); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); size(t, s) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it is not there after ten seconds")
		}
	}
}

func put(tx *bbolt.Tx, n uint32) error {
	bucket, err := tx.CreateBucketIfNotExists([]byte("numbers"))
	if err != nil {
		return err
	}
	return bucket.Put(binary.BigEndian.AppendUint32(nil, n), nil)
}

func size(t *testing.T, s *store.Store) (keys int) {
	t.Helper()
	err := s.View(func(tx *bbolt.Tx) error {
		if bucket := tx.Bucket([]byte("numbers")); bucket != nil {
			keys = bucket.Stats().KeyN
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}
