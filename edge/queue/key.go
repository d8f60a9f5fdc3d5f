package queue

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// keySize is that of AES-256.
const keySize = 32

// Errors of keys.
var (
	// ErrKeyFile: the file does not hold a key.
	ErrKeyFile = fmt.Errorf("the key file must hold %d hexadecimal digits", 2*keySize)
	// ErrWrongKey: what is stored was encrypted with another key, or was changed.
	ErrWrongKey = errors.New("what is stored was encrypted with another key, or was changed since")
)

// A Key encrypts what is stored, with AES-256-GCM and a random nonce each time. NIST SP
// 800-38D, 8.3, allows 2^32 uses of a key with such nonces.
type Key struct{ aead cipher.AEAD }

// ReadKey reads a key from a file that [WriteKey] wrote. The error wraps [ErrKeyFile] if
// the file holds something else.
func ReadKey(path string) (Key, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Key{}, err
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(secret) != keySize {
		return Key{}, fmt.Errorf("%s: %w", path, ErrKeyFile)
	}
	return newKey(secret)
}

func newKey(secret []byte) (Key, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return Key{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return Key{aead}, err
}

// WriteKey makes a new key and writes it to a new file that only its owner can read. The
// error wraps [fs.ErrExist] if the file exists: what was encrypted with its key would be
// lost.
func WriteKey(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	secret := make([]byte, keySize)
	_, _ = rand.Read(secret) // crypto/rand never fails
	_, err = fmt.Fprintln(file, hex.EncodeToString(secret))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, removeIfThere(path))
	}
	return nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Seal encrypts content for the place where it is stored. It cannot be opened as that of
// another place.
func (k Key) Seal(content []byte, place string) []byte {
	return k.aead.Seal(nil, nil, content, []byte(place))
}

// Open decrypts what Seal made for the place. The error is [ErrWrongKey].
func (k Key) Open(sealed []byte, place string) ([]byte, error) {
	content, err := k.aead.Open(nil, nil, sealed, []byte(place))
	if err != nil {
		return nil, ErrWrongKey // GCM's own error says no more
	}
	return content, nil
}
