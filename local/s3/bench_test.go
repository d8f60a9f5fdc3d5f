package s3_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/local/store"
)

// Puts of a message of 2 KB by writers at the same time, into a bucket with few and into
// one with many objects.
func BenchmarkPutObject(b *testing.B) {
	for _, held := range []int{1_000, 20_000} {
		b.Run(fmt.Sprintf("held=%d", held), func(b *testing.B) {
			l := serve(b, b.TempDir(), store.Durable, allow)
			content := strings.Repeat("x", 2<<10)
			var n atomic.Int64
			put := func() {
				i := n.Add(1)
				_, err := l.PutObject(b.Context(), &sdk.PutObjectInput{
					Bucket: aws.String("lake"), Key: aws.String(fmt.Sprintf("ingestion/date=2026-11-%02d/%d.er7", i%30, i)),
					Body: strings.NewReader(content), IfNoneMatch: aws.String("*"),
				})
				if err != nil {
					b.Error(err)
				}
			}
			b.SetParallelism(16)
			fill(b, held, put)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					put()
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "puts/s")
		})
	}
}

// fill calls put that many times, from several writers.
func fill(b *testing.B, count int, put func()) {
	b.Helper()
	done := make(chan struct{})
	const writers = 32
	for range writers {
		go func() {
			for range count / writers {
				put()
			}
			done <- struct{}{}
		}()
	}
	for range writers {
		<-done
	}
}
