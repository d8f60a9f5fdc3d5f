package finder_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"hl7lake/internal/finder"
	"hl7lake/internal/hub"
	"hl7lake/internal/testing/fake"
)

var (
	now   = time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)
	first = uuid.MustParse("019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77")
	later = uuid.MustParse("019ac1d8-1f3f-7c52-a4e5-3d0c8b1f6a77")
)

// ledger is a table, and what a test asks of it.
type ledger struct {
	finder.Table
	db *fake.Tables
	t  *testing.T
}

func newLedger(t *testing.T) ledger {
	db := fake.NewTables(t)
	return ledger{finder.Table{Name: fake.Finder, DB: db}, db, t}
}

// entries makes entries without authorities.
func entries(hashes ...string) (all []finder.Entry) {
	for _, hash := range hashes {
		all = append(all, finder.Entry{Hash: hash})
	}
	return all
}

// enter enters a message and expects no error.
func (l ledger) enter(root uuid.UUID, hashes ...string) (entered bool) {
	l.t.Helper()
	entered, err := l.Enter(l.t.Context(), root, entries(hashes...))
	if err != nil {
		l.t.Fatal(err)
	}
	return entered
}

// found returns the messages that a hash leads to, newest first.
func (l ledger) found(hash string) (roots []uuid.UUID) {
	l.t.Helper()
	found, more, err := finder.Index{Name: fake.Finder, DB: l.db}.Newest(l.t.Context(), hash, uuid.Max, 100)
	if err != nil || more {
		l.t.Fatalf("more %t, %v", more, err)
	}
	for _, each := range found {
		roots = append(roots, each.Root)
	}
	return roots
}

// size returns how many items there are.
func (l ledger) size() int { return len(l.db.Items(l.t, fake.Finder)) }

func TestAHashLeadsToItsMessagesNewestFirst(t *testing.T) {
	l := newLedger(t)
	for range 2 { // the second time changes nothing
		l.enter(first, "a", "b")
		l.enter(later, "a")
	}
	if diff := cmp.Diff([]uuid.UUID{later, first}, l.found("a")); diff != "" || l.size() != 5 {
		t.Errorf("%d items:\n%s", l.size(), diff)
	}
	if got := l.found("b"); !slices.Equal(got, []uuid.UUID{first}) {
		t.Errorf("b leads to %v", got)
	}
	index := finder.Index{Name: fake.Finder, DB: l.db}
	page, more, err := index.Newest(t.Context(), "a", uuid.Max, 1)
	if err != nil || !more || len(page) != 1 || page[0].Root != later {
		t.Errorf("the first page: %v %t %v", page, more, err)
	}
	if page, _, err = index.Newest(t.Context(), "a", later, 1); err != nil || len(page) != 1 || page[0].Root != first {
		t.Errorf("the second page: %v %v", page, err)
	}
}

func TestAnEntryHasTheAuthoritiesOfItsIdentifier(t *testing.T) {
	l := newLedger(t)
	if _, err := l.Enter(t.Context(), first, []finder.Entry{{Hash: "a", Authorities: []string{"x", "y"}}}); err != nil {
		t.Fatal(err)
	}
	found, _, err := finder.Index{Name: fake.Finder, DB: l.db}.Newest(t.Context(), "a", uuid.Max, 1)
	if err != nil || len(found) != 1 || !slices.Equal(slices.Sorted(slices.Values(found[0].Authorities)), []string{"x", "y"}) {
		t.Errorf("%+v %v", found, err)
	}
}

func TestMoreEntriesThanABatchHoldsAreWritten(t *testing.T) {
	l := newLedger(t)
	var hashes []string
	for n := range finder.MaxHashes {
		hashes = append(hashes, strconv.Itoa(n))
	}
	l.enter(first, hashes...)
	if l.size() != finder.MaxHashes+1 {
		t.Errorf("%d items", l.size())
	}
	if err := l.Forget(t.Context(), first, now); err != nil || l.size() != 1 {
		t.Errorf("%v, and %d items are left", err, l.size())
	}
}

func TestEntriesAreAddedOrReplaced(t *testing.T) {
	l := newLedger(t)
	l.enter(first, "a", "b")
	l.enter(first, "b", "c")
	for _, hash := range []string{"a", "b", "c"} {
		if got := l.found(hash); len(got) != 1 {
			t.Errorf("added: %s leads to %v", hash, got)
		}
	}
	for range 2 {
		if entered, err := l.Replace(t.Context(), first, entries("c", "d")); err != nil || !entered {
			t.Fatal(entered, err)
		}
		if l.size() != 3 || len(l.found("c")) != 1 || len(l.found("d")) != 1 {
			t.Errorf("replaced: %v", l.db.Items(t, fake.Finder))
		}
	}
	if entered, err := l.Replace(t.Context(), first, nil); err != nil || !entered || l.size() != 1 {
		t.Errorf("replaced by none: %t %v, %d items", entered, err, l.size())
	}
}

func TestAMessageThatWasForgottenHasNoEntriesAndIsNotEntered(t *testing.T) {
	for name, before := range map[string]func(ledger){
		"entered before":   func(l ledger) { l.enter(first, "a", "b") },
		"never entered":    func(ledger) {},
		"forgotten before": func(l ledger) { _ = l.Forget(t.Context(), first, now) },
	} {
		l := newLedger(t)
		before(l)
		if err := l.Forget(t.Context(), first, now); err != nil {
			t.Fatal(err)
		}
		if l.enter(first, "a", "c") {
			t.Errorf("%s: it was entered again", name)
		}
		if entered, err := l.Replace(t.Context(), first, entries("a", "c")); err != nil || entered {
			t.Errorf("%s: it was replaced, %v", name, err)
		}
		if l.size() != 1 {
			t.Errorf("%s: %v is left", name, l.db.Items(t, fake.Finder))
		}
	}
}

// TestNothingIsLeftOfAMessageHoweverItIsForgottenWhileItIsEntered forgets a message before
// and after each call by which another process enters it, and interrupts that process
// there or lets it go on.
func TestNothingIsLeftOfAMessageHoweverItIsForgottenWhileItIsEntered(t *testing.T) {
	killed := errors.New("killed")
	for _, dies := range []bool{false, true} {
		for _, after := range []bool{false, true} {
			for at := range 3 {
				l := newLedger(t)
				calls, forgetting := 0, false
				fault := func(context.Context, string) error {
					if forgetting {
						return nil
					}
					if calls++; calls != at+1 {
						return nil
					}
					forgetting = true
					if err := l.Forget(t.Context(), first, now); err != nil {
						t.Error(err)
					}
					if dies {
						return killed
					}
					forgetting = false
					calls = 100
					return nil
				}
				if after {
					l.db.After = fault
				} else {
					l.db.Before = fault
				}
				_, err := l.Enter(t.Context(), first, entries("a", "b"))
				if dies != errors.Is(err, killed) {
					t.Fatalf("%v", err)
				}
				l.db.Faults = fake.Faults{}
				if dies { // Lambda tries again
					l.enter(first, "a", "b")
				}
				if l.size() != 1 {
					t.Errorf("call %d, after it %t, dies %t: %v is left", at, after, dies, l.db.Items(t, fake.Finder))
				}
			}
		}
	}
}

func TestAnInterruptedForgettingIsFinishedByTheNext(t *testing.T) {
	killed := errors.New("killed")
	for _, operation := range []string{"UpdateItem", "BatchWriteItem"} {
		l := newLedger(t)
		l.enter(first, "a", "b")
		l.db.Before = func(_ context.Context, called string) error {
			if called == operation {
				return killed
			}
			return nil
		}
		if err := l.Forget(t.Context(), first, now); !errors.Is(err, killed) {
			t.Fatalf("%v", err)
		}
		l.db.Faults = fake.Faults{}
		if err := l.Forget(t.Context(), first, now); err != nil || l.size() != 1 {
			t.Errorf("%s: %v, %d items", operation, err, l.size())
		}
	}
}

// busy leaves the last write of a batch undone, for some calls.
type busy struct {
	*fake.Tables
	calls int
}

func (b *busy) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput, options ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	if b.calls--; b.calls < 0 {
		return b.Tables.BatchWriteItem(ctx, in, options...)
	}
	requests := in.RequestItems[fake.Finder]
	last := len(requests) - 1
	if last > 0 {
		in.RequestItems[fake.Finder] = requests[:last]
		if _, err := b.Tables.BatchWriteItem(ctx, in, options...); err != nil {
			return nil, err
		}
	}
	return &dynamodb.BatchWriteItemOutput{UnprocessedItems: map[string][]types.WriteRequest{fake.Finder: requests[last:]}}, nil
}

func TestWhatABusyTableLeavesUndoneIsWrittenLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for calls, want := range map[int]error{3: nil, 100: finder.ErrBusy} {
			l := newLedger(t)
			l.DB = &busy{Tables: l.db, calls: calls}
			_, err := l.Enter(t.Context(), first, entries("a", "b", "c"))
			if !errors.Is(err, want) || want == nil && l.size() != 4 {
				t.Errorf("busy for %d calls: %v, %d items", calls, err, l.size())
			}
		}
	})
}

func TestEntriesExpireADayAfterTheirMessage(t *testing.T) {
	l := newLedger(t)
	l.enter(first, "a")
	l.Days = 30
	l.enter(later, "a")
	want := strconv.FormatInt(hub.Received(later).AddDate(0, 0, 31).Unix(), 10)
	for _, item := range l.db.Items(t, fake.Finder) {
		expiry, expires := item["expiry"].(*types.AttributeValueMemberN)
		if is := strings.Contains(fmt.Sprintf("%#v %#v", item["pk"], item["sk"]), later.String()); expires != is || is && expiry.Value != want {
			t.Errorf("%v expires at %v", item, expiry)
		}
	}
}
