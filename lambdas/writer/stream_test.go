package main

// This file is about bodies that are too large to be held whole.

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/internal/hub"
	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/staginger7"
	"hl7lake/lambdas/internal/telemetry"
)

// pattern is the content of a large object: the byte at each offset.
type pattern struct{ at, size int64 }

func (p *pattern) Read(into []byte) (int, error) {
	if p.at == p.size {
		return 0, io.EOF
	}
	n := min(int64(len(into)), p.size-p.at)
	for i := range into[:n] {
		into[i] = byte((p.at + int64(i)) * 31 >> 3)
	}
	p.at += n
	return int(n), nil
}

// digest is the SHA-256 of a pattern.
func digest(size int64) []byte {
	sum := sha256.New()
	_, _ = io.Copy(sum, &pattern{size: size}) // neither end can fail
	return sum.Sum(nil)
}

// bigStore is S3 with one claim check of that many bytes, over HTTP. It keeps nothing of
// what is put, and looks at the heap while bytes pass.
type bigStore struct {
	size  int64
	there bool // an object already exists in the lake

	mu     sync.Mutex
	heap   uint64 // the highest
	put    hash.Hash
	header http.Header
}

func (s *bigStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodGet:
		w.Header().Set("Content-Length", fmt.Sprint(s.size))
		_, _ = io.Copy(w, &pattern{size: s.size}) // the writer may have seen enough
	case r.Method == http.MethodHead:
		w.Header().Set("X-Amz-Checksum-Sha256", base64.StdEncoding.EncodeToString(digest(s.size)))
		w.Header().Set("X-Amz-Version-Id", "v1")
		w.Header().Set("Content-Length", fmt.Sprint(s.size))
	case s.there:
		w.WriteHeader(http.StatusPreconditionFailed)
		_, _ = io.WriteString(w, `<Error><Code>PreconditionFailed</Code></Error>`)
	default:
		s.take(r)
		w.Header().Set("X-Amz-Version-Id", "v1")
	}
}

func (s *bigStore) take(r *http.Request) {
	sum := sha256.New()
	piece := make([]byte, 256<<10)
	for {
		n, err := r.Body.Read(piece)
		sum.Write(piece[:n])
		s.look()
		if err != nil {
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put, s.header = sum, r.Header
}

func (s *bigStore) look() {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heap = max(s.heap, stats.HeapAlloc)
}

// file gives the writer a JSON event whose body is a claim check of the store.
func (s *bigStore) file(t *testing.T, tables *fake.Tables) error {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	objects := s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: &server.URL, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	}, retryConflicts)
	h := handler{
		logger:     telemetry.NewLogger(io.Discard),
		claimCheck: hub.ClaimCheck{Bucket: "checks", Objects: objects},
		lake:       lake{bucket: "lake", objects: objects},
		catalog:    table{name: fake.Catalog, db: tables},
	}
	_, err := h.handle(t.Context(), events.SNSEvent{Records: []events.SNSEventRecord{{SNS: s.staged(t)}}})
	return err
}

func (s *bigStore) staged(t *testing.T) events.SNSEntity {
	t.Helper()
	topic := &fake.Topic{}
	staged := hub.Derive(ingested(""), staginger7.Connector(), hub.Staged, hub.JSON)
	staged.Body = []byte("{}")
	if err := (hub.Topic{ARN: "hub", Publisher: topic}).Publish(t.Context(), staged); err != nil {
		t.Fatal(err)
	}
	entity := topic.Deliveries().Records[0].SNS
	entity.MessageAttributes["encoding"] = map[string]any{"Type": "String", "Value": "claim-check"}
	entity.Message = fmt.Sprintf(`{"bucket":"checks","key":"%s/json","size":%d,"sha256":"%s"}`, root, s.size, hex.EncodeToString(digest(s.size)))
	return entity
}

// The JSON of a message may have 32 MiB. The writer has 256 MB, but what is held once is
// often held three times.
func TestALargeBodyPassesFromClaimCheckToLakeWithoutBeingHeldWhole(t *testing.T) {
	const size, most = 30 << 20, 6 << 20
	store, tables := &bigStore{size: size}, fake.NewTables(t)
	runtime.GC()
	store.look()
	before := store.heap
	if err := store.file(t, tables); err != nil {
		t.Fatal(err)
	}
	if grown := int64(store.heap) - int64(before); grown > most {
		t.Errorf("the heap grew by %.1f MB over a body of %d MB", float64(grown)/(1<<20), size>>20)
	} else {
		t.Logf("the heap grew by %.1f MB", float64(grown)/(1<<20))
	}
	if !bytes.Equal(store.put.Sum(nil), digest(size)) {
		t.Error("what was put differs from what was checked in")
	}
	want := map[string]string{
		"X-Amz-Checksum-Sha256": base64.StdEncoding.EncodeToString(digest(size)), "X-Amz-Content-Sha256": hex.EncodeToString(digest(size)),
		"If-None-Match": "*", "Content-Type": "application/json",
	}
	for name, value := range want {
		if got := store.header.Get(name); got != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
	if n := len(tables.Items(t, fake.Catalog)); n != 1 {
		t.Errorf("%d entries of the catalog", n)
	}
}

func TestALargeBodyThatIsInTheLakeAlreadyIsFoundThere(t *testing.T) {
	store, tables := &bigStore{size: 30 << 20, there: true}, fake.NewTables(t)
	if err := store.file(t, tables); err != nil {
		t.Fatal(err)
	}
	if n := len(tables.Items(t, fake.Catalog)); n != 1 {
		t.Errorf("%d entries of the catalog", n)
	}
}

// S3 may refuse a first try and accept the second: the stream begins again.
func TestALargeBodyIsSentAgainFromItsStart(t *testing.T) {
	store := &bigStore{size: 1 << 20}
	tries := 0
	refusing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			if tries++; tries == 1 {
				_, _ = io.CopyN(io.Discard, r.Body, 300_000)
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
		}
		store.ServeHTTP(w, r)
	})
	server := httptest.NewServer(refusing)
	t.Cleanup(server.Close)
	objects := s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: &server.URL, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	})
	checks := hub.ClaimCheck{Bucket: "checks", Objects: objects}
	event, body, err := checks.Stream(t.Context(), hub.FromSNS(store.staged(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	got, err := lake{bucket: "lake", objects: objects}.put(t.Context(), "key", event.Kind, body)
	if err != nil || got.size != store.size || tries != 2 {
		t.Errorf("%+v, %v, after %d tries", got, err, tries)
	}
	if !bytes.Equal(store.put.Sum(nil), digest(store.size)) {
		t.Error("what was put differs from what was checked in")
	}
}

func TestAClaimCheckWithOtherContentBecomesNoObject(t *testing.T) {
	big := strings.Repeat("OBX|1|TX|||some text\r", 20_000)
	for name, change := range map[string]func([]byte) []byte{
		"another byte": func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"a byte less":  func(b []byte) []byte { return b[:len(b)-1] },
		"a byte more":  func(b []byte) []byte { return append(b, 'x') },
		"nothing":      func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCore(t)
			topic := &fake.Topic{}
			if err := (hub.Topic{ARN: "hub", Publisher: topic, ClaimCheck: hub.ClaimCheck{Bucket: "checks", Objects: c.buckets}}).Publish(t.Context(), ingested(adt+big)); err != nil {
				t.Fatal(err)
			}
			check := c.buckets.Names()[0]
			whole, _ := c.buckets.Object(check)
			c.buckets.Change(check, change(bytes.Clone(whole.Content)))
			if err := c.handle(t.Context(), topic.Deliveries()); err == nil || err.Error() != hub.ErrContent.Error() {
				t.Errorf("got %v", err)
			}
			if names := c.buckets.Names(); len(names) != 1 || len(c.entries(t)) != 0 {
				t.Errorf("kept %v, catalogued %v", names, c.entries(t))
			}
		})
	}
}
