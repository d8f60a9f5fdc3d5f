package edge_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"hl7lake/client"
	"hl7lake/edge/mllp"
	"hl7lake/hl7"
	"hl7lake/internal/pause"
)

// engines is how many send at once, and pace how long each waits between two messages:
// more than the lake on this machine takes would only make the queue longer.
const (
	engines = 8
	pace    = 150 * time.Millisecond
)

// patients is how many patients the messages of each engine are about.
const patients = 5

// ledger is what the engines know: how often each of their messages was acknowledged.
type ledger struct {
	mu           sync.Mutex
	acknowledged map[string]int // by body; 0 for one that was sent and has no answer yet
	resent       atomic.Int64
}

func (l *ledger) note(body string, acknowledged int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acknowledged[body] += acknowledged
}

// TestTheLedgerOfWhatWasAcknowledgedIsThatOfTheLake has engines send messages, each until
// it is acknowledged, while the edge, the lake and connections are killed. Then each that
// was acknowledged is in the lake exactly once, and no other more than once. Those of a
// patient are in the order in which they were sent.
func TestTheLedgerOfWhatWasAcknowledgedIsThatOfTheLake(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a lake, and kills it")
	}
	s := newSite(t)
	l := &ledger{acknowledged: map[string]int{}}
	sending, stop := context.WithTimeout(t.Context(), *ledgerFor)
	defer stop()
	var running sync.WaitGroup
	for n := range engines {
		running.Go(func() { s.engine(sending, l, n) })
	}
	kills := s.havoc(sending, t)
	running.Wait()
	s.drained(t)
	inOrder := s.kept(t)
	kept := map[string]int{}
	for _, body := range inOrder {
		kept[body]++
	}
	lost, twice, unknown := 0, 0, 0
	for body, times := range l.acknowledged {
		if times > 0 && kept[body] == 0 {
			lost++
		}
		if kept[body] > 1 {
			twice++
		}
	}
	for body := range kept {
		if _, sent := l.acknowledged[body]; !sent {
			unknown++
		}
	}
	t.Logf("sent %d, sent again %d times, kept %d; kills and cuts: %v", len(l.acknowledged), l.resent.Load(), len(kept), kills)
	if lost+twice+unknown > 0 || len(l.acknowledged) < engines {
		t.Errorf("lost %d, twice %d, never sent %d\nedge: %s", lost, twice, unknown, s.edge.output.String())
	}
	if n := overtaken(t, inOrder); n > 0 {
		t.Errorf("%d messages of a patient were accepted after a later one", n)
	}
}

// overtaken counts the messages that were accepted after one that the same engine sent
// later about the same patient.
func overtaken(t *testing.T, inOrder []string) (count int) {
	t.Helper()
	last := map[string]int{} // by engine and patient
	for _, body := range inOrder {
		m, err := hl7.Parse([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		_, number, _ := strings.Cut(m.ControlID(), "-")
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		whose := m.Get("PID-3.1")
		if n < last[whose] {
			count++
		}
		last[whose] = max(last[whose], n)
	}
	return count
}

// havoc kills and cuts, in rounds of all kinds in random order, until ctx ends, and
// leaves all running. It returns what it did.
func (s *site) havoc(ctx context.Context, t *testing.T) map[string]int {
	t.Helper()
	random := rand.New(rand.NewPCG(*seed, 0))
	kinds := []struct {
		name string
		do   func()
	}{
		{"edge killed", func() { s.restart(t, s.edge, s.edge.kill) }},
		{"edge ended", func() { s.restart(t, s.edge, func() { s.end(t) }) }},
		{"lake killed", func() { s.restart(t, s.lake, s.lake.kill) }},
		{"engines cut", s.toEdge.cut},
		{"lake cut", s.toLake.cut},
	}
	done := map[string]int{}
	for {
		for _, n := range random.Perm(len(kinds)) {
			if pause.For(ctx, time.Duration(50+random.IntN(500))*time.Millisecond) != nil {
				return done
			}
			kinds[n].do()
			done[kinds[n].name]++
		}
	}
}

func (s *site) end(t *testing.T) {
	t.Helper()
	if err := s.edge.end(); err != nil {
		t.Error(err)
	}
}

func (s *site) restart(t *testing.T, p *process, end func()) {
	t.Helper()
	end()
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
}

// engine sends messages, each until it is acknowledged, until ctx ends.
func (s *site) engine(ctx context.Context, l *ledger, number int) {
	var link *link
	for n := 0; ctx.Err() == nil; n++ {
		time.Sleep(pace) // the lake takes its time
		body := fmt.Sprintf("MSH|^~\\&|E%d|HERE|LAKE|THERE|20260102030405||ADT^A01|%[1]d-%d|T|2.5.1\rPID|1||%[1]d.%d^^^HERE^MR||Sample^Sue\r", number, n, n%patients)
		if n%100 == 99 { // one that takes many packets
			body += "NTE|1||" + strings.Repeat("x", 200<<10) + "\r"
		}
		l.note(body, 0)
		for attempt := 0; ctx.Err() == nil; attempt++ {
			if attempt > 0 {
				l.resent.Add(1)
				time.Sleep(20 * time.Millisecond)
			}
			if link == nil {
				link = s.dial()
			}
			if link != nil && link.send(body) == nil {
				l.note(body, 1)
				break
			}
			link = link.close()
		}
	}
	link.close()
}

// link is an engine's connection.
type link struct {
	conn    net.Conn
	answers *bufio.Reader
}

func (s *site) dial() *link {
	conn, err := net.Dial("tcp", s.toEdge.listener.Addr().String())
	if err != nil {
		return nil
	}
	return &link{conn, bufio.NewReader(conn)}
}

func (l *link) close() *link {
	if l != nil {
		l.conn.Close()
	}
	return nil
}

// send sends a message and waits for its AA.
func (l *link) send(body string) error {
	if err := l.conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	if _, err := l.conn.Write(mllp.AppendFrame(nil, []byte(body))); err != nil {
		return err
	}
	frame, err := l.answers.ReadBytes(0x1c)
	if err != nil {
		return err
	}
	ack, err := hl7.Parse(bytes.TrimLeft(frame, "\r"))
	if err != nil {
		return err
	}
	if header, ok := hl7.Peek([]byte(body)); !ok || ack.Get("MSA-1") != "AA" || ack.Get("MSA-2") != header.ControlID {
		return errors.New("another answer")
	}
	return nil
}

// kept returns each content that is in the lake, as it was accepted, in the order of
// acceptance, which is that of the keys.
func (s *site) kept(t *testing.T) []string {
	t.Helper()
	bucket, err := s.connection.Outputs.Get(client.OutputLake)
	if err != nil {
		t.Fatal(err)
	}
	api := s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: &s.connection.Endpoint, UsePathStyle: true,
		Credentials: client.StaticCredentials(s.connection.Credentials.AccessKeyID, s.connection.Credentials.SecretAccessKey),
	})
	s.filed(t, api, bucket)
	keys := keysOf(t, api, bucket)
	all := make([]string, len(keys))
	reading, ctx := errgroup.WithContext(t.Context())
	reading.SetLimit(16)
	for i, key := range keys {
		reading.Go(func() error {
			object, err := api.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
			if err != nil {
				return err
			}
			defer object.Body.Close()
			body, err := io.ReadAll(object.Body)
			all[i] = string(body)
			return err
		})
	}
	if err := reading.Wait(); err != nil {
		t.Fatal(err)
	}
	return all
}

// filed waits until the writer has filed what was accepted: until no key was added for a
// while.
func (s *site) filed(t *testing.T, api *s3.Client, bucket string) {
	t.Helper()
	const quiet = 5 * time.Second
	last, since := -1, time.Now()
	for deadline := time.Now().Add(patience); time.Since(since) < quiet; time.Sleep(500 * time.Millisecond) {
		if n := len(keysOf(t, api, bucket)); n != last {
			last, since = n, time.Now()
		}
		if time.Now().After(deadline) {
			t.Fatal("the lake goes on filing")
		}
	}
}

func keysOf(t *testing.T, api *s3.Client, bucket string) (keys []string) {
	t.Helper()
	pages := s3.NewListObjectsV2Paginator(api, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: aws.String("ingestion/")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range page.Contents {
			keys = append(keys, *object.Key)
		}
	}
	return keys
}
