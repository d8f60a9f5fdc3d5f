package operate

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/client"
)

// Tabulated is what runs of the function tabulate did.
type Tabulated struct {
	Hours     int  `json:"hours"`     // whose tables were made, each of one institution
	Messages  int  `json:"messages"`  // in these
	Conflicts int  `json:"conflicts"` // hours that another run was at, which are left to the next one
	Complete  bool `json:"complete"`  // false if the function's time ran out
}

func (t *Tabulated) add(more Tabulated) {
	t.Hours += more.Hours
	t.Messages += more.Messages
	t.Conflicts += more.Conflicts
	t.Complete = more.Complete
}

// ErrTabulating says that a run of tabulate is already under way. There is only one at a
// time, and the schedule may have started it.
var ErrTabulating = errors.New("a run of tabulate is under way")

// tabulateRuns is how many runs one call starts at most. One that is not complete has
// taken a quarter of an hour.
const tabulateRuns = 8

// Tabulate brings the lake's tables up to date, in as many runs of the function as that
// takes, up to eight. The error is ErrTabulating, a *FunctionError, or an error of the
// call.
func (o *Operator) Tabulate(ctx context.Context) (Tabulated, error) {
	var all Tabulated
	for range tabulateRuns {
		done, err := o.tabulate(ctx, struct{}{})
		all.add(done)
		if err != nil || done.Complete {
			return all, err
		}
	}
	return all, nil
}

// RebuildTables makes the tables of messages anew that were accepted from one time on and
// before another: of whole hours, in UTC. It does so day by day, a run of the function
// for each, and ends at the first that is not complete. The errors are those of Tabulate.
func (o *Operator) RebuildTables(ctx context.Context, from, to time.Time) (Tabulated, error) {
	all := Tabulated{Complete: true}
	for from = from.UTC(); from.Before(to) && all.Complete; {
		end := from.Truncate(24*time.Hour).AddDate(0, 0, 1)
		if to.Before(end) {
			end = to
		}
		done, err := o.tabulate(ctx, struct {
			From time.Time `json:"from"`
			To   time.Time `json:"to"`
		}{from, end.UTC()})
		if err != nil {
			return all, err
		}
		all.add(done)
		from = end
	}
	return all, nil
}

// tabulate is one run of the function.
func (o *Operator) tabulate(ctx context.Context, request any) (Tabulated, error) {
	return runFunction[Tabulated](ctx, o, client.OutputTabulate, request, ErrTabulating)
}

// A TableFile is one file in the tables' bucket.
type TableFile struct {
	Key  string
	Size int64 // in bytes
}

// TableFiles lists the files in the tables' bucket whose keys begin with a prefix, in the
// order of their keys. An error ends the iteration.
func (o *Operator) TableFiles(ctx context.Context, prefix string) iter.Seq2[TableFile, error] {
	return func(yield func(TableFile, error) bool) {
		bucket, err := o.outputs.Get(client.OutputTables)
		if err != nil {
			yield(TableFile{}, err)
			return
		}
		pages := s3.NewListObjectsV2Paginator(o.objects, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(TableFile{}, err)
				return
			}
			for _, object := range page.Contents {
				if !yield(TableFile{Key: aws.ToString(object.Key), Size: aws.ToInt64(object.Size)}, nil) {
					return
				}
			}
		}
	}
}

// ReadTable writes the content of a file in the tables' bucket. It is of one moment, even
// if tabulate replaces the file meanwhile.
func (o *Operator) ReadTable(ctx context.Context, key string, to io.Writer) error {
	bucket, err := o.outputs.Get(client.OutputTables)
	if err != nil {
		return err
	}
	out, err := o.objects.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return err
	}
	defer out.Body.Close()
	_, err = io.Copy(to, out.Body)
	return err
}
