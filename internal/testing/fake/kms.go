package fake

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"

	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// KMS is AWS KMS with keys for hashes. Every id is the id of a key, which depends on the
// id and on the secret.
type KMS struct {
	Faults
	Secret string
}

// GenerateMac is KMS's.
func (k *KMS) GenerateMac(ctx context.Context, in *kms.GenerateMacInput, _ ...func(*kms.Options)) (*kms.GenerateMacOutput, error) {
	return call(ctx, &k.Faults, "GenerateMac", func() (*kms.GenerateMacOutput, error) {
		sum := hmac.New(sha256.New, []byte(k.Secret+*in.KeyId))
		sum.Write(in.Message)
		return &kms.GenerateMacOutput{Mac: sum.Sum(nil)}, nil
	})
}
