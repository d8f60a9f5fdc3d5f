package edge_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hl7lake/client"
	"hl7lake/edge"
	"hl7lake/edge/config"
	"hl7lake/edge/mllp"
	"hl7lake/edge/queue"
	"hl7lake/hl7"
)

// patience limits every wait of a test.
const patience = 20 * time.Second

// lakeServer is an API that answers messages by what their MSH-3 says: an HTTP status, or
// nothing for 201.
type lakeServer struct {
	*httptest.Server
	away atomic.Bool // answers 503

	mu     sync.Mutex
	bodies []string // taken, in their order
	seen   map[string]bool
}

func newLake(t *testing.T) *lakeServer {
	t.Helper()
	l := &lakeServer{seen: map[string]bool{}}
	l.Server = httptest.NewServer(http.HandlerFunc(l.post))
	t.Cleanup(l.Close)
	return l
}

func (l *lakeServer) post(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	status := http.StatusCreated
	if header, ok := hl7.Peek(body); ok {
		_, _ = fmt.Sscan(header.SendingApplication, &status)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.away.Load():
		w.Header().Set("Retry-After", "0")
		status = http.StatusServiceUnavailable
	case status == http.StatusCreated && l.seen[string(body)]:
		status = http.StatusConflict
	case status == http.StatusCreated:
		l.seen[string(body)] = true
		l.bodies = append(l.bodies, string(body))
	}
	w.WriteHeader(status)
	if status < http.StatusBadRequest || status == http.StatusConflict {
		fmt.Fprint(w, `{"id":"1"}`)
		return
	}
	fmt.Fprintf(w, `{"code":"no","detail":"The lake says %d."}`, status)
}

// taken returns what the lake has, in the order in which it came.
func (l *lakeServer) taken() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.bodies...)
}

// configuration returns one with a listener on a free port.
func configuration(t *testing.T) config.Config {
	t.Helper()
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	if err := queue.WriteKey(key); err != nil {
		t.Fatal(err)
	}
	return config.Config{
		Data: filepath.Join(dir, "data"), KeyFile: key, Status: "127.0.0.1:0", Queue: config.Queue{MaxMessages: 1000, MaxBytes: 1 << 20},
		Listeners: []config.Listener{{
			Name: "adt", Address: "127.0.0.1:0", Ack: config.Queued, MaxMessage: 64 << 10, MaxConnections: 8, Idle: config.Duration(patience),
		}},
	}
}

// running is a running edge.
type running struct {
	*edge.Edge
	log  *bytes.Buffer // to be read after stop
	stop func()        // and waits
}

// run runs an edge until the test ends or it is stopped.
func run(t *testing.T, c config.Config, to *lakeServer) *running {
	t.Helper()
	r := &running{log: new(bytes.Buffer)}
	var err error
	r.Edge, err = edge.Open(t.Context(), c, edge.Options{
		Target: func(config.Listener) (*client.Client, error) { return client.New(to.URL, client.Token("t")) },
		Log:    slog.New(slog.NewTextHandler(r.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

// engine is a connection of one.
type engine struct {
	net.Conn
	t       *testing.T
	answers *bufio.Reader
}

func connect(t *testing.T, to net.Addr) *engine {
	t.Helper()
	conn, err := net.Dial("tcp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	return engineOn(t, conn)
}

func engineOn(t *testing.T, conn net.Conn) *engine {
	t.Helper()
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &engine{conn, t, bufio.NewReader(conn)}
}

func (e *engine) send(stream string) {
	e.t.Helper()
	if _, err := io.WriteString(e, stream); err != nil {
		e.t.Fatal(err)
	}
}

// answer reads an acknowledgment and returns its MSA-1 and MSA-2, or the error of the
// connection if there is none.
func (e *engine) answer() string {
	e.t.Helper()
	frame, err := e.answers.ReadBytes(0x1c)
	if err != nil {
		return err.Error()
	}
	if _, err := e.answers.Discard(1); err != nil {
		e.t.Fatal(err)
	}
	m, err := hl7.Parse(frame)
	if err != nil {
		e.t.Fatalf("%q: %v", frame, err)
	}
	return m.Get("MSA-1") + " " + m.Get("MSA-2")
}

// message returns one in original mode. A lakeServer answers what its MSH-3 says.
func message(id, status string) string {
	return `MSH|^~\&|` + status + `|HERE|LAKE|THERE|20260102||ADT^A01|` + id + "|T|2.5.1\rPID|1||" + id + "^^^HERE^MR||Sample^Sue\r"
}

func framed(messages ...string) string {
	var stream []byte
	for _, m := range messages {
		stream = mllp.AppendFrame(stream, []byte(m))
	}
	return string(stream)
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

func TestAMessageIsAcknowledgedWhenItIsQueuedAndDeliveredUnchanged(t *testing.T) {
	lake := newLake(t)
	r := run(t, configuration(t), lake)
	e := connect(t, r.Listeners()[0].Addr())
	want := message("1", "")
	if e.send(framed(want)); e.answer() != "AA 1" {
		t.Error("not AA 1")
	}
	eventually(t, "delivered", func() bool { return len(lake.taken()) == 1 })
	if got := lake.taken()[0]; got != want {
		t.Errorf("delivered %q", got)
	}
	eventually(t, "removed", func() bool { return r.Health().Listeners[0].Queued == 0 })
}

// TestEveryFrameThatEndsIsAnsweredOnceAndInOrder sends what engines and networks can make
// of frames.
func TestEveryFrameThatEndsIsAnsweredOnceAndInOrder(t *testing.T) {
	a, b := message("A", ""), message("B", "")
	for name, test := range map[string]struct {
		stream  string
		answers string
		taken   []string
	}{
		"several at once":           {framed(a, b), "AA A,AA B", []string{a, b}},
		"noise between":             {"hello" + framed(a) + "\r\n???" + framed(b), "AA A,AA B", []string{a, b}},
		"begun again":               {"\v" + a[:40] + framed(a), "AA A", []string{a}},
		"begun again, whole":        {"\v" + a + framed(b), "AA B", []string{b}},
		"a VT in a value":           {framed(a + "NTE|1||x\vy\r"), "AA A", []string{a + "NTE|1||x\vy\r"}},
		"nothing in it":             {framed("") + framed(b), "AE ,AA B", []string{b}},
		"text":                      {framed("hello") + framed(b), "AE ,AA B", []string{b}},
		"delimiters missing":        {framed("MSH|A|B|\rPID|1\r") + framed(b), "AE ,AA B", []string{b}},
		"two messages in a frame":   {framed(a+b) + framed(b), "AE A,AA B", []string{b}},
		"too large":                 {framed(a+"NTE|1||"+strings.Repeat("x", 70<<10)) + framed(b), "AE A,AA B", []string{b}},
		"no CR behind FS":           {strings.TrimSuffix(framed(a), "\r") + framed(b), "AA A,AA B", []string{a, b}},
		"no end":                    {framed(a) + "\v" + b, "AA A", []string{a}},
		"another set of delimiters": {framed(strings.NewReplacer("|", "!", "^", "@").Replace(a)), "AA A", []string{strings.NewReplacer("|", "!", "^", "@").Replace(a)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lake := newLake(t)
			e := connect(t, run(t, configuration(t), lake).Listeners()[0].Addr())
			for half := range strings.SplitAfterSeq(test.stream, "20260102") { // in pieces, as networks do
				e.send(half)
			}
			if err := e.Conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			var answers []string
			for {
				answer := e.answer()
				if answer == io.EOF.Error() {
					break
				}
				answers = append(answers, answer)
			}
			if got := strings.Join(answers, ","); got != test.answers {
				t.Errorf("answered %q, want %q", got, test.answers)
			}
			eventually(t, "delivered", func() bool { return len(lake.taken()) == len(test.taken) })
			for i, got := range lake.taken() {
				if got != test.taken[i] {
					t.Errorf("delivered %q, want %q", got, test.taken[i])
				}
			}
		})
	}
}

func TestWhatTheLakeCannotTakeNowIsKeptInItsOrderOverARestart(t *testing.T) {
	lake := newLake(t)
	lake.away.Store(true)
	c := configuration(t)
	first := run(t, c, lake)
	e := connect(t, first.Listeners()[0].Addr())
	var want []string
	for n := range 50 {
		want = append(want, message(fmt.Sprint(n), ""))
		if e.send(framed(want[n])); e.answer() != fmt.Sprintf("AA %d", n) {
			t.Fatal("not acknowledged")
		}
	}
	first.stop()
	lake.away.Store(false)
	run(t, c, lake)
	eventually(t, "delivered", func() bool { return len(lake.taken()) == len(want) })
	if got := strings.Join(lake.taken(), ""); got != strings.Join(want, "") {
		t.Error("in another order")
	}
}

// TestWithLanesEachPatientsMessagesStayInOrder sends messages of several patients to a
// lake that is away for a while.
func TestWithLanesEachPatientsMessagesStayInOrder(t *testing.T) {
	lake := newLake(t)
	lake.away.Store(true)
	c := configuration(t)
	c.Listeners[0].Lanes = 4
	r := run(t, c, lake)
	e := connect(t, r.Listeners()[0].Addr())
	want := map[string][]string{} // by patient
	for n := range 60 {
		patient := fmt.Sprint(n % 7)
		m := strings.Replace(message(fmt.Sprint(n), ""), fmt.Sprintf("||%d^", n), "||"+patient+"^", 1)
		want[patient] = append(want[patient], m)
		if e.send(framed(m)); e.answer() != fmt.Sprintf("AA %d", n) {
			t.Fatal("not acknowledged")
		}
	}
	lake.away.Store(false)
	eventually(t, "delivered", func() bool { return len(lake.taken()) == 60 })
	got := map[string][]string{}
	for _, m := range lake.taken() {
		parsed, err := hl7.Parse([]byte(m))
		if err != nil {
			t.Fatal(err)
		}
		got[parsed.Get("PID-3")] = append(got[parsed.Get("PID-3")], m)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	eventually(t, "removed", func() bool { return r.Health().Listeners[0].Queued == 0 })
}
