package e2e_test

import (
	"bytes"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
	"hl7lake/tables"
)

// rootsOf are the roots of a table's rows in the tables' bucket, sorted.
func (l *lake) rootsOf(t *testing.T, table string) (roots []string) {
	t.Helper()
	bucket, prefix := l.output(t, client.OutputTables), table+"/source="+scenario.Institution+"/"
	out, err := l.s3().ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range out.Contents {
		got, err := l.s3().GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: object.Key})
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(got.Body)
		if err != nil {
			t.Fatal(err)
		}
		r, err := tables.NewReader(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		for row, err := range r.Rows() {
			if err != nil {
				t.Fatal(err)
			}
			roots = append(roots, row[slices.Index(r.Columns, "root")].(string))
		}
	}
	slices.Sort(roots)
	return roots
}

func TestTheTablesHaveEachMessageOnce(t *testing.T) {
	l := start(t)
	c := l.client(t, l.admin(t))
	want := slices.Clone(l.accepted(t, c, admission(1), admission(2), []byte("a line of text")))
	slices.Sort(want)
	eventually(t, "the lake holds all", func() bool { return len(l.keys(t, client.Ingestion)) == len(want) })
	for range 2 { // again changes nothing
		if done, err := l.operator(t).Tabulate(t.Context()); err != nil || !done.Complete || done.Conflicts > 0 {
			t.Fatalf("%+v, %v", done, err)
		}
		if diff := cmp.Diff(want, l.rootsOf(t, "messages")); diff != "" {
			t.Errorf("messages, -want +got:\n%s", diff)
		}
		if got := l.rootsOf(t, "patients"); len(got) != 2 {
			t.Errorf("%d patients, want 2", len(got))
		}
	}
	day := time.Now().UTC().Truncate(24 * time.Hour)
	done, err := l.operator(t).RebuildTables(t.Context(), day.AddDate(0, 0, -1), day.AddDate(0, 0, 1))
	if err != nil || done.Messages != len(want) {
		t.Errorf("%+v, %v: want %d messages", done, err, len(want))
	}
	if diff := cmp.Diff(want, l.rootsOf(t, "messages")); diff != "" {
		t.Errorf("rebuilt, -want +got:\n%s", diff)
	}
}
