package hub_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"hl7lake/internal/hub"
)

func TestAStreamIsTheBodyHoweverItIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		topic, sns, buckets := newTopic()
		buckets.EndWithData = rapid.Bool().Draw(t, "the end comes with the last bytes")
		size := rapid.SampledFrom([]int{1, 1000, (64 << 10), hub.MaxInline + 1, 2 << 20}).Draw(t, "size")
		body := bytes.Repeat([]byte{rapid.Byte().Draw(t, "byte"), 'x', '\r'}, size/3+1)[:size]
		if err := topic.Publish(t.Context(), ingested(body)); err != nil {
			t.Fatal(err)
		}
		e, s, err := topic.ClaimCheck.Stream(t.Context(), hub.FromSNS(sns.Deliveries().Records[0].SNS))
		if err != nil || e.Body != nil || s.Size() != int64(size) {
			t.Fatal(err, len(e.Body), s.Size())
		}
		defer s.Close()
		for range rapid.IntRange(1, 3).Draw(t, "times") {
			if rapid.Bool().Draw(t, "begun") {
				if _, err := s.Read(make([]byte, 10)); err != nil && !errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
			}
			if at, err := s.Seek(0, io.SeekEnd); err != nil || at != int64(size) {
				t.Fatal(at, err)
			}
			if at, err := s.Seek(0, io.SeekStart); err != nil || at != 0 {
				t.Fatal(at, err)
			}
			var reader io.Reader = s
			if rapid.Bool().Draw(t, "in halves") {
				reader = iotest.HalfReader(s)
			}
			if got, err := io.ReadAll(reader); err != nil || !bytes.Equal(got, body) {
				t.Fatalf("%d of %d bytes, %v", len(got), size, err)
			}
		}
	})
}

func TestAStreamOfOtherContentIsNeverComplete(t *testing.T) {
	body := bytes.Repeat([]byte("OBX|1\r"), 50_000)
	for name, changed := range map[string][]byte{
		"shorter": body[:len(body)-1], "longer": append(bytes.Clone(body), '\r'), "another byte": append([]byte("M"), body[1:]...), "empty": {},
	} {
		t.Run(name, func(t *testing.T) {
			topic, sns, buckets := newTopic()
			if err := topic.Publish(t.Context(), ingested(body)); err != nil {
				t.Fatal(err)
			}
			buckets.Change(buckets.Names()[0], changed)
			_, s, err := topic.ClaimCheck.Stream(t.Context(), hub.FromSNS(sns.Deliveries().Records[0].SNS))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			got, err := io.ReadAll(s)
			if !errors.Is(err, hub.ErrContent) || !errors.Is(s.Err(), hub.ErrContent) || len(got) >= len(body) {
				t.Errorf("%d of %d bytes, %v", len(got), len(body), err)
			}
		})
	}
}
