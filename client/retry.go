package client

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// retryPolicy decides when a request is sent again.
type retryPolicy struct {
	attempts int           // the number of attempts in all
	first    time.Duration // the wait before the second attempt; it doubles each time
	longest  time.Duration // the longest wait, also of those that the lake asks for
}

var defaultRetry = retryPolicy{attempts: 6, first: 250 * time.Millisecond, longest: 20 * time.Second}

// next returns the wait before the next attempt, or false if the outcome of this attempt
// is final. A request without an answer may have had an effect. Every request of the API
// can safely be repeated.
//
// If the lake answered before and nothing listens now, it may be restarting.
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
		// API Gateway's own 5xx means that the function's process died. One of the lake's
		// has a code: it failed on this very request.
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

// backoff doubles with each attempt. Half of it is random, so that senders that failed
// together do not all come back together.
func (p retryPolicy) backoff(attempt int) time.Duration {
	wait := min(p.first<<(attempt-1), p.longest)
	return wait/2 + rand.N(wait/2+1)
}

// retryAfter reads the header Retry-After: seconds or a date (RFC 9110, 10.2.3).
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
