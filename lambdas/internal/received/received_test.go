package received_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"hl7lake/internal/claim"
	"hl7lake/internal/hub"
	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/received"
)

const (
	owner    = "st-elsewhere"
	patience = 2 * time.Second
	lease    = 20 * time.Second
)

var body = []byte("MSH|^~\\&|")

func newTable(t *testing.T) (received.Table, *fake.Tables) {
	db := fake.NewTables(t)
	return received.Table{Name: fake.Received, DB: db}, db
}

// acquire claims body for owner and fails the test if it cannot.
func acquire(t *testing.T, table received.Table) received.Claim {
	t.Helper()
	claim, err := table.Acquire(t.Context(), owner, hub.ER7, body, time.Now().Add(lease), patience)
	if err != nil {
		t.Fatal(err)
	}
	return claim
}

// wantDuplicate fails the test unless body is a duplicate of claim.
func wantDuplicate(t *testing.T, table received.Table, claim received.Claim) {
	t.Helper()
	_, err := table.Acquire(t.Context(), owner, hub.ER7, body, time.Now().Add(lease), patience)
	var duplicate *received.DuplicateError
	if !errors.As(err, &duplicate) || duplicate.ID != claim.ID {
		t.Fatalf("got %v, want a duplicate of %s", err, claim.ID)
	}
}

func finish(t *testing.T, table received.Table, claim received.Claim) {
	t.Helper()
	if err := table.Finish(t.Context(), claim); err != nil {
		t.Fatal(err)
	}
}

func TestContentIsADuplicateOnceItsClaimIsFinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, _ := newTable(t)
		claim := acquire(t, table)
		if got := hub.Received(claim.ID); !got.Equal(time.Now().Truncate(time.Millisecond)) {
			t.Errorf("the id tells %s", got)
		}
		finish(t, table, claim)
		wantDuplicate(t, table, claim)
	})
}

func TestAnAttemptKnowsThatTheOneBeforeItInItsPlaceIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, _ := newTable(t)
		table.Runner = "here"
		first := acquire(t, table) // and its process dies
		elsewhere := table
		for _, runner := range []string{"", "there"} {
			elsewhere.Runner = runner
			if _, err := elsewhere.Acquire(t.Context(), owner, hub.ER7, body, time.Now().Add(lease), patience); !errors.Is(err, received.ErrHeld) {
				t.Errorf("an attempt in %q: %v", runner, err)
			}
		}
		start := time.Now()
		second := acquire(t, table)
		if second.ID != first.ID || time.Since(start) > 0 {
			t.Errorf("after %s the claim is %s, it was %s", time.Since(start), second.ID, first.ID)
		}
		time.Sleep(lease + time.Second)
		elsewhere.Runner = "there"
		if third := acquire(t, elsewhere); third.ID != first.ID {
			t.Errorf("the claim is %s, it was %s", third.ID, first.ID)
		}
		if _, err := table.Acquire(t.Context(), owner, hub.ER7, body, time.Now().Add(lease), patience); !errors.Is(err, received.ErrHeld) {
			t.Errorf("the claim is there now, and here: %v", err)
		}
	})
}

func TestAClaimIsHeldToTheLastMillisecondOfItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, _ := newTable(t)
		first := acquire(t, table) // and its process dies
		time.Sleep(lease)
		if _, err := table.Acquire(t.Context(), owner, hub.ER7, body, time.Now().Add(lease), 0); !errors.Is(err, received.ErrHeld) {
			t.Errorf("as the lease ends: %v", err)
		}
		time.Sleep(time.Millisecond)
		second, err := table.Acquire(t.Context(), owner, hub.ER7, body, time.Now().Add(lease), 0)
		if err != nil || second.ID != first.ID {
			t.Errorf("a millisecond later the claim is %s, it was %s: %v", second.ID, first.ID, err)
		}
	})
}

func TestWhoWaitsTakesOverWhatIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, _ := newTable(t)
		first := acquire(t, table)
		var release sync.WaitGroup
		release.Go(func() {
			time.Sleep(patience / 2)
			if err := table.Release(t.Context(), first); err != nil {
				t.Error(err)
			}
		})
		if second := acquire(t, table); second.ID != first.ID {
			t.Errorf("the claim is %s, it was %s", second.ID, first.ID)
		}
		release.Wait()
	})
}

func TestPatienceIsUsedToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, _ := newTable(t)
		acquire(t, table)
		const first = 25 * time.Millisecond // between the first two looks
		for patience, want := range map[time.Duration]time.Duration{first - 1: 0, first: first, first + 1: first, 3 * first: 3 * first} {
			start := time.Now()
			_, err := table.Acquire(t.Context(), owner, hub.ER7, body, start.Add(lease), patience)
			if got := time.Since(start); !errors.Is(err, received.ErrHeld) || got != want {
				t.Errorf("with patience for %s it waited %s: %v", patience, got, err)
			}
		}
	})
}

func TestAClaimWithoutAnIDIsAnError(t *testing.T) {
	table, db := newTable(t)
	acquire(t, table)
	for _, stored := range db.Items(t, fake.Received) {
		stored["id"] = &types.AttributeValueMemberS{Value: "none"}
		if _, err := table.DB.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table.Name, Item: stored}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := table.Acquire(t.Context(), owner, hub.ER7, body, time.Now().Add(lease), 0); err == nil || errors.Is(err, received.ErrHeld) {
		t.Errorf("got %v", err)
	}
}

func TestTheSameContentOfAnotherInstitutionIsNew(t *testing.T) {
	table, _ := newTable(t)
	finish(t, table, acquire(t, table))
	if _, err := table.Acquire(t.Context(), "another", hub.ER7, body, time.Now().Add(lease), patience); err != nil {
		t.Fatal(err)
	}
	if claim.Key("a", hub.ER7, []byte("bc")) == claim.Key("ab", hub.ER7, []byte("c")) {
		t.Error("owner and content run into each other")
	}
}

func TestAHeldClaimIsWaitedForAsLongAsPatienceLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, _ := newTable(t)
		acquire(t, table)
		start := time.Now()
		_, err := table.Acquire(t.Context(), owner, hub.ER7, body, time.Now().Add(lease), patience)
		if !errors.Is(err, received.ErrHeld) {
			t.Fatalf("got %v, want ErrHeld", err)
		}
		if waited := time.Since(start); waited < patience/2 || waited > patience {
			t.Errorf("waited %s", waited)
		}
	})
}

func TestAClaimThatIsFinishedMeanwhileIsADuplicate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, _ := newTable(t)
		claim := acquire(t, table)
		var others sync.WaitGroup
		others.Go(func() {
			time.Sleep(time.Second)
			finish(t, table, claim)
		})
		wantDuplicate(t, table, claim)
		others.Wait()
	})
}

func TestALapsedClaimIsTakenOverWithItsID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, _ := newTable(t)
		first := acquire(t, table)
		time.Sleep(lease + time.Millisecond)
		second := acquire(t, table)
		if second.ID != first.ID {
			t.Fatalf("took over %s as %s", first.ID, second.ID)
		}
		if err := table.Release(t.Context(), first); !errors.Is(err, received.ErrHeld) {
			t.Errorf("the first attempt released a claim that it had lost: %v", err)
		}
		finish(t, table, second)
		wantDuplicate(t, table, first)
	})
}

// TestOfTwoAttemptsTheOneThatComesToTheEndFirstIsTheOneThatAccepts is about two attempts
// at one message that both published it. The first lost its lease, and may nevertheless
// be faster or slower than the second.
func TestOfTwoAttemptsTheOneThatComesToTheEndFirstIsTheOneThatAccepts(t *testing.T) {
	for name, firstIsFaster := range map[string]bool{"the one that lost the claim": true, "the one that took it over": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				table, _ := newTable(t)
				faster := acquire(t, table)
				time.Sleep(lease + time.Millisecond)
				slower := acquire(t, table)
				if !firstIsFaster {
					faster, slower = slower, faster
				}
				finish(t, table, faster)
				var duplicate *received.DuplicateError
				if err := table.Finish(t.Context(), slower); !errors.As(err, &duplicate) || duplicate.ID != faster.ID {
					t.Errorf("the slower one ended with %v", err)
				}
				wantDuplicate(t, table, faster)
			})
		})
	}
}

func TestAClaimThatCameToItsEndWhileItLapsedIsNotTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, _ := newTable(t)
		claim := acquire(t, table)
		time.Sleep(lease + time.Millisecond)
		finish(t, table, claim)
		wantDuplicate(t, table, claim)
	})
}

func TestAReleasedClaimIsTakenOverAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, _ := newTable(t)
		first := acquire(t, table)
		if err := table.Release(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if second := acquire(t, table); second.ID != first.ID || time.Since(start) > 0 {
			t.Errorf("%s was taken over as %s after %s", first.ID, second.ID, time.Since(start))
		}
	})
}

func TestAFinishedClaimStaysFinishedWhenItIsReleased(t *testing.T) {
	table, _ := newTable(t)
	claim := acquire(t, table)
	finish(t, table, claim)
	if err := table.Release(t.Context(), claim); err != nil {
		t.Fatal(err)
	}
	wantDuplicate(t, table, claim)
}

func TestContentIsNewAgainAfterTheWindow(t *testing.T) {
	const month = 30 * 24 * time.Hour
	for said, window := range map[time.Duration]time.Duration{0: received.Window, month: month} {
		synctest.Test(t, func(t *testing.T) {
			table, _ := newTable(t)
			table.Window = said
			first := acquire(t, table)
			finish(t, table, first)
			time.Sleep(window - time.Second)
			wantDuplicate(t, table, first)
			time.Sleep(2 * time.Second)
			if second := acquire(t, table); second.ID == first.ID {
				t.Errorf("after %s the id was used again", window)
			}
		})
	}
}

// Time to live may or may not have removed what has expired: the window of a message that
// is accepted late is as long as any.
func TestTheWindowOfATakenOverClaimBeginsAnew(t *testing.T) {
	for _, after := range []time.Duration{time.Hour, received.Window / 2, received.Window - time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			table, _ := newTable(t)
			first := acquire(t, table) // and its attempt dies
			time.Sleep(after)
			claim := acquire(t, table)
			if claim.ID != first.ID {
				t.Fatalf("taken over after %s, the id is %s, it was %s", after, claim.ID, first.ID)
			}
			finish(t, table, claim)
			for range 89 {
				time.Sleep(24 * time.Hour)
				wantDuplicate(t, table, claim)
			}
			time.Sleep(24*time.Hour + time.Second)
			if again := acquire(t, table); again.ID == claim.ID {
				t.Errorf("after its window the content is %s still", again.ID)
			}
		})
	}
}

func TestOfAHundredAtOnceExactlyOneGetsTheClaim(t *testing.T) {
	for name, lapsed := range map[string]bool{"new content": false, "a lapsed claim": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				table, _ := newTable(t)
				if lapsed {
					acquire(t, table)
					time.Sleep(lease + time.Millisecond)
				}
				var attempts sync.WaitGroup
				var mu sync.Mutex
				won := 0
				for range 100 {
					attempts.Go(func() {
						claim, err := table.Acquire(t.Context(), owner, hub.ER7, body, time.Now().Add(lease), patience)
						var duplicate *received.DuplicateError
						switch {
						case err == nil:
							mu.Lock()
							won++
							mu.Unlock()
							time.Sleep(100 * time.Millisecond)
							finish(t, table, claim)
						case !errors.As(err, &duplicate):
							t.Error(err)
						}
					})
				}
				attempts.Wait()
				if won != 1 {
					t.Errorf("%d attempts got the claim", won)
				}
			})
		})
	}
}

func TestAnAttemptKnowsItsOwnWriteWhenTheAnswerWasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, db := newTable(t)
		db.Repeat = func(string) bool { return true }
		first := acquire(t, table)
		time.Sleep(lease + time.Millisecond)
		second := acquire(t, table)
		finish(t, table, second)
		wantDuplicate(t, table, first)
	})
}

func TestAClaimThatGoesAwayMeanwhileIsNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, db := newTable(t)
		first := acquire(t, table)
		looks := 0
		db.Before = func(_ context.Context, operation string) error {
			if operation == "GetItem" {
				looks++
			}
			if looks == 2 { // the first is for the claim's end; then time to live removes the claim
				db.Before = nil
				db.Delete(t, fake.Received, "pk", claim.Key(owner, hub.ER7, body))
			}
			return nil
		}
		if second := acquire(t, table); second.ID == first.ID {
			t.Error("the claim that went away came back")
		}
	})
}

func TestTheIDOfAFinishedClaimTellsItsOwner(t *testing.T) {
	table, _ := newTable(t)
	claim := acquire(t, table)
	if got, err := table.Owner(t.Context(), claim.ID); got != "" || err != nil {
		t.Errorf("before: %q %v", got, err)
	}
	finish(t, table, claim)
	if got, err := table.Owner(t.Context(), claim.ID); got != owner || err != nil {
		t.Errorf("after: %q %v", got, err)
	}
}

// TestAClaimDoesNotOutliveItsEnd is about time to live, which removes an item at some
// time after its expiry.
func TestAClaimDoesNotOutliveItsEnd(t *testing.T) {
	table, db := newTable(t)
	finish(t, table, acquire(t, table))
	expiry := map[bool]int{}
	for _, stored := range db.Items(t, fake.Received) {
		seconds, err := strconv.Atoi(stored["expiry"].(*types.AttributeValueMemberN).Value)
		if err != nil {
			t.Fatal(err)
		}
		expiry[strings.HasPrefix(stored["pk"].(*types.AttributeValueMemberS).Value, "id#")] = seconds
	}
	if expiry[true] < expiry[false]+3600 {
		t.Errorf("the claim expires at %d, its end at %d", expiry[false], expiry[true])
	}
}

func TestAFailureOfTheTableIsNotAnAnswer(t *testing.T) {
	table, db := newTable(t)
	outage := errors.New("outage")
	db.Before = func(context.Context, string) error { return outage }
	if _, err := table.Acquire(t.Context(), owner, hub.ER7, body, time.Now().Add(lease), patience); !errors.Is(err, outage) {
		t.Errorf("got %v", err)
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, _ := newTable(t)
		acquire(t, table)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := table.Acquire(ctx, owner, hub.ER7, body, time.Now().Add(lease), patience); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}
