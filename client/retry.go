package client

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// retryPolicy says when a request is sent again.
type retryPolicy struct {
	attempts int           // in all
	first    time.Duration // wait before the second attempt; doubles with each
	longest  time.Duration // bound of a wait, also of one that the lake asks for
}

var defaultRetry = retryPolicy{attempts: 6, first: 250 * time.Millisecond, longest: 20 * time.Second}

// next is the wait before the attempt after the given one, or false when this
// one's outcome stands. An unanswered request may have taken effect; repeating
// it is safe for every request of the API.
//
// Where nothing listens that has answered before, the lake may be on its way back.
func (p retryPolicy) next(attempt int, a answer, err error, answered bool) (time.Duration, bool) {
	if attempt >= p.attempts {
		return 0, false
	}
	if err != nil {
		unreachable, ok := errors.AsType[*UnreachableError](err)
		return p.backoff(attempt), ok && (answered || !unreachable.Refused())
	}
	switch a.status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
	case http.StatusInternalServerError:
		// API Gateway's own says that the function's process died. The lake's has
		// a code: it failed on this very request.
		if a.problem().Code != "" {
			return 0, false
		}
	default:
		return 0, false
	}
	if asked, ok := retryAfter(a.header, time.Now()); ok {
		return min(asked, p.longest), true
	}
	return p.backoff(attempt), true
}

// backoff doubles with each attempt and is spread by half, so that senders that
// met the same trouble do not return at once together.
func (p retryPolicy) backoff(attempt int) time.Duration {
	wait := min(p.first<<(attempt-1), p.longest)
	return wait/2 + rand.N(wait/2+1)
}

// retryAfter reads the header of that name: seconds or a date (RFC 9110, 10.2.3).
func retryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	value := header.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second, true
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(date.Sub(now), 0), true
	}
	return 0, false
}
