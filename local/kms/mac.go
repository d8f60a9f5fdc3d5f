package kms

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"

	"go.etcd.io/bbolt"

	"hl7lake/local/wire"
)

// macAlgorithm is the only algorithm for a key of 256 bits (AWS KMS Developer Guide, HMAC
// keys).
const macAlgorithm = "HMAC_SHA_256"

// longestMessage is the most bytes that are hashed at once.
const longestMessage = 4096

type macInput struct {
	KeyId, MacAlgorithm string
	Message             []byte
}

type macOutput struct {
	KeyId, MacAlgorithm string
	Mac                 []byte
}

func (s *Service) generateMAC(ctx context.Context, in *macInput) (*macOutput, error) {
	id, key, err := s.find(ctx, "kms:GenerateMac", in.KeyId)
	switch {
	case err != nil:
		return nil, err
	case !key.hashes() || in.MacAlgorithm != macAlgorithm:
		return nil, wire.Errorf("InvalidKeyUsageException", "%s is not for %s", arn(id), in.MacAlgorithm)
	case len(in.Message) == 0 || len(in.Message) > longestMessage:
		return nil, wire.Errorf("ValidationException", "Message has %d bytes, not 1 to %d", len(in.Message), longestMessage)
	}
	secret, err := s.secret(id)
	if err != nil {
		return nil, err
	}
	s.requested(ctx)
	sum := hmac.New(sha256.New, secret)
	sum.Write(in.Message)
	return &macOutput{KeyId: arn(id), MacAlgorithm: macAlgorithm, Mac: sum.Sum(nil)}, nil
}

// secret returns the secret of a key. It makes the secret on first use.
func (s *Service) secret(id string) (secret []byte, err error) {
	err = s.store.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte("kms"))
		if err != nil {
			return err
		}
		if secret = append([]byte(nil), b.Get([]byte(id))...); len(secret) > 0 {
			return nil
		}
		secret = make([]byte, sha256.Size)
		_, _ = rand.Read(secret) // crypto/rand never fails
		return b.Put([]byte(id), secret)
	})
	return secret, err
}
