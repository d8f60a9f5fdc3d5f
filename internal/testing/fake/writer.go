package fake

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
)

// Lake is the name of the bucket in which File leaves bodies.
const Lake = "lake"

// File leaves what the writer leaves of an event that it wrote at the given time: the
// body in the bucket Lake, and the entry, which it returns, in the table Catalog.
func File(t testing.TB, tables *Tables, buckets *Buckets, e hub.Event, written time.Time) catalog.Entry {
	t.Helper()
	entry := Store(t, buckets, e, written)
	entry.Attempts = 1
	item, err := attributevalue.MarshalMap(entry)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tables.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: new(Catalog), Item: item}); err != nil {
		t.Fatal(err)
	}
	return entry
}

// Store leaves the body of an event in the bucket Lake, and returns the entry that the
// catalog would have of it.
func Store(t testing.TB, buckets *Buckets, e hub.Event, written time.Time) catalog.Entry {
	t.Helper()
	entry := catalog.NewEntry(e, Lake, written)
	sum := sha256.Sum256(e.Body)
	out, err := buckets.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &entry.Bucket, Key: &entry.Key, Body: bytes.NewReader(e.Body),
		ChecksumSHA256: new(base64.StdEncoding.EncodeToString(sum[:])),
	})
	if err != nil {
		t.Fatal(err)
	}
	entry.VersionID, entry.SHA256, entry.Size = *out.VersionId, hex.EncodeToString(sum[:]), int64(len(e.Body))
	return entry
}
