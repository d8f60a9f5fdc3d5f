package s3_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"hl7lake/local/s3"
	"hl7lake/local/wire"
)

func TestRangesAndConditionsOfARead(t *testing.T) {
	l := start(t, allow)
	l.put(t, "lake", "k", "0123456789")
	l.put(t, "lake", "empty", "")
	etag := l.raw(t, "HEAD", "/lake/k", nil, "").Header.Get("Etag")
	for _, test := range []struct {
		path, header, value string
		status              int
		body                string
	}{
		{"k", "Range", "bytes=2-4", 206, "234"},
		{"k", "Range", "bytes=7-", 206, "789"},
		{"k", "Range", "bytes=-3", 206, "789"},
		{"k", "Range", "bytes=-30", 206, "0123456789"},
		{"k", "Range", "bytes=8-100", 206, "89"},
		{"k", "Range", "bytes=10-", 416, "InvalidRange"},
		{"k", "Range", "bytes=-0", 416, "InvalidRange"},
		{"k", "Range", "bytes=4-2", 200, "0123456789"},
		{"k", "Range", "bytes=0-1,4-5", 200, "0123456789"},
		{"k", "Range", "lines=1-2", 200, "0123456789"},
		{"empty", "Range", "bytes=0-1", 416, "InvalidRange"},
		{"empty", "X", "", 200, ""},
		{"k", "If-Match", etag, 200, "0123456789"},
		{"k", "If-Match", `"other"`, 412, "PreconditionFailed"},
		{"k", "If-None-Match", `"other", ` + etag, 304, ""},
		{"k", "If-None-Match", `"other"`, 200, "0123456789"},
		{"k", "If-Modified-Since", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat), 304, ""},
		{"k", "If-Unmodified-Since", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat), 412, "PreconditionFailed"},
		{"absent", "X", "", 404, "NoSuchKey"},
	} {
		got := l.raw(t, "GET", "/lake/"+test.path, map[string]string{test.header: test.value}, "")
		body, err := io.ReadAll(got.Body)
		exact := string(body) == test.body || got.StatusCode >= 400 && strings.Contains(string(body), "<Code>"+test.body+"</Code>")
		if got.StatusCode != test.status || !exact || err != nil {
			t.Errorf("%s: %s gives %d %q, want %d %q", test.header, test.value, got.StatusCode, body, test.status, test.body)
		}
	}
}

func TestAHeadShowsTheVersionThatIsAskedFor(t *testing.T) {
	l := start(t, allow)
	first := l.put(t, "lake", "k", "1")
	l.put(t, "lake", "k", "22")
	for version, want := range map[string]int64{"": 2, first: 1} {
		in := &sdk.HeadObjectInput{Bucket: aws.String("lake"), Key: aws.String("k")}
		if version != "" {
			in.VersionId = &version
		}
		if out, err := l.HeadObject(t.Context(), in); err != nil || *out.ContentLength != want {
			t.Errorf("version %q: %v, %v", version, out, err)
		}
	}
	var missing *types.NotFound
	if _, err := l.HeadObject(t.Context(), &sdk.HeadObjectInput{Bucket: aws.String("lake"), Key: aws.String("absent")}); !errors.As(err, &missing) {
		t.Errorf("the head of no object gives %v", err)
	}
	if _, err := l.HeadBucket(t.Context(), &sdk.HeadBucketInput{Bucket: aws.String("absent")}); !errors.As(err, &missing) {
		t.Errorf("the head of no bucket gives %v", err)
	}
	if _, err := l.HeadBucket(t.Context(), &sdk.HeadBucketInput{Bucket: aws.String("lake")}); err != nil {
		t.Errorf("the head of a bucket gives %v", err)
	}
	for _, version := range []string{"nonsense", "null", "00000000000045QQAF4DEO22JABAJ8HS"} {
		if _, err := l.get(t, "lake", "k", version); code(err) != "NoSuchVersion" {
			t.Errorf("version %q gives %v", version, err)
		}
	}
}

func TestADeleteMarkerHidesAndItsDeletionReveals(t *testing.T) {
	l := start(t, allow)
	bucket, key := aws.String("lake"), aws.String("a/k")
	l.put(t, "lake", "a/k", "content")
	marker, err := l.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: bucket, Key: key})
	if err != nil || !aws.ToBool(marker.DeleteMarker) || marker.VersionId == nil {
		t.Fatalf("the deletion gives %v, %v", marker, err)
	}
	if got := l.raw(t, "GET", "/lake/a/k", nil, ""); got.StatusCode != 404 || got.Header.Get("X-Amz-Delete-Marker") != "true" {
		t.Errorf("the hidden object gives %s, %v", got.Status, got.Header)
	}
	if _, err := l.get(t, "lake", "a/k", *marker.VersionId); code(err) != "MethodNotAllowed" {
		t.Errorf("reading the marker gives %v", err)
	}
	if _, err := l.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: bucket, Key: key, VersionId: marker.VersionId}); err != nil {
		t.Fatal(err)
	}
	if got, err := l.get(t, "lake", "a/k", ""); got != "content" || err != nil || l.file(t, "lake", "a/k") != "content" {
		t.Errorf("the revealed object is %q, %v; its file %q", got, err, l.file(t, "lake", "a/k"))
	}
}

func TestDeletingSeveralObjectsTellsOfEach(t *testing.T) {
	l := start(t, func(_ context.Context, _, resource string, _ map[string]string) error {
		if strings.HasSuffix(resource, "/kept") {
			return wire.Errorf("AccessDeniedException", "not granted")
		}
		return nil
	})
	version := l.put(t, "lake", "versioned", "1")
	l.put(t, "lake", "hidden", "2")
	out, err := l.DeleteObjects(t.Context(), &sdk.DeleteObjectsInput{Bucket: aws.String("lake"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{
		{Key: aws.String("versioned"), VersionId: &version}, {Key: aws.String("hidden")}, {Key: aws.String("kept")},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Deleted) != 2 || aws.ToString(out.Deleted[0].VersionId) != version || !aws.ToBool(out.Deleted[1].DeleteMarker) || aws.ToString(out.Deleted[1].DeleteMarkerVersionId) == "" {
		t.Errorf("deleted: %+v", out.Deleted)
	}
	if len(out.Errors) != 1 || *out.Errors[0].Key != "kept" || *out.Errors[0].Code != "AccessDenied" {
		t.Errorf("not deleted: %+v", out.Errors)
	}
}

func TestACopyHasContentHeadersAndAVersionOfItsOwn(t *testing.T) {
	l := start(t, allow)
	version := l.put(t, "lake", "a b/ü+", "first")
	l.put(t, "lake", "a b/ü+", "second")
	out, err := l.CopyObject(t.Context(), &sdk.CopyObjectInput{Bucket: aws.String("lake"), Key: aws.String("copy"), CopySource: aws.String("lake/a%20b/%C3%BC%2B?versionId=" + version)})
	if err != nil || aws.ToString(out.CopySourceVersionId) != version || aws.ToString(out.VersionId) == version {
		t.Fatalf("the copy gives %v, %v", out, err)
	}
	if got, err := l.get(t, "lake", "copy", ""); got != "first" || err != nil {
		t.Errorf("the copy is %q, %v", got, err)
	}
	if _, err := l.CopyObject(t.Context(), &sdk.CopyObjectInput{Bucket: aws.String("lake"), Key: aws.String("copy"), CopySource: aws.String("lake/absent")}); code(err) != "NoSuchKey" {
		t.Errorf("a copy of nothing gives %v", err)
	}
}

func TestAPresignedAddressReads(t *testing.T) {
	l := start(t, allow)
	l.put(t, "lake", "a b/k", "content")
	signed, err := sdk.NewPresignClient(l.Client).PresignGetObject(t.Context(), &sdk.GetObjectInput{
		Bucket: aws.String("lake"), Key: aws.String("a b/k"), ResponseContentType: aws.String("text/plain"),
	})
	if err != nil {
		t.Fatal(err)
	}
	got := l.raw(t, signed.Method, strings.TrimPrefix(signed.URL, l.url), nil, "")
	if body, err := io.ReadAll(got.Body); string(body) != "content" || err != nil || got.Header.Get("Content-Type") != "text/plain" {
		t.Errorf("the address gives %q, %v, %v", body, err, got.Header)
	}
}

func TestExpiredObjectsGoWhenTheBucketIsWrittenTo(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	l := start(t, allow, s3.WithClock(func() time.Time { return now }))
	const day = 24 * time.Hour
	for _, bucket := range []string{"claim-check", "lake"} {
		l.put(t, bucket, "old", "x")
		l.put(t, bucket, "rewritten", "x")
	}
	now = now.Add(20 * day)
	l.put(t, "claim-check", "rewritten", "x")
	now = now.Add(11 * day)
	l.put(t, "claim-check", "new", "x")
	l.put(t, "lake", "new", "x")
	if _, err := l.get(t, "claim-check", "old", ""); code(err) != "NoSuchKey" {
		t.Errorf("31 days later the object gives %v", err)
	}
	for _, kept := range []struct{ bucket, key string }{{"claim-check", "rewritten"}, {"claim-check", "new"}, {"lake", "old"}} {
		if _, err := l.get(t, kept.bucket, kept.key, ""); err != nil {
			t.Errorf("%s/%s: %v", kept.bucket, kept.key, err)
		}
	}
}

func TestAnObjectExpiresByTheRulesOfItsPrefix(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	l := start(t, allow, s3.WithClock(func() time.Time { return now }))
	var b s3.Bucket
	if err := json.Unmarshal([]byte(`{"BucketName":"zones","VersioningConfiguration":{"Status":"Enabled"},"LifecycleConfiguration":{"Rules":[
		{"Prefix":"staging/","ExpirationInDays":30,"Status":"Enabled"},{"Prefix":"staging/error/","ExpirationInDays":10,"Status":"Enabled"},
		{"Prefix":"ingestion/","ExpirationInDays":1,"Status":"Disabled"}]}}`), &b); err != nil {
		t.Fatal(err)
	}
	if err := l.service.CreateBucket(b); err != nil {
		t.Fatal(err)
	}
	keys := []string{"ingestion/a", "other", "staging/a", "staging/error/a"}
	for _, key := range keys {
		l.put(t, "zones", key, "x")
	}
	for _, step := range []struct {
		days int
		want []string
	}{{9, keys}, {11, keys[:3]}, {29, keys[:3]}, {31, keys[:2]}, {1000, keys[:2]}} {
		now = time.Date(2026, 11, 1+step.days, 0, 0, 0, 0, time.UTC)
		l.put(t, "zones", "another", "x")
		var left []string
		for _, key := range keys {
			if _, err := l.get(t, "zones", key, ""); err == nil {
				left = append(left, key)
			} else if code(err) != "NoSuchKey" {
				t.Error(err)
			}
		}
		if diff := cmp.Diff(step.want, left); diff != "" {
			t.Errorf("after %d days (-want +got):\n%s", step.days, diff)
		}
	}
}

func TestEachRequestAsksForItsActionOnItsResource(t *testing.T) {
	var asked []string
	refuse := func(_ context.Context, action, resource string, conditions map[string]string) error {
		line := strings.TrimPrefix(action, "s3:") + " " + strings.TrimPrefix(resource, "arn:aws:s3:::")
		for _, key := range []string{"s3:VersionId", "s3:prefix", "s3:if-none-match"} {
			if value, there := conditions[key]; there {
				line += " " + key + "=" + value
			}
		}
		asked = append(asked, line)
		return wire.Errorf("AccessDeniedException", "not granted")
	}
	l := start(t, refuse)
	var want []string
	for _, test := range []struct{ method, path, want string }{
		{"GET", "/lake/a/k", "GetObject lake/a/k"},
		{"HEAD", "/lake/k?versionId=v", "GetObjectVersion lake/k s3:VersionId=v"},
		{"PUT", "/lake/k", "PutObject lake/k s3:if-none-match=*"},
		{"DELETE", "/lake/k", "DeleteObject lake/k"},
		{"DELETE", "/lake/k?versionId=v", "DeleteObjectVersion lake/k s3:VersionId=v"},
		{"POST", "/lake/k?uploads", "PutObject lake/k s3:if-none-match=*"},
		{"DELETE", "/lake/k?uploadId=1", "AbortMultipartUpload lake/k"},
		{"GET", "/lake/k?uploadId=1", "ListMultipartUploadParts lake/k"},
		{"GET", "/lake?list-type=2&prefix=a/", "ListBucket lake s3:prefix=a/"},
		{"GET", "/lake?versions", "ListBucketVersions lake"},
		{"GET", "/lake?versioning", "GetBucketVersioning lake"},
		{"GET", "/lake?location", "GetBucketLocation lake"},
		{"GET", "/lake?uploads", "ListBucketMultipartUploads lake"},
		{"HEAD", "/lake", "ListBucket lake"},
	} {
		got := l.raw(t, test.method, test.path, map[string]string{"If-None-Match": "*"}, "")
		if body, _ := io.ReadAll(got.Body); got.StatusCode != 403 || test.method != "HEAD" && !strings.Contains(string(body), "<Code>AccessDenied</Code>") {
			t.Errorf("%s %s gives %s %s", test.method, test.path, got.Status, body)
		}
		want = append(want, test.want)
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhoMayNotListDoesNotLearnWhatIsAbsent(t *testing.T) {
	l := start(t, func(_ context.Context, action, _ string, _ map[string]string) error {
		if action == "s3:ListBucket" {
			return wire.Errorf("AccessDeniedException", "not granted")
		}
		return nil
	})
	if _, err := l.get(t, "lake", "absent", ""); code(err) != "AccessDenied" {
		t.Errorf("an absent object gives %v", err)
	}
}

func TestRequestsThatAreNotRunAreRefusedByName(t *testing.T) {
	l := start(t, allow)
	for _, test := range []struct{ method, path, want string }{
		{"GET", "/lake?policy", "bucket GET policy"}, {"PUT", "/lake/k?tagging", "object PUT tagging"},
		{"PUT", "/lake", "bucket PUT"}, {"DELETE", "/lake", "bucket DELETE"}, {"POST", "/", "POST"},
	} {
		got := l.raw(t, test.method, test.path, nil, "")
		if body, _ := io.ReadAll(got.Body); got.StatusCode != 501 || !strings.Contains(string(body), test.want) {
			t.Errorf("%s %s gives %s %s", test.method, test.path, got.Status, body)
		}
	}
}

func TestAMissingContentIsSaidWithItsPlace(t *testing.T) {
	l := start(t, allow)
	l.put(t, "lake", "kept", "content")
	l.put(t, "lake", "lost", "content")
	contents, err := filepath.Glob(filepath.Join(l.dir, ".objects", "lake", "*", "*"))
	if err != nil || len(contents) != 2 {
		t.Fatalf("the contents are %v (%v)", contents, err)
	}
	lost, err := os.Stat(filepath.Join(l.dir, "lake", "lost"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range contents {
		if content, err := os.Stat(path); err != nil || os.SameFile(content, lost) && os.Remove(path) != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	if _, err = l.get(t, "lake", "lost", ""); code(err) != "InternalError" || !strings.Contains(err.Error(), "back from a copy") {
		t.Errorf("got %v", err)
	}
	if strings.Contains(fmt.Sprint(err), l.dir) {
		t.Errorf("the answer tells where the data folder is: %v", err)
	}
	if content, err := l.get(t, "lake", "kept", ""); content != "content" || err != nil {
		t.Errorf("the other object: %q, %v", content, err)
	}
}
