package received_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/uuid"

	"hl7lake/internal/hub"
	"hl7lake/internal/testing/variants"
	"hl7lake/lambdas/internal/received"
)

// acquireAs claims a variant of the message.
func acquireAs(t *testing.T, table received.Table, way string) (received.Claim, error) {
	t.Helper()
	return table.Acquire(t.Context(), owner, hub.ER7, []byte(variants.Message()[way]), time.Now().Add(lease), patience)
}

func TestADuplicateIsToldWhetherItsBytesAreTheFirstOnes(t *testing.T) {
	for first := range variants.Message() {
		t.Run(first, func(t *testing.T) {
			table, _ := newTable(t)
			claim, err := acquireAs(t, table, first)
			if err != nil {
				t.Fatal(err)
			}
			finish(t, table, claim)
			for second := range variants.Message() {
				_, err := acquireAs(t, table, second)
				want := &received.DuplicateError{ID: claim.ID, Differs: second != first}
				var duplicate *received.DuplicateError
				if !errors.As(err, &duplicate) || *duplicate != *want {
					t.Errorf("%s: got %+v, want %+v", second, err, want)
				}
			}
		})
	}
}

// TestWhoTakesOverWithOtherBytesIsToldOfADuplicate: the attempt before may have published
// its own bytes, which the lake then keeps. 201 promises the sender's bytes.
func TestWhoTakesOverWithOtherBytesIsToldOfADuplicate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, _ := newTable(t)
		first, err := acquireAs(t, table, "LF")
		if err != nil {
			t.Fatal(err)
		}
		for _, way := range []string{"CRLF", "LF", "MLLP"} {
			time.Sleep(lease + time.Millisecond)
			claim, err := acquireAs(t, table, way)
			if err != nil || claim.ID != first.ID {
				t.Fatalf("taken over as %s: %v", claim.ID, err)
			}
			if way != "MLLP" {
				continue // this one dies too
			}
			var duplicate *received.DuplicateError
			if err := table.Finish(t.Context(), claim); !errors.As(err, &duplicate) || *duplicate != (received.DuplicateError{ID: first.ID, Differs: true}) {
				t.Errorf("ended with %v", err)
			}
		}
		for _, way := range []string{"LF", "MLLP"} { // either may be what is kept
			_, err := acquireAs(t, table, way)
			var duplicate *received.DuplicateError
			if !errors.As(err, &duplicate) || *duplicate != (received.DuplicateError{ID: first.ID, Differs: true}) {
				t.Errorf("afterwards %s: %v", way, err)
			}
		}
	})
}

func TestWhoTakesOverWithTheSameBytesAccepts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, _ := newTable(t)
		for range 3 {
			if _, err := acquireAs(t, table, "LF"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(lease + time.Millisecond)
		}
		claim, err := acquireAs(t, table, "LF")
		if err != nil {
			t.Fatal(err)
		}
		finish(t, table, claim)
	})
}

// formerLF is the key that earlier versions gave to the message in LF.
const formerLF = "acad29fdef4b87ff782f5dfabd2c6121dcd02b4070f40804f6a18404de0f0840"

// former puts the claim on the message in LF as an earlier version made it. Its attempt
// died.
func former(t *testing.T, table received.Table, expiry time.Time) uuid.UUID {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	item, err := attributevalue.MarshalMap(map[string]any{
		"pk": formerLF, "id": id.String(), "owner": owner, "attempt": "earlier", "unsettled": id.String()[35:],
		"lease": time.Now().Add(-time.Hour).UnixMilli(), "expiry": expiry.Unix(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := table.DB.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table.Name, Item: item}); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestAClaimOfAnEarlierVersionHoldsForTheBytesThatItWasMadeOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, _ := newTable(t)
		id := former(t, table, time.Now().Add(time.Hour))
		claim, err := acquireAs(t, table, "LF")
		if err != nil || claim.ID != id {
			t.Fatalf("taken over as %s: %v", claim.ID, err)
		}
		finish(t, table, claim)
		_, err = acquireAs(t, table, "LF")
		var duplicate *received.DuplicateError
		if !errors.As(err, &duplicate) || *duplicate != (received.DuplicateError{ID: id}) {
			t.Errorf("again: %v", err)
		}
		if other, err := acquireAs(t, table, "MLLP"); err != nil || other.ID == id {
			t.Errorf("in other bytes it is %s: %v", other.ID, err)
		}
	})
}

func TestAClaimOfAnEarlierVersionHoldsToTheSecondOfItsExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, _ := newTable(t)
		id := former(t, table, time.Now())
		if claim, err := acquireAs(t, table, "LF"); err != nil || claim.ID != id {
			t.Errorf("claimed as %s: %v", claim.ID, err)
		}
	})
}

func TestAClaimOfAnEarlierVersionThatIsOverHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, _ := newTable(t)
		id := former(t, table, time.Now().Add(-time.Minute)) // time to live has not removed it yet
		claim, err := acquireAs(t, table, "LF")
		if err != nil || claim.ID == id {
			t.Fatalf("claimed as %s: %v", claim.ID, err)
		}
		finish(t, table, claim)
		_, err = acquireAs(t, table, "MLLP")
		var duplicate *received.DuplicateError
		if !errors.As(err, &duplicate) || duplicate.ID != claim.ID {
			t.Errorf("in other bytes: %v", err)
		}
	})
}
