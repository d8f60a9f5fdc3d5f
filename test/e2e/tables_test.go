package e2e_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
	"hl7lake/internal/contract"
	"hl7lake/internal/testing/altered"
	"hl7lake/local"
	"hl7lake/local/store"
	"hl7lake/operate"
	"hl7lake/tables"
)

// TestAReaderOfTheTablesSeesEachMessageOnceBesideRebuildsAndReplays reads the table of
// messages again and again, through S3 and, as DuckDB does here, from the disk. Meanwhile
// all tables are made anew and all messages are published again.
func TestAReaderOfTheTablesSeesEachMessageOnceBesideRebuildsAndReplays(t *testing.T) {
	o := local.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", Durability: store.Fleeting}
	t.Parallel()
	l := startWith(t, o)
	var bodies [][]byte
	for n := range 12 {
		bodies = append(bodies, admission(n))
	}
	want := slices.Sorted(slices.Values(l.accepted(t, l.client(t, l.admin(t)), bodies...)))
	eventually(t, "the lake holds all", func() bool { return len(l.keys(t, client.Ingestion)) == len(want) })
	operator := l.operator(t)
	if _, err := operator.Tabulate(t.Context()); err != nil {
		t.Fatal(err)
	}

	const rebuilds = 8
	day := time.Now().UTC().Truncate(24 * time.Hour)
	work, ctx := errgroup.WithContext(t.Context())
	work.Go(func() error {
		for range rebuilds {
			done, err := operator.RebuildTables(ctx, day.AddDate(0, 0, -1), day.AddDate(0, 0, 2))
			if err != nil {
				return err
			}
			if done.Messages != len(want) {
				return fmt.Errorf("rebuild: %+v", done)
			}
		}
		return nil
	})
	work.Go(func() error {
		return operator.Replay(ctx, operate.Selection{Owner: scenario.Institution}, false, func(operate.Replayed) {})
	})
	ended := make(chan error, 1)
	go func() { ended <- work.Wait() }()
	for reads := 0; ; reads++ {
		for from, got := range map[string][]string{"S3": l.rootsOf(t, "messages"), "the disk": l.rootsOnDisk(t, o.Dir)} {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("read %d from %s, -want +got:\n%s", reads, from, diff)
			}
		}
		select {
		case err := <-ended:
			if err != nil || reads < rebuilds {
				t.Errorf("after %d reads: %v", reads, err)
			}
			return
		default:
		}
	}
}

// rootsOnDisk are the roots of the rows of the table of messages in a lake's folder,
// sorted.
func (l *lake) rootsOnDisk(t *testing.T, dir string) (roots []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "s3", l.output(t, client.OutputTables), "messages", "*", "*", "*", tables.FileName))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		eachRow(t, content, func(r *tables.Reader, row []any) {
			roots = append(roots, row[slices.Index(r.Columns, "root")].(string))
		})
	}
	slices.Sort(roots)
	return roots
}

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
		eachRow(t, content, yield)
	}
}

// eachRow calls yield with each row of a table's file.
func eachRow(t *testing.T, file []byte, yield func(r *tables.Reader, row []any)) {
	t.Helper()
	r, err := tables.NewReader(bytes.NewReader(file), int64(len(file)))
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

// TestTheTwinOfTheTablesHoldsNothingThatWasSent runs dev with the twin: what a message
// says of its patient is in no file of it, and pseudonyms stay after a restart.
func TestTheTwinOfTheTablesHoldsNothingThatWasSent(t *testing.T) {
	t.Parallel()
	options := local.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", Durability: store.Fleeting}
	options.Assembly = altered.Together(t, "../snapshots/dev", "../testdata/dev-deidentified")
	l := startWith(t, options)
	l.admin(t)
	const patient = "MSH|^~\\&|A|B|||2026||ADT^A01|%d|P|2.5\rPID|1||TWIN-4711||Canary^Carla||19501112|F\r"
	tabulated := func(n int) (pseudonym string) {
		root := l.accepted(t, l.client(t, l.again(t)), fmt.Appendf(nil, patient, n))[0]
		if done, err := l.operator(t).Tabulate(t.Context()); err != nil || !done.Complete {
			t.Fatalf("%+v, %v", done, err)
		}
		rows := 0
		for _, table := range tables.Deidentified() {
			l.rowsOf(t, contract.TablesDeid+"/"+table.Name, func(r *tables.Reader, row []any) {
				text := fmt.Sprint(row...)
				for _, sent := range []string{"Canary", "Carla", "TWIN-4711", "1950-11-12", root, time.Now().UTC().Format(time.DateOnly)} {
					if strings.Contains(text, sent) {
						t.Errorf("%s has %s", table.Name, sent)
					}
				}
				if table.Name == "patients" {
					rows++
					pseudonym = row[slices.Index(r.Columns, "patient_id")].(string)
				}
			})
		}
		if rows != n {
			t.Errorf("%d patients, want %d", rows, n)
		}
		return pseudonym
	}
	first := tabulated(1)
	l.stop(t)
	l = startWith(t, options)
	if second := tabulated(2); second != first {
		t.Errorf("the pseudonym was %s and is %s", first, second)
	}
}
