package queue_test

// This file is about a full disk.

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/edge/queue"
	"hl7lake/internal/testing/fulldisk"
)

func TestAPutForWhichTheDiskHasNoRoomLeavesNothing(t *testing.T) {
	if !fulldisk.Alone(t) {
		return
	}
	q := open(t, filepath.Join(t.TempDir(), "db"), newKey(t), roomy)
	put(t, q, "a", "first")
	all, lane := q.Usage(), q.LaneUsage("a")
	if all != lane || lane.Messages != 1 {
		t.Errorf("the queue holds %+v, its only lane %+v", all, lane)
	}
	makeRoom := fulldisk.Fill(t, 1<<20)
	m := queue.Message{Body: make([]byte, 4<<20)}
	if err := q.Put("a", &m); !errors.Is(err, queue.ErrFull) {
		t.Errorf("got %v", err)
	}
	if q.Usage() != all || q.LaneUsage("a") != lane {
		t.Errorf("the queue holds %+v, its lane %+v; before, both held %+v", q.Usage(), q.LaneUsage("a"), all)
	}
	makeRoom()
	put(t, q, "a", "second")
	if diff := cmp.Diff([]string{"first", "second"}, bodies(t, q, "a")); diff != "" {
		t.Error(diff)
	}
}
