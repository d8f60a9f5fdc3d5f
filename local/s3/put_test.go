package s3_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"hl7lake/local/store"
)

func TestOfAHundredWritersOfANewKeyExactlyOneWins(t *testing.T) {
	l := start(t, allow)
	var writers sync.WaitGroup
	var won atomic.Int32
	for range 100 {
		writers.Go(func() {
			_, err := l.PutObject(t.Context(), &sdk.PutObjectInput{
				Bucket: aws.String("lake"), Key: aws.String("one"), Body: strings.NewReader("x"), IfNoneMatch: aws.String("*"),
				ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
			})
			switch {
			case err == nil:
				won.Add(1)
			case code(err) != "PreconditionFailed":
				t.Errorf("a writer got %v", err)
			}
		})
	}
	writers.Wait()
	if won.Load() != 1 {
		t.Errorf("%d writers won", won.Load())
	}
}

func TestOlderVersionsAreKeptApartAndComeBack(t *testing.T) {
	l := start(t, allow)
	const bucket, key = "lake", "staging/protocol=hl7v2/a.json"
	first := l.put(t, bucket, key, "first")
	second := l.put(t, bucket, key, "second")
	if got := l.file(t, bucket, key); got != "second" {
		t.Errorf("the file holds %q", got)
	}
	if got, err := l.get(t, bucket, key, first); got != "first" || err != nil {
		t.Errorf("the first version is %q, %v", got, err)
	}
	if _, err := l.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.get(t, bucket, key, ""); code(err) != "NoSuchKey" {
		t.Errorf("a deleted object gives %v", err)
	}
	if got := l.file(t, bucket, key); got != "(none)" {
		t.Errorf("the deleted object's file holds %q", got)
	}
	if got, err := l.get(t, bucket, key, second); got != "second" || err != nil {
		t.Errorf("the second version is %q, %v", got, err)
	}
}

func TestEveryKeyGivesItsBytesBack(t *testing.T) {
	l := start(t, allow)
	shown := map[string]bool{}
	for _, test := range []struct {
		key   string
		shown bool // as a file under its own name
	}{
		{"a", true}, {"a/b", false /* a is a file */}, {"folder/x", true}, {"folder", false /* is a folder */}, {"folder/", false},
		{"Folder/X", false /* folder/x on other file systems */}, {"é", true}, {"e\u0301", false /* é on other file systems */},
		{"..", false}, {"../escape", false}, {"x/../../../escape", false}, {".", false}, {"./y", false}, {"x//y", false}, {"/x", false},
		{".objects/lake", false}, {".hidden", false}, {"a b+c&d=e%2F?f#g", false}, {"tab\tbell\a", false}, {"back\\slash", false}, {"dot.", false},
		{strings.Repeat("s", 256), false}, {strings.Repeat("long/", 200) + "key", true}, {"\U0001F600/\uFFFD", true},
	} {
		l.put(t, "lake", test.key, "content of "+test.key)
		shown[test.key] = test.shown
	}
	for key, file := range shown {
		if got, err := l.get(t, "lake", key, ""); got != "content of "+key || err != nil {
			t.Errorf("%q comes back as %q, %v", key, got, err)
		}
		content, err := os.ReadFile(filepath.Join(l.dir, "lake", key))
		if seen := err == nil && string(content) == "content of "+key && filepath.IsLocal(filepath.FromSlash(key)); seen != file {
			t.Errorf("%q is a file of its own: %t", key, seen)
		}
	}
	entries, err := os.ReadDir(l.dir)
	if err != nil || len(entries) != 5 {
		t.Errorf("beside .objects, .links, .intents and the two buckets there is something: %v, %v", entries, err)
	}
	for key := range shown {
		if _, err := l.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: aws.String("lake"), Key: &key}); err != nil {
			t.Fatal(err)
		}
	}
	left, err := os.ReadDir(filepath.Join(l.dir, "lake"))
	if err != nil || len(left) != 0 {
		t.Errorf("after all are deleted, the folder holds %v, %v", left, err)
	}
	for _, test := range []struct{ key, code string }{{strings.Repeat("k", 1025), "KeyTooLongError"}, {"zero\x00byte", "InvalidArgument"}, {"\xff", "InvalidURI"}} {
		_, err := l.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: aws.String("lake"), Key: &test.key, Body: strings.NewReader("x")})
		if code(err) != test.code {
			t.Errorf("a key of %d bytes gives %v", len(test.key), err)
		}
	}
}

func TestAWriteIsRefusedWhenItsConditionDoesNotHold(t *testing.T) {
	l := start(t, allow)
	put := func(key, content string, none, match *string) (string, string) {
		out, err := l.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: aws.String("lake"), Key: &key, Body: strings.NewReader(content), IfNoneMatch: none, IfMatch: match})
		if err != nil {
			return code(err), ""
		}
		return "", *out.ETag
	}
	star := aws.String("*")
	_, first := put("k", "1", star, nil)
	if refusal, _ := put("k", "2", star, nil); refusal != "PreconditionFailed" {
		t.Errorf("a second write gives %q", refusal)
	}
	if refusal, _ := put("k", "2", nil, aws.String(`"0123"`)); refusal != "PreconditionFailed" {
		t.Errorf("another ETag gives %q", refusal)
	}
	if refusal, _ := put("k", "2", nil, &first); refusal != "" {
		t.Errorf("the right ETag gives %q", refusal)
	}
	if refusal, _ := put("absent", "2", nil, &first); refusal != "NoSuchKey" {
		t.Errorf("If-Match on no object gives %q", refusal)
	}
	if _, err := l.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: aws.String("lake"), Key: aws.String("k")}); err != nil {
		t.Fatal(err)
	}
	if refusal, _ := put("k", "3", star, nil); refusal != "" {
		t.Errorf("a write over a delete marker gives %q", refusal)
	}
}

func TestAChecksumIsVerifiedKeptAndReturned(t *testing.T) {
	l := start(t, allow)
	const content = "MSH|^~\\&|"
	sum := sha256.Sum256([]byte(content))
	right, wrong := base64.StdEncoding.EncodeToString(sum[:]), base64.StdEncoding.EncodeToString(make([]byte, 32))
	put := func(sum *string) (*sdk.PutObjectOutput, error) {
		return l.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: aws.String("lake"), Key: aws.String("k"), Body: strings.NewReader(content), ChecksumSHA256: sum})
	}
	if _, err := put(&wrong); code(err) != "BadDigest" {
		t.Errorf("a wrong checksum gives %v", err)
	}
	if _, err := l.get(t, "lake", "k", ""); code(err) != "NoSuchKey" {
		t.Errorf("what was refused is there: %v", err)
	}
	out, err := put(&right)
	if err != nil || aws.ToString(out.ChecksumSHA256) != right {
		t.Fatalf("the right checksum gives %v, %v", out, err)
	}
	head, err := l.HeadObject(t.Context(), &sdk.HeadObjectInput{Bucket: aws.String("lake"), Key: aws.String("k"), ChecksumMode: types.ChecksumModeEnabled})
	if err != nil || aws.ToString(head.ChecksumSHA256) != right || head.ChecksumType != types.ChecksumTypeFullObject {
		t.Errorf("the head shows %v, %v", head, err)
	}
	got, err := l.GetObject(t.Context(), &sdk.GetObjectInput{Bucket: aws.String("lake"), Key: aws.String("k"), ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(got.Body) // the client compares
	if string(body) != content || err != nil {
		t.Errorf("the object reads %q, %v", body, err)
	}
}

// raw sends a request that the client would not send.
func (l lake) raw(t *testing.T, method, path string, header map[string]string, body string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, l.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "identity") // the transport would decode by itself
	for name, value := range header {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer
}

func TestContentArrivesWholeOrNotAtAll(t *testing.T) {
	l := start(t, allow)
	sum := sha256.Sum256([]byte("hello"))
	signed := map[string]string{"X-Amz-Content-Sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "X-Amz-Decoded-Content-Length": "5", "Content-Encoding": "aws-chunked,gzip"}
	trailing := map[string]string{"X-Amz-Content-Sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "X-Amz-Decoded-Content-Length": "5", "X-Amz-Trailer": "x-amz-checksum-crc32"}
	for name, test := range map[string]struct {
		header map[string]string
		body   string
		status int
	}{
		"as it is":                  {nil, "hello", 200},
		"signed":                    {map[string]string{"X-Amz-Content-Sha256": hex.EncodeToString(sum[:])}, "hello", 200},
		"signed for another":        {map[string]string{"X-Amz-Content-Sha256": hex.EncodeToString(make([]byte, 32))}, "hello", 400},
		"with its MD5":              {map[string]string{"Content-Md5": "XUFAKrxLKna5cZ2REBfFkg=="}, "hello", 200},
		"with another MD5":          {map[string]string{"Content-Md5": "AUFAKrxLKna5cZ2REBfFkg=="}, "hello", 400},
		"with no MD5":               {map[string]string{"Content-Md5": "?"}, "hello", 400},
		"an unknown checksum":       {map[string]string{"X-Amz-Checksum-Md6": "?"}, "hello", 400},
		"signed chunks":             {signed, "3;chunk-signature=ab\r\nhel\r\n2;chunk-signature=cd\r\nlo\r\n0;chunk-signature=ef\r\n\r\n", 200},
		"too few chunks":            {signed, "3;chunk-signature=ab\r\nhel\r\n0;chunk-signature=ef\r\n\r\n", 400},
		"a chunk cut off":           {signed, "5;chunk-signature=ab\r\nhel", 400},
		"no chunk":                  {signed, "hello", 400},
		"a chunk too long":          {signed, "3;chunk-signature=ab\r\nhello\r\n0\r\n\r\n", 400},
		"a trailing checksum":       {trailing, "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", 200},
		"a wrong trailing checksum": {trailing, "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", 400},
	} {
		key := "/lake/" + strings.ReplaceAll(name, " ", "-")
		if got := l.raw(t, "PUT", key, test.header, test.body).StatusCode; got != test.status {
			t.Errorf("%s: %d, want %d", name, got, test.status)
		}
		got := l.raw(t, "GET", key, nil, "")
		body, _ := io.ReadAll(got.Body)
		if there := got.StatusCode == 200; there != (test.status == 200) || there && string(body) != "hello" {
			t.Errorf("%s: then the object is %d %q", name, got.StatusCode, body)
		}
	}
	if encoding := l.raw(t, "HEAD", "/lake/signed-chunks", nil, "").Header.Get("Content-Encoding"); encoding != "gzip" {
		t.Errorf("the content's encoding is %q", encoding)
	}
	if files := l.contents(t); files != 5 {
		t.Errorf("%d contents are kept, want 5: refused ones leave nothing", files)
	}
}

// contents counts the files that hold contents.
func (l lake) contents(t *testing.T) (count int) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(l.dir, ".objects"), func(_ string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			count++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return count
}

func TestTheClientStreamsWithATrailingChecksum(t *testing.T) {
	l := start(t, allow)
	server := httptest.NewTLSServer(l.service) // the client streams over TLS only
	defer server.Close()
	c := client(server.URL, server.Client())
	content := strings.Repeat("OBX|", 50_000)
	_, err := c.PutObject(t.Context(), &sdk.PutObjectInput{
		Bucket: aws.String("lake"), Key: aws.String("k"), Body: io.MultiReader(strings.NewReader(content)), ContentLength: aws.Int64(int64(len(content))),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := l.get(t, "lake", "k", ""); got != content || err != nil {
		t.Errorf("the object has %d bytes, want %d; %v", len(got), len(content), err)
	}
}

func TestAnObjectInPartsIsOneObject(t *testing.T) {
	l := start(t, allow)
	bucket, key := aws.String("lake"), aws.String("big/one")
	begin := func() *string {
		out, err := l.CreateMultipartUpload(t.Context(), &sdk.CreateMultipartUploadInput{Bucket: bucket, Key: key, ContentType: aws.String("text/plain")})
		if err != nil {
			t.Fatal(err)
		}
		return out.UploadId
	}
	id := begin()
	var done []types.CompletedPart
	first, second := bytes.Repeat([]byte("a"), 5<<20), []byte("the end")
	for i, content := range [][]byte{first, second} {
		out, err := l.UploadPart(t.Context(), &sdk.UploadPartInput{Bucket: bucket, Key: key, UploadId: id, PartNumber: aws.Int32(int32(i + 1)), Body: bytes.NewReader(content)})
		if err != nil {
			t.Fatal(err)
		}
		done = append(done, types.CompletedPart{PartNumber: aws.Int32(int32(i + 1)), ETag: out.ETag})
	}
	complete := func(parts ...types.CompletedPart) (*sdk.CompleteMultipartUploadOutput, error) {
		return l.CompleteMultipartUpload(t.Context(), &sdk.CompleteMultipartUploadInput{Bucket: bucket, Key: key, UploadId: id,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
	}
	if _, err := complete(done[1], done[0]); code(err) != "InvalidPartOrder" {
		t.Errorf("parts out of order give %v", err)
	}
	if _, err := complete(types.CompletedPart{PartNumber: aws.Int32(7), ETag: done[0].ETag}); code(err) != "InvalidPart" {
		t.Errorf("an unknown part gives %v", err)
	}
	out, err := complete(done...)
	if err != nil || !strings.HasSuffix(aws.ToString(out.ETag), `-2"`) {
		t.Fatalf("completing gives %v, %v", out, err)
	}
	if got, err := l.get(t, "lake", *key, ""); got != string(first)+string(second) || err != nil {
		t.Errorf("the object has %d bytes, %v", len(got), err)
	}
	if _, err := complete(done...); code(err) != "NoSuchUpload" {
		t.Errorf("completing again gives %v", err)
	}
	id = begin()
	if _, err := l.UploadPart(t.Context(), &sdk.UploadPartInput{Bucket: bucket, Key: key, UploadId: id, PartNumber: aws.Int32(1), Body: bytes.NewReader(second)}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.AbortMultipartUpload(t.Context(), &sdk.AbortMultipartUploadInput{Bucket: bucket, Key: key, UploadId: id}); err != nil {
		t.Fatal(err)
	}
	if got := l.contents(t); got != 1 {
		t.Errorf("%d contents are left, want the object's", got)
	}
}

func TestHeadersAndMetadataComeBackAndNothingElse(t *testing.T) {
	l := start(t, allow)
	put := l.raw(t, "PUT", "/lake/k", map[string]string{
		"Content-Type": "application/hl7-v2", "Cache-Control": "no-store", "X-Amz-Meta-Root": "018f", "X-Amz-Security-Token": "secret", "Authorization": "secret",
	}, "x")
	if put.StatusCode != 200 {
		t.Fatal(put.Status)
	}
	got := l.raw(t, "GET", "/lake/k", nil, "").Header
	for name, want := range map[string]string{"Content-Type": "application/hl7-v2", "Cache-Control": "no-store", "X-Amz-Meta-Root": "018f", "X-Amz-Security-Token": "", "Authorization": ""} {
		if got.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.Get(name), want)
		}
	}
	large := l.raw(t, "PUT", "/lake/k", map[string]string{"X-Amz-Meta-Large": strings.Repeat("x", 2<<10)}, "x")
	if large.StatusCode != 400 {
		t.Errorf("metadata of more than 2 KB gives %s", large.Status)
	}
}

func TestWhatWasWrittenOutlivesTheProcess(t *testing.T) {
	folder := t.TempDir()
	l := serve(t, folder, store.Durable, allow)
	first := l.put(t, "lake", "a/b", "first")
	l.put(t, "lake", "a/b", "second")

	// The first service is never stopped: a killed process leaves the same.
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	again := serve(t, copied, store.Durable, allow)
	for version, want := range map[string]string{"": "second", first: "first"} {
		if got, err := again.get(t, "lake", "a/b", version); got != want || err != nil {
			t.Errorf("after reopening, version %q is %q, %v", version, got, err)
		}
	}
}

// A process can be killed between any two steps. These are what it may leave.
func TestFilesAgreeWithTheRecordsAfterAProcessWasKilled(t *testing.T) {
	folder := t.TempDir()
	l := serve(t, folder, store.Durable, allow)
	for _, key := range []string{"new version", "hidden", "x/deleted"} {
		l.put(t, "lake", key, "kept")
	}
	var left []string
	leave := func(name, key string) { // an intent, and the new content if it has a name
		intent := fmt.Sprintf(`{"Bucket":"lake","Key":%q,"File":%q}`, key, name)
		left = append(left, intent)
		if name == "" {
			return
		}
		for _, path := range []string{filepath.Join(l.dir, ".objects", "lake", name[len(name)-1:], name), filepath.Join(l.dir, "lake", key)} {
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte("unacknowledged"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	leave("0a", "new object")
	leave("0b", "new version")
	leave("", "hidden")
	leave("", "x/deleted")
	if err := os.Remove(filepath.Join(l.dir, "lake", "hidden")); err != nil {
		t.Fatal(err)
	}
	left = append(left, `{"Bucket":"lake","Key":"cut o`)
	if err := os.WriteFile(filepath.Join(l.dir, ".intents", "left"), []byte(strings.Join(left, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	again := serve(t, copied, store.Durable, allow)
	for key, want := range map[string]string{"new object": "(none)", "new version": "kept", "hidden": "kept", "x/deleted": "kept"} {
		if got := again.file(t, "lake", key); got != want {
			t.Errorf("the file of %s holds %q, want %q", key, got, want)
		}
	}
	if got := again.contents(t); got != 3 {
		t.Errorf("%d contents are kept, want 3", got)
	}
	if left, err := os.ReadDir(filepath.Join(again.dir, ".intents")); len(left) != 0 || err != nil {
		t.Errorf("intents are left: %v, %v", left, err)
	}
}

func TestWritersOfOneKeyLeaveTheFileOfTheNewestVersion(t *testing.T) {
	for _, bucket := range []string{"lake", "claim-check"} {
		l := start(t, allow)
		var writers sync.WaitGroup
		for i := range 30 {
			writers.Go(func() {
				key := "k"
				if i%3 == 0 {
					_, err := l.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: &bucket, Key: &key})
					if err != nil {
						t.Errorf("a deletion got %v", err)
					}
					return
				}
				_, err := l.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(fmt.Sprint(i))})
				if err != nil {
					t.Errorf("a writer got %v", err)
				}
			})
		}
		writers.Wait()
		want, err := l.get(t, bucket, "k", "")
		if code(err) == "NoSuchKey" {
			want = "(none)"
		}
		if got := l.file(t, bucket, "k"); got != want {
			t.Errorf("in %s the file holds %q, the newest version %q", bucket, got, want)
		}
	}
}

// The file of a key is gone after another key has needed its place, or the place of its
// folder, for a folder.
func TestAKeyWhosePlaceAnotherHasTakenCanStillBeDeleted(t *testing.T) {
	l := start(t, allow)
	for _, keys := range [][2]string{{"one/under", "one"}, {"two", "two/under"}} {
		for range 2 { // the second time, its place is taken
			l.put(t, "lake", keys[0], "first")
			if _, err := l.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: aws.String("lake"), Key: &keys[0]}); err != nil {
				t.Errorf("delete %s: %v", keys[0], err)
			}
			l.put(t, "lake", keys[1], "second")
		}
		if got := l.file(t, "lake", keys[1]); got != "second" {
			t.Errorf("the file %s holds %q", keys[1], got)
		}
	}
}
