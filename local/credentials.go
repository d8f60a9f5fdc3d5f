package local

import (
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"go.etcd.io/bbolt"

	"hl7lake/local/iam"
	"hl7lake/local/identity"
	"hl7lake/local/store"
)

// keyring holds the credentials of every role, of the account's root and of the sessions
// that identity pools made. They are made again at each start, except the root's, because
// a person's shell that `lake env` configured outlives a lake.
type keyring struct {
	mu     sync.Mutex
	byRole map[string]aws.Credentials
	byKey  map[string]session // by access key id
	root   aws.Credentials
}

// session is the signer with an access key.
type session struct {
	arn         string // of the role, or of the account's root
	credentials aws.Credentials
	tags        map[string]string // may be nil
	expires     time.Time         // zero: never
}

// newKeyring reads the root's key from the store, or makes it on first use.
func newKeyring(kept *store.Store) (*keyring, error) {
	k := &keyring{byRole: map[string]aws.Credentials{}, byKey: map[string]session{}}
	bucket, id, secret := []byte("keyring"), []byte("root-id"), []byte("root-secret")
	err := kept.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(bucket)
		if err != nil {
			return err
		}
		if b.Get(id) == nil {
			err = errors.Join(b.Put(id, []byte("AKIA"+rand.Text()[:16])), b.Put(secret, []byte(rand.Text())))
		}
		k.root = aws.Credentials{AccessKeyID: string(b.Get(id)), SecretAccessKey: string(b.Get(secret)), Source: "local lake"}
		return err
	})
	k.byKey[k.root.AccessKeyID] = session{arn: iam.Root, credentials: k.root}
	return k, err
}

// of returns the credentials of a function's role. They are temporary ones as on AWS, but
// do not expire: Lambda gives a process new ones in time.
func (k *keyring) of(roleARN string) aws.Credentials {
	k.mu.Lock()
	defer k.mu.Unlock()
	credentials, made := k.byRole[roleARN]
	if !made {
		credentials = temporary()
		k.byRole[roleARN] = credentials
		k.byKey[credentials.AccessKeyID] = session{arn: roleARN, credentials: credentials}
	}
	return credentials
}

// temporary makes credentials of a session.
func temporary() aws.Credentials {
	return aws.Credentials{
		AccessKeyID: "ASIA" + rand.Text()[:16], SecretAccessKey: rand.Text(), SessionToken: rand.Text(), Source: "local lake",
	}
}

// session makes credentials of a role that carry tags and expire. It forgets those that
// have expired.
func (k *keyring) session(roleARN string, tags map[string]string, lifetime time.Duration) identity.Credentials {
	credentials, expires := temporary(), time.Now().Add(lifetime)
	k.mu.Lock()
	defer k.mu.Unlock()
	for key, s := range k.byKey {
		if !s.expires.IsZero() && time.Since(s.expires) > time.Hour { // until then the caller is told why it is refused
			delete(k.byKey, key)
		}
	}
	k.byKey[credentials.AccessKeyID] = session{roleARN, credentials, tags, expires}
	return identity.Credentials{
		AccessKeyId: credentials.AccessKeyID, SecretKey: credentials.SecretAccessKey, SessionToken: credentials.SessionToken,
		Expiration: expires.Unix(),
	}
}

// find returns the session with an access key.
func (k *keyring) find(accessKeyID string) (session, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, known := k.byKey[accessKeyID]
	return s, known
}
