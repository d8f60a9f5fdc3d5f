package derive_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/derive"
)

// key returns a derived key, and fails the test if there is none.
func key(t *testing.T, d *derive.Deriver, label string) []byte {
	t.Helper()
	made, err := d.Key(t.Context(), label)
	if err != nil || len(made) != 32 {
		t.Fatalf("%d bytes, %v", len(made), err)
	}
	return made
}

func TestAKeyDependsOnTheKeyInKMSAndOnTheLabel(t *testing.T) {
	service := &fake.KMS{}
	one := derive.New("one", service)
	if !bytes.Equal(key(t, one, "a"), key(t, derive.New("one", service), "a")) {
		t.Error("another process makes another key")
	}
	if bytes.Equal(key(t, one, "a"), key(t, one, "b")) {
		t.Error("two labels have one key")
	}
	if bytes.Equal(key(t, one, "a"), key(t, derive.New("two", service), "a")) {
		t.Error("two keys in KMS make one key")
	}
}

func TestKMSIsAskedOnceForALabel(t *testing.T) {
	calls, outage := 0, errors.New("outage")
	service := &fake.KMS{Faults: fake.Faults{Before: func(context.Context, string) error {
		if calls++; calls == 1 {
			return outage
		}
		return nil
	}}}
	d := derive.New("one", service)
	if _, err := d.Key(t.Context(), "a"); !errors.Is(err, outage) {
		t.Errorf("during an outage: %v", err)
	}
	for range 3 {
		key(t, d, "a")
		key(t, d, "b")
	}
	if calls != 3 {
		t.Errorf("KMS was asked %d times, want once that failed and once for each of two labels", calls)
	}
}
