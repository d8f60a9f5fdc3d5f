// Package kms describes the keys of the templates, for an operator who asks whether one is there and enabled. Nothing that
// a lake on one machine keeps is encrypted with them, and no other operation is run.
package kms

import (
	"context"
	"net/http"
	"strings"
	"time"

	"hl7lake/local/wire"
)

// Key is what a template says of a key; the fields are those of AWS::KMS::Key.
type Key struct {
	Description string
	Enabled     *bool // true where nil
}

// New returns DescribeKey of AWS KMS for the keys, by their ids (AWS Key Management Service API Reference, DescribeKey).
func New(keys map[string]Key, authorize wire.Authorize) http.Handler {
	started := time.Now().Unix()
	return wire.JSON("1.1", map[string]wire.Operation{
		"DescribeKey": wire.Op(func(ctx context.Context, in *struct{ KeyId string }) (map[string]metadata, error) {
			id := strings.TrimPrefix(in.KeyId, arn(""))
			if err := authorize(ctx, "kms:DescribeKey", arn(id), nil); err != nil {
				return nil, err
			}
			key, known := keys[id]
			if !known {
				return nil, wire.Errorf("NotFoundException", "Key '%s' does not exist", arn(id))
			}
			return map[string]metadata{"KeyMetadata": describe(id, key, started)}, nil
		}),
	})
}

func arn(id string) string { return wire.ARN("kms", "key/"+id) }

// metadata is the KeyMetadata of a symmetric key.
type metadata struct {
	AWSAccountId, KeyId, Arn, Description  string
	KeyState, KeyUsage, KeyManager         string
	KeySpec, CustomerMasterKeySpec, Origin string
	CreationDate                           int64
	Enabled, MultiRegion                   bool
	EncryptionAlgorithms                   []string
}

func describe(id string, key Key, created int64) metadata {
	enabled := key.Enabled == nil || *key.Enabled
	state := "Enabled"
	if !enabled {
		state = "Disabled"
	}
	return metadata{
		AWSAccountId: wire.Account, KeyId: id, Arn: arn(id), Description: key.Description, KeyState: state, Enabled: enabled,
		KeyUsage: "ENCRYPT_DECRYPT", KeyManager: "CUSTOMER", KeySpec: "SYMMETRIC_DEFAULT", CustomerMasterKeySpec: "SYMMETRIC_DEFAULT",
		Origin: "AWS_KMS", CreationDate: created, EncryptionAlgorithms: []string{"SYMMETRIC_DEFAULT"},
	}
}
