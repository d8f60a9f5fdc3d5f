package received_test

import (
	"context"
	"errors"
	"iter"
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

	"hl7lake/internal/hub"
	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/received"
)

// claimOn claims a body of its own.
func claimOn(t *testing.T, table received.Table, body string) received.Claim {
	t.Helper()
	claim, err := table.Acquire(t.Context(), owner, hub.ER7, []byte(body), time.Now().Add(lease), patience)
	if err != nil {
		t.Fatal(err)
	}
	return claim
}

// list returns the claims that were yielded.
func list(t *testing.T, claims iter.Seq2[received.Unsettled, error]) (all []received.Unsettled) {
	t.Helper()
	for claim, err := range claims {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, claim)
	}
	return all
}

// ids returns the claims' ids.
func ids(t *testing.T, claims iter.Seq2[received.Unsettled, error]) (all []uuid.UUID) {
	t.Helper()
	for _, claim := range list(t, claims) {
		all = append(all, claim.ID)
	}
	return all
}

func shardOf(claim received.Claim) string { return claim.ID.String()[35:] }

// allFresh yields the shard's fresh claims of all times. The times of ids never go back, so
// an id that is made in a bubble of testing/synctest may be later than the bubble's time.
func allFresh(t *testing.T, table received.Table, shard string) iter.Seq2[received.Unsettled, error] {
	return table.Fresh(t.Context(), shard, time.UnixMilli(0), time.UnixMilli(1<<47))
}

// unsettled finds the claim among the fresh ones.
func unsettled(t *testing.T, table received.Table, claim received.Claim) received.Unsettled {
	t.Helper()
	for _, one := range list(t, allFresh(t, table, shardOf(claim))) {
		if one.ID == claim.ID {
			return one
		}
	}
	t.Fatalf("the claim %s is not among the fresh ones", claim.ID)
	return received.Unsettled{}
}

func standing(t *testing.T, table received.Table, claim received.Unsettled) received.Standing {
	t.Helper()
	got, err := table.Standing(t.Context(), claim)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheNewestClaimsOfAShardComeInParts(t *testing.T) {
	table := received.Table{Name: fake.Received, DB: fake.NewTables(t)}
	of := map[string][]uuid.UUID{} // by shard
	shard := ""
	for i := 0; len(of[shard]) < 3; i++ {
		claim := claimOn(t, table, strconv.Itoa(i))
		shard = shardOf(claim)
		of[shard] = append(of[shard], claim.ID)
	}
	newest := func(late bool, from time.Time, below uuid.UUID, limit int32) (ids []uuid.UUID, more bool) {
		t.Helper()
		claims, more, err := table.Newest(t.Context(), shard, late, from, below, limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, claim := range claims {
			if claim.Owner != owner {
				t.Errorf("a claim of %q", claim.Owner)
			}
			ids = append(ids, claim.ID)
		}
		return ids, more
	}
	made := of[shard]
	if got, more := newest(false, time.UnixMilli(0), uuid.Max, 2); !slices.Equal(got, []uuid.UUID{made[2], made[1]}) || !more {
		t.Errorf("the first: %v, %v of %v", got, more, made)
	}
	if got, more := newest(false, time.UnixMilli(0), made[1], 10); !slices.Equal(got, []uuid.UUID{made[0]}) || more {
		t.Errorf("before the second: %v, %v of %v", got, more, made)
	}
	if got, _ := newest(false, hub.Received(made[2]).Add(time.Millisecond), uuid.Max, 10); got != nil {
		t.Errorf("later than all: %v", got)
	}
	claims := list(t, allFresh(t, table, shard))
	if err := table.Defer(t.Context(), claims[1]); err != nil {
		t.Fatal(err)
	}
	if got, _ := newest(true, time.UnixMilli(0), uuid.Max, 10); !slices.Equal(got, []uuid.UUID{made[1]}) {
		t.Errorf("late: %v, want %v", got, made[1])
	}
	if got, _ := newest(false, time.UnixMilli(0), uuid.Max, 10); !slices.Equal(got, []uuid.UUID{made[2], made[0]}) {
		t.Errorf("no longer fresh: %v", got)
	}
}

func TestEachClaimIsInTheShardOfItsLastDigitAndInNoOther(t *testing.T) {
	table, _ := newTable(t)
	want := map[string][]uuid.UUID{}
	for n := range 40 {
		claim := claimOn(t, table, strings.Repeat("x", n))
		want[shardOf(claim)] = append(want[shardOf(claim)], claim.ID)
	}
	got := map[string][]uuid.UUID{}
	for _, shard := range received.Shards() {
		if found := ids(t, allFresh(t, table, shard)); found != nil {
			got[shard] = found
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-made +found, oldest first):\n%s", diff)
	}
}

func TestFreshClaimsAreThoseMadeFromOneTimeUntilBeforeAnother(t *testing.T) {
	table, _ := newTable(t)
	claim := acquire(t, table)
	made := hub.Received(claim.ID)
	for name, test := range map[string]struct {
		from, before time.Time
		want         []uuid.UUID
	}{
		"from the millisecond in which it was made": {made, made.Add(time.Millisecond), []uuid.UUID{claim.ID}},
		"from the one after":                        {made.Add(time.Millisecond), made.Add(time.Hour), nil},
		"before it was made":                        {made.Add(-time.Hour), made, nil},
	} {
		if diff := cmp.Diff(test.want, ids(t, table.Fresh(t.Context(), shardOf(claim), test.from, test.before))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestAllPagesOfAShardAreYielded has DynamoDB end a page early, as it may at any item
// (Amazon DynamoDB Developer Guide, Paginating table query results).
func TestAllPagesOfAShardAreYielded(t *testing.T) {
	table, db := newTable(t)
	table.DB = pages{db}
	for n := range 3 * len(received.Shards()) {
		claimOn(t, table, strings.Repeat("x", n))
	}
	found := 0
	for _, shard := range received.Shards() {
		found += len(list(t, allFresh(t, table, shard)))
	}
	if want := 3 * len(received.Shards()); found != want {
		t.Errorf("found %d claims, want %d", found, want)
	}
}

// pages has pages of one item.
type pages struct{ *fake.Tables }

func (p pages) Query(ctx context.Context, in *dynamodb.QueryInput, options ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	in.Limit = new(int32(1))
	return p.Tables.Query(ctx, in, options...)
}

func TestADeferredClaimIsLateAndNotFreshUntilItIsSettled(t *testing.T) {
	table, _ := newTable(t)
	claim := acquire(t, table)
	fresh := func() []uuid.UUID { return ids(t, allFresh(t, table, shardOf(claim))) }
	late := func() []uuid.UUID { return ids(t, table.Late(t.Context(), shardOf(claim))) }
	u := unsettled(t, table, claim)
	if u.Owner != owner || late() != nil {
		t.Errorf("a fresh claim: %+v, late: %v", u, late())
	}
	must(t, table.Defer(t.Context(), u))
	if !slices.Equal(late(), []uuid.UUID{claim.ID}) || fresh() != nil {
		t.Errorf("deferred: late %v, fresh %v", late(), fresh())
	}
	must(t, table.Retry(t.Context(), u, time.Now()))
	must(t, table.Settle(t.Context(), u))
	if late() != nil || fresh() != nil {
		t.Errorf("settled: late %v, fresh %v", late(), fresh())
	}
	if got := standing(t, table, u); !got.Retried.IsZero() {
		t.Errorf("settled, and yet retried at %s", got.Retried)
	}
}

func TestAStandingTellsTheLeaseTheExpiryTheRetryAndTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, _ := newTable(t)
		claim := acquire(t, table)
		u := unsettled(t, table, claim)
		want := received.Standing{Lease: time.Now().Add(lease), Expiry: time.Now().Add(received.Window)}
		if diff := cmp.Diff(want, standing(t, table, u)); diff != "" {
			t.Errorf("a claim that is held (-want +got):\n%s", diff)
		}
		want.Retried = time.Now().Add(time.Minute)
		must(t, table.Retry(t.Context(), u, want.Retried))
		finish(t, table, claim)
		want.Done = true
		if diff := cmp.Diff(want, standing(t, table, u)); diff != "" {
			t.Errorf("one that ended after it was published again (-want +got):\n%s", diff)
		}
	})
}

func TestAClaimIsAbandonedOnlyAsItStood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, _ := newTable(t)
		claim := acquire(t, table)
		u := unsettled(t, table, claim)
		must(t, table.Defer(t.Context(), u))
		before := standing(t, table, u)
		time.Sleep(lease + time.Second)
		acquire(t, table) // takes it over
		must(t, table.Abandon(t.Context(), u, before))
		if late := ids(t, table.Late(t.Context(), shardOf(claim))); !slices.Equal(late, []uuid.UUID{claim.ID}) {
			t.Errorf("a claim that was taken over meanwhile: late %v", late)
		}
		must(t, table.Abandon(t.Context(), u, standing(t, table, u)))
		if late := list(t, table.Late(t.Context(), shardOf(claim))); late != nil {
			t.Errorf("abandoned: late %v", late)
		}
	})
}

func TestAClaimAndItsEndAreKeptLongerAndNeverShorter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, db := newTable(t)
		claim := acquire(t, table)
		finish(t, table, claim)
		u := unsettled(t, table, claim)
		expiries := func() (all []int) { // the claim's, then its end's
			for _, stored := range db.Items(t, fake.Received) {
				seconds, err := strconv.Atoi(stored["expiry"].(*types.AttributeValueMemberN).Value)
				must(t, err)
				all = append(all, seconds)
			}
			slices.Sort(all)
			return all
		}
		made := expiries()
		must(t, table.Keep(t.Context(), u, time.Now().Add(received.Window-time.Hour)))
		if diff := cmp.Diff(made, expiries()); diff != "" {
			t.Errorf("until before its expiry (-want +got):\n%s", diff)
		}
		until := time.Now().Add(2 * received.Window)
		must(t, table.Keep(t.Context(), u, until))
		if got := standing(t, table, u).Expiry; !got.Equal(until) {
			t.Errorf("kept until %s, want %s", got, until)
		}
		longer := int(received.Window.Seconds())
		want := []int{made[0] + longer, made[1] + longer} // the end outlives the claim by as much as before
		if diff := cmp.Diff(want, expiries()); diff != "" {
			t.Errorf("expiries (-want +got):\n%s", diff)
		}
	})
}

func TestAClaimThatHasGoneIsNotBroughtBack(t *testing.T) {
	table, db := newTable(t)
	u := unsettled(t, table, acquire(t, table))
	at := standing(t, table, u)
	for _, item := range db.Items(t, fake.Received) {
		db.Delete(t, fake.Received, "pk", item["pk"].(*types.AttributeValueMemberS).Value)
	}
	for name, change := range map[string]func() error{
		"defer":   func() error { return table.Defer(t.Context(), u) },
		"settle":  func() error { return table.Settle(t.Context(), u) },
		"retry":   func() error { return table.Retry(t.Context(), u, time.Now()) },
		"keep":    func() error { return table.Keep(t.Context(), u, time.Now().Add(2*received.Window)) },
		"abandon": func() error { return table.Abandon(t.Context(), u, at) },
	} {
		if err := change(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if left := db.Items(t, fake.Received); len(left) != 0 {
			t.Errorf("after %s the table holds %v", name, left)
		}
	}
}

func TestHowFarAShardWasSeenIsRememberedForEachShard(t *testing.T) {
	table, _ := newTable(t)
	through := time.UnixMilli(1_770_000_000_123)
	must(t, table.See(t.Context(), "a", through))
	for shard, want := range map[string]time.Time{"a": through, "b": time.UnixMilli(0)} {
		if got, err := table.Seen(t.Context(), shard); !got.Equal(want) || err != nil {
			t.Errorf("shard %s was seen through %s (%v), want %s", shard, got, err, want)
		}
	}
}

func TestAnOutageEndsEveryLookAndChangeWithAnError(t *testing.T) {
	table, db := newTable(t)
	u := unsettled(t, table, acquire(t, table))
	outage := errors.New("outage")
	db.Before = func(context.Context, string) error { return outage }
	for name, call := range map[string]func() error{
		"fresh": func() error { return failure(table.Fresh(t.Context(), "a", time.UnixMilli(0), time.Now())) },
		"late":  func() error { return failure(table.Late(t.Context(), "a")) },
		"seen": func() error {
			_, err := table.Seen(t.Context(), "a")
			return err
		},
		"see": func() error { return table.See(t.Context(), "a", time.Now()) },
		"standing": func() error {
			_, err := table.Standing(t.Context(), u)
			return err
		},
		"defer":   func() error { return table.Defer(t.Context(), u) },
		"settle":  func() error { return table.Settle(t.Context(), u) },
		"abandon": func() error { return table.Abandon(t.Context(), u, received.Standing{}) },
		"keep":    func() error { return table.Keep(t.Context(), u, time.Now()) },
		"retry":   func() error { return table.Retry(t.Context(), u, time.Now()) },
	} {
		if err := call(); !errors.Is(err, outage) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// failure returns the last error that was yielded.
func failure(claims iter.Seq2[received.Unsettled, error]) (last error) {
	for _, err := range claims {
		last = err
	}
	return last
}

// A claim that cannot be read must not be passed over, because it would count as seen.
func TestAClaimWithoutAnIDEndsTheLook(t *testing.T) {
	table, db := newTable(t)
	for _, id := range []string{"0-no-id", "1-no-id"} {
		_, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: new(fake.Received), Item: map[string]types.AttributeValue{
			"pk":        &types.AttributeValueMemberS{Value: id},
			"id":        &types.AttributeValueMemberS{Value: id},
			"unsettled": &types.AttributeValueMemberS{Value: "late-a"},
		}})
		must(t, err)
	}
	yielded := 0
	for _, err := range table.Late(t.Context(), "a") {
		yielded++
		if err == nil {
			t.Error("a claim without an id was yielded as one")
		}
	}
	if yielded != 1 {
		t.Errorf("%d were yielded after the first error", yielded-1)
	}
}
