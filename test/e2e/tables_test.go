package e2e_test

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
	"hl7lake/operate"
	"hl7lake/tables"
)

// rootsOf are the roots of a table's rows in the tables' bucket, sorted.
func (l *lake) rootsOf(t *testing.T, table string) (roots []string) {
	t.Helper()
	l.rowsOf(t, table, func(r *tables.Reader, row []any) {
		roots = append(roots, row[slices.Index(r.Columns, "root")].(string))
	})
	slices.Sort(roots)
	return roots
}

// rowsOf calls yield with each row that a table in the tables' bucket has of the
// scenario's institution.
func (l *lake) rowsOf(t *testing.T, table string, yield func(r *tables.Reader, row []any)) {
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
			yield(r, row)
		}
	}
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

func TestTheTablesAreReadInTheCharacterSetInWhichAMessageWasStagedLast(t *testing.T) {
	l := start(t)
	c := l.client(t, l.admin(t))
	ids := l.accepted(t, c, []byte("MSH|^~\\&|A|B|||2026||ADT^A01|CHARSET|P|2.5\rPID|1||1||\xbc\r"))
	names := func() (all []string) {
		if done, err := l.operator(t).Tabulate(t.Context()); err != nil || !done.Complete {
			t.Fatalf("%+v, %v", done, err)
		}
		l.rowsOf(t, "patients", func(r *tables.Reader, row []any) {
			name, _ := row[slices.Index(r.Columns, "family_name")].(string)
			all = append(all, name)
		})
		return all
	}
	names()
	l.replay(t, operate.Selection{IDs: ids, Charset: "iso-8859-5"}, false)
	eventually(t, "the message is staged again", func() bool {
		history, err := c.History(t.Context(), ids[0])
		return err == nil && len(history.Steps) == 3
	})
	if got := names(); !slices.Equal(got, []string{"М"}) {
		t.Errorf("the names are %q", got)
	}
}

func TestTheIdentityPoolOpensAnInstitutionsTablesToItsReadersOnly(t *testing.T) {
	l := start(t)
	sent := 0
	for _, owner := range []string{"north", "south"} {
		sender := l.client(t, l.user(t, client.User{Email: "sender-of-" + owner + "@example.org", Read: client.Institutions{owner}, Write: owner}))
		sent += len(l.accepted(t, sender, admission(1)))
	}
	eventually(t, "the lake holds all", func() bool { return len(l.keys(t, client.Ingestion)) == sent })
	if done, err := l.operator(t).Tabulate(t.Context()); err != nil || done.Messages != sent {
		t.Fatalf("%+v, %v: want %d messages", done, err, sent)
	}
	bucket := l.output(t, client.OutputTables)
	all, err := l.s3().ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket})
	if err != nil {
		t.Fatal(err)
	}
	for name, reads := range map[string]client.Institutions{
		"one": {"north"}, "another": {"south"}, "both": {"elsewhere", "south", "north"}, "others": {"nort", "north2", "*"}, "nobody": nil,
	} {
		token, err := l.user(t, client.User{Email: "reads-tables-of-" + name + "@example.org", Read: reads, Write: "north"})(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		key, err := l.session(t.Context(), t, token)
		if err != nil {
			t.Fatal(err)
		}
		as := l.s3As(key, *key.SessionToken)
		allowed := func(err error) bool {
			if err != nil && code(err) != "AccessDenied" {
				t.Errorf("%s: %v", name, err)
			}
			return err == nil
		}
		opened := 0
		for _, object := range all.Contents {
			_, rest, _ := strings.Cut(*object.Key, "/source=")
			source, _, folder := strings.Cut(rest, "/")
			got, err := as.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: object.Key})
			opens := allowed(err)
			if opens {
				opened++
				_ = got.Body.Close()
			}
			if want := folder && slices.Contains(reads, source); opens != want {
				t.Errorf("%s opens %s: %v", name, *object.Key, opens)
			}
		}
		if (opened > 0) != (name == "one" || name == "another" || name == "both") {
			t.Errorf("%s opens %d files", name, opened)
		}
		for prefix, of := range map[string]string{
			"observations/source=north/": "north", "patients/source=south/date=": "south", "": "-", "patients/": "-", "patients/source=": "-",
		} {
			_, err := as.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
			if got := allowed(err); got != slices.Contains(reads, of) {
				t.Errorf("%s lists %q: %v", name, prefix, got)
			}
		}
	}
}
