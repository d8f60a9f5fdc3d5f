package local

import (
	"crypto/rand"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"hl7lake/local/iam"
)

// keyring holds the credentials of every role and of the account's root. They
// are made anew at each start.
type keyring struct {
	mu     sync.Mutex
	byRole map[string]aws.Credentials
	byKey  map[string]string // access key id → the ARN of its role
	root   aws.Credentials
}

func newKeyring() *keyring {
	k := &keyring{byRole: map[string]aws.Credentials{}, byKey: map[string]string{}}
	k.root = aws.Credentials{AccessKeyID: "AKIA" + rand.Text()[:16], SecretAccessKey: rand.Text(), Source: "local lake"}
	k.byKey[k.root.AccessKeyID] = iam.Root
	return k
}

// of returns the credentials of a role, which are temporary ones as on AWS.
func (k *keyring) of(roleARN string) aws.Credentials {
	k.mu.Lock()
	defer k.mu.Unlock()
	credentials, made := k.byRole[roleARN]
	if !made {
		credentials = aws.Credentials{
			AccessKeyID: "ASIA" + rand.Text()[:16], SecretAccessKey: rand.Text(), SessionToken: rand.Text(),
			Source: "local lake",
		}
		k.byRole[roleARN] = credentials
		k.byKey[credentials.AccessKeyID] = roleARN
	}
	return credentials
}

// caller returns who an access key belongs to.
func (k *keyring) caller(accessKeyID string) (arn string, known bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	arn, known = k.byKey[accessKeyID]
	return arn, known
}
