// Package derive derives the keys of keyed hashes from keys that never leave AWS KMS, for
// functions that make too many hashes to ask KMS for each. A derived key is the keyed hash
// of a label. The same key of KMS and the same label always make the same derived key (AWS
// KMS API Reference, GenerateMac).
package derive

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// KMS is the part of AWS KMS that is needed; *kms.Client has it.
type KMS interface {
	GenerateMac(context.Context, *kms.GenerateMacInput, ...func(*kms.Options)) (*kms.GenerateMacOutput, error)
}

// Deriver derives keys from one key of AWS KMS. It keeps them as long as the process
// runs, so that KMS is asked once for a label. It is safe for concurrent use.
type Deriver struct {
	id  string
	kms KMS

	mu   sync.Mutex
	keys map[string][]byte // by label
}

// New returns a Deriver. The id is that of the key in AWS KMS, or its ARN. The key must be
// of the type HMAC_256.
func New(id string, service KMS) *Deriver {
	return &Deriver{id: id, kms: service, keys: map[string][]byte{}}
}

// Key returns the key for a label, of 32 bytes. A label says what the key is for and
// whose it is. It is not secret.
func (d *Deriver) Key(ctx context.Context, label string) ([]byte, error) {
	d.mu.Lock()
	key, known := d.keys[label]
	d.mu.Unlock()
	if known {
		return key, nil
	}
	// Several callers may ask at the same time, which makes the same key several times.
	out, err := d.kms.GenerateMac(ctx, &kms.GenerateMacInput{
		KeyId: &d.id, MacAlgorithm: types.MacAlgorithmSpecHmacSha256, Message: []byte(label),
	})
	if err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	d.mu.Lock()
	d.keys[label] = out.Mac
	d.mu.Unlock()
	return out.Mac, nil
}
