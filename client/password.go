package client

import (
	"crypto/rand"
	"math/big"
)

// NewPassword returns a random password of 24 characters that satisfies the pool's
// policy: it has characters of each required kind. Its symbols need no quoting in a
// shell.
func NewPassword() string {
	const (
		lower   = "abcdefghijkmnopqrstuvwxyz" // without l, which looks like I
		upper   = "ABCDEFGHJKLMNPQRSTUVWXYZ"
		digits  = "23456789"
		symbols = "-_.+="
		length  = 24
	)
	password := []byte{pick(lower), pick(upper), pick(digits), pick(symbols)}
	for len(password) < length {
		password = append(password, pick(lower+upper+digits))
	}
	// Move the four required kinds away from the front. The first character stays a
	// letter, so that no password looks like a flag.
	for i := length - 1; i > 1; i-- {
		j := 1 + below(i)
		password[i], password[j] = password[j], password[i]
	}
	return string(password)
}

func pick(from string) byte { return from[below(len(from))] }

func below(n int) int {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err) // crypto/rand's Reader never fails, as its documentation says
	}
	return int(i.Int64())
}
