package load_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"hl7lake/client"
	"hl7lake/internal/hub"
)

// sender sends messages that differ from all before.
type sender struct {
	lake *lake
	sent atomic.Int64
}

// send posts n messages, from that many clients at once and all institutions, and returns
// how long each took to be accepted, in the order of their acceptance.
func (s *sender) send(ctx context.Context, n, clients int) ([]time.Duration, error) {
	var mu sync.Mutex
	took := make([]time.Duration, 0, n)
	var left atomic.Int64
	left.Store(int64(n))
	group, ctx := errgroup.WithContext(ctx)
	for n := range clients {
		engine := s.lake.engines[n%institutions]
		group.Go(func() error {
			for left.Add(-1) >= 0 {
				body := message(int(s.sent.Add(1)))
				begin := time.Now()
				receipt, err := engine.Send(ctx, client.Message{Body: body})
				if err != nil {
					return err
				}
				if receipt.Duplicate {
					return fmt.Errorf("a new message was taken for a duplicate of %s", receipt.ID)
				}
				mu.Lock()
				took = append(took, time.Since(begin))
				mu.Unlock()
			}
			return nil
		})
	}
	return took, group.Wait()
}

// filed is an entry of the catalog: whose message it is, when it was received and when
// the object was written.
type filed struct {
	owner             string
	received, written time.Time
}

// staged lists the catalog's entries of JSON objects that were received at or after a
// time, in the order of their writing.
func (l *lake) staged(ctx context.Context, from time.Time) ([]filed, error) {
	table, err := l.Outputs.Get(client.OutputCatalog)
	if err != nil {
		return nil, err
	}
	pages := dynamodb.NewScanPaginator(dynamodb.NewFromConfig(l.config()), &dynamodb.ScanInput{
		TableName:                &table,
		FilterExpression:         aws.String("#zone = :staging"),
		ProjectionExpression:     aws.String("#root, #owner, written"),
		ExpressionAttributeNames: map[string]string{"#root": "root", "#owner": "owner", "#zone": "zone"},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":staging": &types.AttributeValueMemberS{Value: string(client.Staging)},
		},
	})
	var entries []filed
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		var items []struct {
			Root    string    `dynamodbav:"root"`
			Owner   string    `dynamodbav:"owner"`
			Written time.Time `dynamodbav:"written"`
		}
		if err := attributevalue.UnmarshalListOfMaps(page.Items, &items); err != nil {
			return nil, err
		}
		for _, item := range items {
			root, err := uuid.Parse(item.Root)
			if err != nil {
				return nil, err
			}
			if received := hub.Received(root); !received.Before(from.Truncate(time.Millisecond)) {
				entries = append(entries, filed{item.Owner, received, item.Written})
			}
		}
	}
	slices.SortFunc(entries, func(a, b filed) int { return a.written.Compare(b.written) })
	return entries, nil
}

// allStaged waits until n messages that were received at or after a time are JSON. It
// asks seldom, so that asking takes little of what is measured.
func (l *lake) allStaged(ctx context.Context, from time.Time, n int) ([]filed, error) {
	for last := -1; ; {
		begin := time.Now()
		entries, err := l.staged(ctx, from)
		if err != nil {
			return nil, err
		}
		if len(entries) >= n {
			return entries, nil
		}
		if len(entries) > last {
			last = len(entries)
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), patience)
			defer cancel()
		}
		select {
		case <-time.After(200*time.Millisecond + 10*time.Since(begin)):
		case <-ctx.Done():
			return nil, fmt.Errorf("%d of %d messages became JSON: %w", len(entries), n, ctx.Err())
		}
	}
}

// percentile returns the value that p percent of the values do not exceed.
func percentile(values []time.Duration, p int) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)*p/100]
}

// BenchmarkMessages sends messages and waits until every one is JSON in the lake. Time
// per operation covers everything from the first post to the last object.
func BenchmarkMessages(b *testing.B) {
	// Removed at the very end: a file system that has just removed many files may be slow
	// to make new ones.
	dir, lakes := b.TempDir(), 0
	for _, clients := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			lakes++
			l := startIn(b, filepath.Join(dir, strconv.Itoa(lakes)))
			s := &sender{lake: l}
			warmUp(b, s, clients)
			before, begin := usageOf(l.process.Process.Pid), time.Now()
			sender, _ := readStat(os.Getpid())
			b.ResetTimer()
			took, err := s.send(b.Context(), b.N, clients)
			if err != nil {
				b.Fatal(err)
			}
			entries, err := l.allStaged(b.Context(), begin, b.N)
			if err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			all := entries[len(entries)-1].written.Sub(begin)
			spent := usageOf(l.process.Process.Pid).since(before)
			sent, _ := readStat(os.Getpid())
			b.ReportMetric(float64(b.N)/all.Seconds(), "messages/s")
			b.ReportMetric(milliseconds(percentile(took, 50)), "ms-post-p50")
			b.ReportMetric(milliseconds(percentile(took, 99)), "ms-post-p99")
			b.ReportMetric(milliseconds(percentile(ages(entries), 50)), "ms-staged-p50")
			b.ReportMetric(milliseconds(spent.Lake)/float64(b.N), "ms-cpu-lake/op")
			b.ReportMetric(milliseconds(spent.Functions)/float64(b.N), "ms-cpu-functions/op")
			b.ReportMetric(milliseconds(sent.own-sender.own)/float64(b.N), "ms-cpu-sender/op")
			b.ReportMetric(float64(spent.Instances), "instances")
		})
	}
}

// warmUp makes the lake start its functions.
func warmUp(t testing.TB, s *sender, clients int) {
	t.Helper()
	begin := time.Now()
	n := max(4*clients, 20)
	if _, err := s.send(t.Context(), n, clients); err != nil {
		t.Fatal(err)
	}
	if _, err := s.lake.allStaged(t.Context(), begin, n); err != nil {
		t.Fatal(err)
	}
}

// ages returns how long each message took.
func ages(entries []filed) (all []time.Duration) {
	for _, e := range entries {
		all = append(all, e.written.Sub(e.received))
	}
	return all
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

var count = flag.Int("load", 200, "send so many messages in TestTheLastMessageIsAsQuickAsTheFirst")

// long is how many messages it takes until a trend can be distinguished from chance.
const long = 10_000

// TestTheLastMessageIsAsQuickAsTheFirst sends messages from eight clients and compares
// the tenths of the run. In its short form it shows that every message becomes JSON; with
// -load 100000 also that rate and memory stay constant.
func TestTheLastMessageIsAsQuickAsTheFirst(t *testing.T) {
	l := start(t)
	s := &sender{lake: l}
	warmUp(t, s, 8)
	watch := l.watch()
	begin := time.Now()
	took, err := s.send(t.Context(), *count, 8)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := l.allStaged(t.Context(), begin, *count)
	if err != nil {
		t.Fatal(err)
	}
	samples := watch()
	if len(entries) != *count {
		t.Fatalf("%d of %d messages are JSON", len(entries), *count)
	}
	var rates []float64
	from := begin
	for i := range 10 {
		low, high := i**count/10, (i+1)**count/10
		until := entries[high-1].written
		rates = append(rates, float64(high-low)/until.Sub(from).Seconds())
		now := samples[(len(samples)-1)*(i+1)/10]
		t.Logf("tenth %2d: %5.0f messages/s, accepted in %s, staged in %s (medians); lake %d MB, %d instances %d MB",
			i+1, rates[i], percentile(took[low:high], 50).Round(time.Millisecond), percentile(ages(entries[low:high]), 50).Round(time.Millisecond),
			now.LakeMemory>>20, now.Instances, now.FunctionMemory>>20)
		from = until
	}
	if *count < long {
		return
	}
	if first, last := rates[1], rates[9]; last < first*0.7 {
		t.Errorf("%.0f messages a second at first, %.0f at last", first, last)
	}
	memory := func(u usage) int64 { return u.LakeMemory + u.FunctionMemory }
	third := len(samples) / 3
	early, late := highest(samples[:third], memory), highest(samples[2*third:], memory)
	if late > early*5/4 {
		t.Errorf("memory grows from %d to %d MB", early>>20, late>>20)
	}
}

func highest(samples []usage, of func(usage) int64) (most int64) {
	for _, u := range samples {
		most = max(most, of(u))
	}
	return most
}

// watch takes samples of the lake's usage until the returned function is called.
func (l *lake) watch() func() []usage {
	var samples []usage
	var watching sync.WaitGroup
	ended := make(chan struct{})
	watching.Go(func() {
		for {
			samples = append(samples, usageOf(l.process.Process.Pid))
			select {
			case <-time.After(time.Second):
			case <-ended:
				return
			}
		}
	})
	return func() []usage {
		close(ended)
		watching.Wait()
		return samples
	}
}
