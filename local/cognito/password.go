package cognito

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"time"
)

// iterations makes one guess of a password cost a few dozen milliseconds.
const iterations = 120_000

// password is what is stored about a password.
type password struct {
	Salt []byte
	Hash []byte
	Set  time.Time
}

func newPassword(text string) *password {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // crypto/rand never fails
	return &password{Salt: salt, Hash: derive(text, salt), Set: time.Now()}
}

func derive(text string, salt []byte) []byte {
	key, err := pbkdf2.Key(sha256.New, text, salt, iterations, sha256.Size)
	if err != nil {
		panic(err) // only lengths that FIPS 140 forbids fail, and these are constant
	}
	return key
}

// is reports whether text is the password. It takes the same time if there is no
// password.
func (p *password) is(text string) bool {
	if p == nil {
		p = &password{Salt: make([]byte, 16)}
	}
	return subtle.ConstantTimeCompare(derive(text, p.Salt), p.Hash) == 1
}
