package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// hasher is the part of AWS KMS that tabulate needs; *kms.Client has it.
type hasher interface {
	GenerateMac(context.Context, *kms.GenerateMacInput, ...func(*kms.Options)) (*kms.GenerateMacOutput, error)
}

// keys makes the keys of the pseudonyms in the de-identified twin: for each institution
// the keyed hash of its name, by a key that never leaves AWS KMS. The same key of KMS
// makes the same keys (AWS KMS API Reference, GenerateMac).
type keys struct {
	id  string // of the key of KMS, or its ARN
	kms hasher
}

// of returns the key of an institution's pseudonyms, of 32 bytes.
func (k keys) of(ctx context.Context, source string) ([]byte, error) {
	out, err := k.kms.GenerateMac(ctx, &kms.GenerateMacInput{
		KeyId: &k.id, MacAlgorithm: types.MacAlgorithmSpecHmacSha256, Message: []byte("hl7lake pseudonyms of " + source),
	})
	if err != nil {
		return nil, fmt.Errorf("make the key of pseudonyms: %w", err)
	}
	return out.Mac, nil
}
