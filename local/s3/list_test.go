package s3_test

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// listed is the expected listing of keys by prefix and delimiter, page by page: keys, and
// common prefixes in angle brackets, in order.
func listed(keys []string, prefix, delimiter, after string, limit int) string {
	var found []string
	for _, key := range slices.Sorted(slices.Values(keys)) {
		rest, is := strings.CutPrefix(key, prefix)
		if !is || key <= after {
			continue
		}
		if at := strings.Index(rest, delimiter); delimiter != "" && at >= 0 {
			if key = prefix + rest[:at+len(delimiter)]; key == after {
				continue
			}
			key = "<" + key + ">"
		}
		if len(found) == 0 || found[len(found)-1] != key {
			found = append(found, key)
		}
	}
	var pages []string
	for page := range slices.Chunk(found, limit) {
		pages = append(pages, strings.Join(page, " "))
	}
	return strings.Join(pages, " | ")
}

// merged writes one page of a listing in the order of its keys.
func merged(objects []types.Object, prefixes []types.CommonPrefix) string {
	entries := map[string]string{}
	for _, o := range objects {
		entries[*o.Key] = *o.Key
	}
	for _, p := range prefixes {
		entries[*p.Prefix] = "<" + *p.Prefix + ">"
	}
	var page []string
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		page = append(page, entries[key])
	}
	return strings.Join(page, " ")
}

func TestListingsAreComplete(t *testing.T) {
	l := start(t, allow)
	keys := []string{"a", "a/", "a/b", "a/b/c", "a/c", "a0", "b/", "b/x/y", "b/x/z", "c//d", "c//e", "ü/ö", "z\U0010FFFF", "z\U0010FFFF/x"}
	for _, key := range append(keys, "deleted", "a/deleted") {
		l.put(t, "lake", key, "x")
		l.put(t, "lake", key, "y") // an older version is not listed
	}
	for _, key := range []string{"deleted", "a/deleted"} {
		if _, err := l.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: aws.String("lake"), Key: &key}); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.SampledFrom([]string{"", "a", "a/", "b/x", "c/", "q", "z\U0010FFFF", "ü"}).Draw(t, "prefix")
		delimiter := rapid.SampledFrom([]string{"", "/", "//", "/x"}).Draw(t, "delimiter")
		after := rapid.SampledFrom([]string{"", "a", "a/", "a/b", "b/x/y", "b", "zz"}).Draw(t, "after")
		limit := rapid.Int32Range(1, 20).Draw(t, "limit")
		in := &sdk.ListObjectsV2Input{Bucket: aws.String("lake"), Prefix: &prefix, MaxKeys: &limit}
		if delimiter != "" {
			in.Delimiter = &delimiter
		}
		if after != "" {
			in.StartAfter = &after
		}
		var got []string
		pages := sdk.NewListObjectsV2Paginator(l.Client, in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if *page.KeyCount > 0 {
				got = append(got, merged(page.Contents, page.CommonPrefixes))
			}
		}
		if want := listed(keys, prefix, delimiter, after, int(limit)); strings.Join(got, " | ") != want {
			t.Errorf("(-want +got):\n%s", cmp.Diff(want, strings.Join(got, " | ")))
		}
	})
}

func TestAListingOfTheFirstVersionGoesOnAfterItsMarker(t *testing.T) {
	l := start(t, allow)
	for i := range 5 {
		l.put(t, "claim-check", fmt.Sprintf("d%d/k", i), "x")
	}
	in := &sdk.ListObjectsInput{Bucket: aws.String("claim-check"), Delimiter: aws.String("/"), MaxKeys: aws.Int32(2)}
	var got []string
	for {
		out, err := l.ListObjects(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, merged(out.Contents, out.CommonPrefixes))
		if !aws.ToBool(out.IsTruncated) {
			break
		}
		in.Marker = out.NextMarker
	}
	if diff := cmp.Diff("<d0/> <d1/> | <d2/> <d3/> | <d4/>", strings.Join(got, " | ")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestVersionsAreListedNewestFirst(t *testing.T) {
	l := start(t, allow)
	names := map[string]string{}
	for _, version := range []string{"a.1", "b.1", "a.2", "a.3"} {
		key, _, _ := strings.Cut(version, ".")
		names[l.put(t, "lake", key, version)] = version
	}
	marker, err := l.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: aws.String("lake"), Key: aws.String("b")})
	if err != nil {
		t.Fatal(err)
	}
	names[*marker.VersionId] = "b.marker"
	for _, limit := range []int32{1, 2, 10} {
		in := &sdk.ListObjectVersionsInput{Bucket: aws.String("lake"), MaxKeys: &limit}
		found := map[string]string{}
		var order []string
		for {
			out, err := l.ListObjectVersions(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range out.DeleteMarkers {
				found[names[*v.VersionId]] = fmt.Sprintf("%s latest=%t", names[*v.VersionId], *v.IsLatest)
				order = append(order, names[*v.VersionId])
			}
			for _, v := range out.Versions {
				found[names[*v.VersionId]] = fmt.Sprintf("%s latest=%t", names[*v.VersionId], *v.IsLatest)
				order = append(order, names[*v.VersionId])
			}
			if !aws.ToBool(out.IsTruncated) {
				break
			}
			in.KeyMarker, in.VersionIdMarker = out.NextKeyMarker, out.NextVersionIdMarker
		}
		want := []string{"a.1 latest=false", "a.2 latest=false", "a.3 latest=true", "b.1 latest=false", "b.marker latest=true"}
		if diff := cmp.Diff(want, slices.Sorted(maps.Values(found))); diff != "" || len(order) != 5 {
			t.Errorf("%d a page: %d entries (-want +got):\n%s", limit, len(order), diff)
		}
		if first := []string{"a.3", "a.2", "a.1"}; limit == 1 && !slices.Equal(order[:3], first) {
			t.Errorf("the order is %v", order)
		}
	}
}

func TestKeysThatXMLCannotHoldAreListedEncoded(t *testing.T) {
	l := start(t, allow)
	l.put(t, "lake", "bell\a&<é b", "x")
	body, err := io.ReadAll(l.raw(t, "GET", "/lake?list-type=2&encoding-type=url", nil, "").Body)
	if want := "<Key>bell%07%26%3C%C3%A9+b</Key>"; err != nil || !strings.Contains(string(body), want) {
		t.Errorf("the listing is %s, %v", body, err)
	}
}
