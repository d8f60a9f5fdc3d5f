package received_test

// This file is about the window of a claim over years, against a model.

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"

	"hl7lake/internal/hub"
	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/received"
)

// acceptance is a message that the model knows to be accepted.
type acceptance struct {
	id uuid.UUID
	at time.Time // when its claim was made, or taken over
}

// life is a claim's life in the model, beside the real table.
type life struct {
	*rand.Rand
	t     *testing.T
	table received.Table
	db    *fake.Tables
	last  acceptance
	doom  map[string]time.Time // when time to live removes an item that has expired: up to 48 hours late
}

// expire removes what has expired, each item at a random time after its expiry (Amazon
// DynamoDB Developer Guide, Time to Live: within a few days).
func (l *life) expire() {
	l.t.Helper()
	for _, item := range l.db.Items(l.t, fake.Received) {
		pk := item["pk"].(*types.AttributeValueMemberS).Value
		seconds, err := strconv.ParseInt(item["expiry"].(*types.AttributeValueMemberN).Value, 10, 64)
		if err != nil {
			l.t.Fatal(err)
		}
		if time.Now().Unix() <= seconds {
			delete(l.doom, pk)
			continue
		}
		if l.doom[pk].IsZero() {
			l.doom[pk] = time.Unix(seconds, 0).Add(time.Duration(l.Int64N(int64(48 * time.Hour))))
		}
		if !time.Now().Before(l.doom[pk]) {
			l.db.Delete(l.t, fake.Received, "pk", pk)
			delete(l.doom, pk)
		}
	}
}

// post is one request with the content. Sometimes the function dies before the claim has
// ended.
func (l *life) post() {
	l.t.Helper()
	began := time.Now()
	claim, err := l.table.Acquire(l.t.Context(), owner, hub.ER7, body, began.Add(lease), 0)
	var duplicate *received.DuplicateError
	switch {
	case errors.Is(err, received.ErrHeld):
		return
	case errors.As(err, &duplicate):
		if duplicate.ID != l.last.id {
			l.t.Fatalf("a duplicate of %s, where %s was accepted last", duplicate.ID, l.last.id)
		}
		return
	case err != nil:
		l.t.Fatal(err)
	}
	if l.IntN(3) == 0 {
		return // it died: nobody got an answer
	}
	if err := l.table.Finish(l.t.Context(), claim); err != nil {
		l.t.Fatal(err)
	}
	if age := began.Sub(l.last.at); l.last.id != uuid.Nil && age < received.Window-time.Second {
		l.t.Fatalf("accepted again as %s, %v after %s", claim.ID, age, l.last.id)
	}
	l.last = acceptance{claim.ID, began}
}

// TestNoContentIsAcceptedTwiceWithinItsWindowHoweverLateTimeToLiveIs runs three years of
// claims on one content. It is the last test: ids made after it are of later years,
// because their times never go back within a process.
func TestNoContentIsAcceptedTwiceWithinItsWindowHoweverLateTimeToLiveIs(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				table, db := newTable(t)
				l := &life{rand.New(rand.NewPCG(seed, 0)), t, table, db, acceptance{}, map[string]time.Time{}}
				for end := time.Now().Add(3 * 365 * 24 * time.Hour); time.Now().Before(end); {
					pause := []time.Duration{time.Second, time.Minute, 12 * time.Hour, 20 * 24 * time.Hour, received.Window - 30*time.Second}[l.IntN(5)]
					time.Sleep(pause/2 + time.Duration(l.Int64N(int64(pause))))
					l.expire()
					l.post()
				}
			})
		})
	}
}
