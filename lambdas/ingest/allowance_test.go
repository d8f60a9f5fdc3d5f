package main

// This file is about the answers to a sender that has used up its allowance.

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hl7lake/internal/testing/fake"
)

// flood posts messages as owner until one is refused, and returns how many were accepted.
func (d *frontDoor) flood(t *testing.T) (taken int, refusal http.Header, status int) {
	t.Helper()
	for ; taken < 1000; taken++ {
		answer := d.post(t, request("text/plain", fmt.Sprintf("%sNTE|%d\r", adt, taken)))
		if answer.StatusCode != http.StatusCreated {
			header := http.Header{}
			for name, value := range answer.Headers {
				header.Set(name, value)
			}
			return taken, header, answer.StatusCode
		}
	}
	t.Fatal("there is no limit")
	return 0, nil, 0
}

func TestAnInstitutionThatPostsTooMuchIsTold429AndWhenToComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		door := newFrontDoor(t)
		taken, header, status := door.flood(t)
		wait, err := strconv.Atoi(header.Get("Retry-After"))
		if taken != 200 || status != http.StatusTooManyRequests || err != nil || wait < 1 || header.Get("Content-Type") != "application/problem+json" {
			t.Fatalf("after %d messages %d %v", taken, status, header)
		}
		if n := len(door.topic.Published()); n != taken {
			t.Errorf("%d messages were published", n)
		}
		lines := fake.Lines(t, door.log.String(), "audit", "outcome")
		if diff := cmp.Diff(map[string]any{"outcome": "too-many"}, lines[len(lines)-1]); diff != "" {
			t.Error(diff)
		}
		time.Sleep(time.Duration(wait) * time.Second)
		again := door.post(t, request("text/plain", fmt.Sprintf("%sNTE|%d\r", adt, taken)))
		if again.StatusCode != http.StatusCreated {
			t.Errorf("after %d s: %d %s", wait, again.StatusCode, again.Body)
		}
	})
}

func TestAnotherInstitutionIsNotToldOfAFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		door := newFrontDoor(t)
		door.flood(t)
		other := as(request("text/plain", adt), map[string]string{"custom:write": "another"})
		if answer := door.post(t, other); answer.StatusCode != http.StatusCreated {
			t.Errorf("%d %s", answer.StatusCode, answer.Body)
		}
	})
}

func TestALargeMessageWeighsMoreThanASmallOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		door := newFrontDoor(t)
		for n, want := range []int{201, 201, 201, 429} { // of 4 MiB, 64 units each
			body := append(fmt.Appendf(nil, "%sNTE|%d\r", adt, n), bytes.Repeat([]byte("x"), 4<<20-1000)...)
			if answer := door.post(t, binary("application/hl7-v2", body)); answer.StatusCode != want {
				t.Errorf("the %d. is answered %d", n+1, answer.StatusCode)
			}
		}
	})
}

// Reading a request takes time, whether or not the message is taken.
func TestWhatIsRefusedTakesOfTheAllowanceToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		door := newFrontDoor(t)
		refused := map[int]int{}
		for range 300 {
			refused[door.post(t, request("application/json", "{")).StatusCode]++
		}
		if diff := cmp.Diff(map[int]int{http.StatusBadRequest: 200, http.StatusTooManyRequests: 100}, refused); diff != "" {
			t.Error(diff)
		}
		other := as(request("text/plain", adt), map[string]string{"custom:write": "another"})
		if answer := door.post(t, other); answer.StatusCode != http.StatusCreated {
			t.Errorf("another institution: %d %s", answer.StatusCode, answer.Body)
		}
	})
}
