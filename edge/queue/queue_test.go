package queue_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hl7lake/edge/queue"
)

var roomy = queue.Limits{Messages: 1 << 30, Bytes: 1 << 40}

// newKey returns a new key.
func newKey(t testing.TB) queue.Key {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := queue.WriteKey(path); err != nil {
		t.Fatal(err)
	}
	key, err := queue.ReadKey(path)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// open opens a queue that is closed when the test ends, if not before.
func open(t testing.TB, path string, key queue.Key, limits queue.Limits) *queue.Queue {
	t.Helper()
	q, err := queue.Open(path, key, limits)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	})
	return q
}

func put(t testing.TB, q *queue.Queue, lane, body string) queue.Message {
	t.Helper()
	m := queue.Message{Body: []byte(body), Received: time.UnixMilli(1_700_000_000_123), Origin: 7}
	if err := q.Put(lane, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// bodies are those of a lane's messages, in order.
func bodies(t testing.TB, q *queue.Queue, lane string) (all []string) {
	t.Helper()
	messages, err := q.Next(lane, 0, 1<<30, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		all = append(all, string(m.Body))
	}
	return all
}

func TestWhatWasPutIsThereInItsOrderAfterTheFileIsOpenedAgain(t *testing.T) {
	path, key := filepath.Join(t.TempDir(), "db"), newKey(t)
	q := open(t, path, key, roomy)
	first := put(t, q, "a", "1")
	put(t, q, "b", "other")
	put(t, q, "a", "2")
	put(t, q, "a", "3")
	if err := q.Remove("a", first); err != nil {
		t.Fatal(err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = open(t, path, key, roomy)
	if diff := cmp.Diff([]string{"2", "3"}, bodies(t, q, "a")) + cmp.Diff([]string{"other"}, bodies(t, q, "b")); diff != "" {
		t.Error(diff)
	}
	if a, all := q.LaneUsage("a"), q.Usage(); a.Messages != 2 || all.Messages != 3 || all.Bytes <= a.Bytes {
		t.Errorf("a holds %+v, all hold %+v", a, all)
	}
	last := put(t, q, "a", "4")
	messages, err := q.Next("a", last.ID-1, 10, 1)
	if err != nil || len(messages) != 1 {
		t.Fatalf("%v, %v", messages, err)
	}
	if diff := cmp.Diff(last, messages[0]); diff != "" || last.ID != 4 {
		t.Errorf("id %d; (-put +read):\n%s", last.ID, diff)
	}
}

func TestAMessageMayBeEmpty(t *testing.T) {
	q := open(t, filepath.Join(t.TempDir(), "db"), newKey(t), roomy)
	put(t, q, "a", "")
	if diff := cmp.Diff([]string{""}, bodies(t, q, "a")); diff != "" {
		t.Error(diff)
	}
}

func TestNextGivesNoMoreThanItIsAskedFor(t *testing.T) {
	q := open(t, filepath.Join(t.TempDir(), "db"), newKey(t), roomy)
	for range 5 {
		put(t, q, "a", "12345")
	}
	for _, test := range []struct {
		after    uint64
		n, bytes int
		want     int
	}{{0, 2, 100, 2}, {0, 10, 6, 2}, {0, 10, 5, 1}, {0, 10, 1, 1}, {3, 10, 100, 2}, {5, 10, 100, 0}} {
		if messages, err := q.Next("a", test.after, test.n, test.bytes); err != nil || len(messages) != test.want {
			t.Errorf("%+v: %d messages, %v", test, len(messages), err)
		}
	}
}

func TestManyPutsAtOnceAreAllKeptAndCounted(t *testing.T) {
	const senders, each = 16, 25
	path, key := filepath.Join(t.TempDir(), "db"), newKey(t)
	q := open(t, path, key, roomy)
	var running sync.WaitGroup
	for s := range senders {
		running.Go(func() {
			last := uint64(0)
			for n := range each {
				m := queue.Message{Body: fmt.Appendf(nil, "%d-%d", s, n)}
				if err := q.Put("a", &m); err != nil || m.ID <= last {
					t.Errorf("id %d behind %d, %v", m.ID, last, err)
				}
				last = m.ID
				if n%2 == 0 {
					if err := q.Remove("a", m); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	running.Wait()
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	counted := q.Usage()
	q = open(t, path, key, roomy)
	if got := len(bodies(t, q, "a")); got != senders*(each/2) || q.Usage() != counted {
		t.Errorf("%d messages; counted %+v, there %+v", got, counted, q.Usage())
	}
}

func TestAMessageThatDoesNotFitIsRefusedUntilThereIsRoom(t *testing.T) {
	for name, limits := range map[string]queue.Limits{"messages": {Messages: 3, Bytes: 1 << 20}, "bytes": {Messages: 100, Bytes: 3 * 1045}} {
		t.Run(name, func(t *testing.T) {
			q := open(t, filepath.Join(t.TempDir(), "db"), newKey(t), limits)
			body := strings.Repeat("x", 1000) // and 45 bytes of encryption and header
			first := put(t, q, "a", body)
			put(t, q, "b", body)
			put(t, q, "b", body)
			refused := func() bool {
				m := queue.Message{Body: []byte(body)}
				err := q.Put("a", &m)
				if err != nil && !errors.Is(err, queue.ErrFull) {
					t.Fatal(err)
				}
				return err != nil
			}
			if !refused() {
				t.Fatal("a fourth was taken")
			}
			if err := q.Remove("a", first); err != nil {
				t.Fatal(err)
			}
			if err := q.Remove("a", first); err != nil { // nothing to do
				t.Fatal(err)
			}
			for end := time.Now().Add(10 * time.Second); q.Usage().Messages > 2; time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("not removed")
				}
			}
			q.KeepRoom(queue.Usage{Messages: 1, Bytes: 1045})
			if !refused() {
				t.Error("room that is to be kept was used")
			}
			if q.KeepRoom(queue.Usage{}); refused() || !refused() {
				t.Error("not exactly one was taken")
			}
		})
	}
}

func TestNothingOfAMessageStandsInTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	q := open(t, path, newKey(t), roomy)
	for range 20 {
		put(t, q, "a", "PID|1||Sample^Sue")
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil || bytes.Contains(content, []byte("Sample")) || bytes.Contains(content, []byte("PID")) {
		t.Errorf("the file holds a message's content, %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is readable by others: %v, %v", info.Mode(), err)
	}
}

func TestAnotherKeyIsToldWhenTheFileIsOpened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	if err := open(t, path, newKey(t), roomy).Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := queue.Open(path, newKey(t), roomy); !errors.Is(err, queue.ErrWrongKey) {
		t.Error(err)
	}
}

func TestAFileThatAnotherHoldsIsSaidSo(t *testing.T) {
	path, key := filepath.Join(t.TempDir(), "db"), newKey(t)
	open(t, path, key, roomy)
	if _, err := queue.Open(path, key, roomy); !errors.Is(err, queue.ErrInUse) {
		t.Error(err)
	}
}

func TestADamagedFileIsAnErrorAndStaysAsItIs(t *testing.T) {
	dir, key := t.TempDir(), newKey(t)
	q := open(t, filepath.Join(dir, "db"), key, roomy)
	for range 50 {
		put(t, q, "a", strings.Repeat("x", 10_000))
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(dir, "db"))
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	for name, content := range map[string][]byte{
		"cut off after its first pages": whole[:2*page],
		"cut off in the middle":         whole[:len(whole)/2],
		"another file":                  []byte(strings.Repeat("not what the queue wrote\n", 4000)),
		"zeros behind the first pages":  append(bytes.Clone(whole[:2*page]), make([]byte, len(whole)-2*page)...),
	} {
		path := filepath.Join(dir, "damaged")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		q, err := queue.Open(path, key, roomy)
		if err == nil {
			t.Errorf("%s: was opened (%v)", name, q.Close())
			continue
		}
		if !errors.Is(err, queue.ErrDamaged) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, content) {
			t.Errorf("%s: the file was changed (%v)", name, err)
		}
	}
}

func TestAClosedQueueTakesNothing(t *testing.T) {
	q := open(t, filepath.Join(t.TempDir(), "db"), newKey(t), roomy)
	m := put(t, q, "a", "1")
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	before := q.Usage()
	for call, err := range map[string]error{"put": q.Put("a", &m), "remove": q.Remove("a", m)} {
		if !errors.Is(err, queue.ErrClosed) {
			t.Errorf("%s: %v", call, err)
		}
	}
	if after := q.Usage(); after != before {
		t.Errorf("it holds %+v, and held %+v", after, before)
	}
}

func TestAddedTellsOfMessagesThatCame(t *testing.T) {
	q := open(t, filepath.Join(t.TempDir(), "db"), newKey(t), roomy)
	added := q.Added("a")
	put(t, q, "b", "1")
	select {
	case <-added:
		t.Error("told of another lane's")
	default:
	}
	put(t, q, "a", "1")
	put(t, q, "a", "2")
	<-added
	select {
	case <-added:
		t.Error("told twice")
	default:
	}
}

func TestAKeyFileIsNotWrittenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := queue.WriteKey(path); err != nil {
		t.Fatal(err)
	}
	if err := queue.WriteKey(path); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	for _, content := range []string{"", "abc", strings.Repeat("0", 63), strings.Repeat("0", 66), strings.Repeat("z", 64)} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := queue.ReadKey(path); !errors.Is(err, queue.ErrKeyFile) {
			t.Errorf("%q: %v", content, err)
		}
	}
}

func TestWhatIsSealedForOnePlaceIsNotOpenedAtAnother(t *testing.T) {
	key := newKey(t)
	sealed := key.Seal([]byte("content"), "here")
	if content, err := key.Open(sealed, "here"); err != nil || string(content) != "content" {
		t.Errorf("%q, %v", content, err)
	}
	changed := bytes.Clone(sealed)
	changed[len(changed)-1] ^= 1
	for name, err := range map[string]error{
		"another place": second(key.Open(sealed, "there")), "changed": second(key.Open(changed, "here")),
		"cut off": second(key.Open(sealed[:5], "here")), "another key": second(newKey(t).Open(sealed, "here")),
	} {
		if !errors.Is(err, queue.ErrWrongKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
