package sqs_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hl7lake/local/sqs"
)

// Whatever is sent, received, hidden, deleted or purged, and however often the service
// starts again: what was not deleted can be received after its time-out, and nothing else
// can.
func TestNothingIsLostAndNothingComesBack(t *testing.T) {
	folder := t.TempDir()
	lake := 0
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.SampledFrom([]string{"send", "send", "receive", "delete", "show", "sleep", "restart", "purge"}), 1, 40).Draw(rt, "steps")
		lake++
		path := filepath.Join(folder, fmt.Sprint(lake))
		synctest.Test(t, func(t *testing.T) {
			s, kept := open(t, path)
			want, handles := map[string]bool{}, map[string]string{}
			for i, step := range steps {
				switch step {
				case "send":
					body := fmt.Sprint(i)
					if err := s.Send(t.Context(), sqs.ARN(dead), body, nil); err != nil {
						t.Fatal(err)
					}
					want[body] = true
				case "receive":
					bodies, received := receive(t, s, dead)
					for j, body := range bodies {
						if !want[body] {
							t.Errorf("%v: %s is received and should be gone", steps[:i], body)
						}
						handles[body] = received[j]
					}
				case "delete", "show":
					for body, handle := range handles {
						input := map[string]any{"QueueUrl": *url(dead), "ReceiptHandle": handle}
						if step == "show" {
							input["VisibilityTimeout"] = 0
							call(t, s, "ChangeMessageVisibility", input) // refused where it is not in flight
							break
						}
						call(t, s, "DeleteMessage", input)
						delete(want, body)
						delete(handles, body)
						break
					}
				case "sleep":
					time.Sleep(20 * time.Second)
				case "restart":
					closeStore(t, kept)
					s, kept = open(t, path)
				case "purge":
					call(t, s, "PurgeQueue", map[string]any{"QueueUrl": *url(dead)})
					clear(want)
					clear(handles)
				}
			}
			time.Sleep(31 * time.Second)
			var left []string
			for {
				bodies, _ := receive(t, s, dead)
				if len(bodies) == 0 {
					break
				}
				left = append(left, bodies...)
			}
			slices.Sort(left)
			if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), left); diff != "" {
				rt.Errorf("after %v (-want +got):\n%s", steps, diff)
			}
			closeStore(t, kept)
		})
	})
}

func TestManyReceiversGetEachMessageOnce(t *testing.T) {
	s, kept := open(t, filepath.Join(t.TempDir(), "db"))
	defer closeStore(t, kept)
	const workers, each = 8, 50
	var mu sync.Mutex
	got := map[string]int{}
	var work sync.WaitGroup
	for w := range workers {
		work.Go(func() {
			for i := range each {
				if err := s.Send(t.Context(), sqs.ARN(dead), fmt.Sprint(w, "-", i), nil); err != nil {
					t.Error(err)
				}
			}
		})
		work.Go(func() {
			for {
				bodies, handles := receive(t, s, dead, "WaitTimeSeconds", 1)
				if len(bodies) == 0 {
					return
				}
				for i, body := range bodies {
					mu.Lock()
					got[body]++
					mu.Unlock()
					call(t, s, "DeleteMessage", map[string]any{"QueueUrl": *url(dead), "ReceiptHandle": handles[i]})
				}
			}
		})
	}
	work.Wait()
	if len(got) != workers*each {
		t.Errorf("%d messages were received, want %d", len(got), workers*each)
	}
	for body, times := range got {
		if times != 1 {
			t.Errorf("%s was received %d times", body, times)
		}
	}
}
