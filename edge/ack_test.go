package edge_test

// This file is about acknowledgements: when one is given, and what becomes of a message
// that gets another.

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"hl7lake/client"
	"hl7lake/edge"
	"hl7lake/edge/config"
	"hl7lake/edge/quarantine"
	"hl7lake/edge/queue"
)

// enhanced returns message with MSH-15 and MSH-16.
func enhanced(id, status, accept, application string) string {
	return strings.Replace(message(id, status), "|T|2.5.1\r", "|T|2.5.1|||"+accept+"|"+application+"\r", 1)
}

func TestTheAnswerIsTheOneThatTheMessageAsksFor(t *testing.T) {
	for _, test := range []struct {
		name    string
		mode    config.AckMode
		message string
		want    string // the answers, in order
	}{
		{"original, queued", config.Queued, message("1", ""), "AA 1"},
		{"original, queued, refused by the lake", config.Queued, message("1", "400"), "AA 1"},
		{"original, delivered", config.Delivered, message("1", ""), "AA 1"},
		{"original, delivered, a duplicate", config.Delivered, message("1", "409"), "AA 1"},
		{"original, delivered, refused by the lake", config.Delivered, message("1", "400"), "AE 1"},
		{"enhanced, both", config.Queued, enhanced("1", "", "AL", "AL"), "CA 1,AA 1"},
		{"enhanced, both, refused by the lake", config.Queued, enhanced("1", "400", "AL", "AL"), "CA 1,AE 1"},
		{"enhanced, accept alone", config.Delivered, enhanced("1", "", "AL", "NE"), "CA 1"},
		{"enhanced, application alone", config.Queued, enhanced("1", "", "NE", "AL"), "AA 1"},
		{"enhanced, application errors alone", config.Queued, enhanced("1", "", "NE", "ER"), ""},
		{"enhanced, application errors alone, refused by the lake", config.Queued, enhanced("1", "400", "NE", "ER"), "AE 1"},
		{"enhanced, none", config.Delivered, enhanced("1", "", "NE", "NE"), ""},
		{"enhanced, two in a frame", config.Queued, enhanced("1", "", "AL", "AL") + message("2", ""), "CE 1"},
		{"enhanced, two in a frame, nothing wanted", config.Queued, enhanced("1", "", "NE", "NE") + message("2", ""), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := configuration(t)
			c.Listeners[0].Ack = test.mode
			r := run(t, c, newLake(t))
			e := connect(t, r.Listeners()[0].Addr())
			e.send(framed(test.message))
			if test.want != "" {
				for want := range strings.SplitSeq(test.want, ",") {
					if got := e.answer(); got != want {
						t.Fatalf("answered %q, want %q", got, want)
					}
				}
			}
			eventually(t, "delivered", func() bool { return r.Health().Listeners[0].Queued == 0 })
			e.send(framed("")) // it is answered, and nothing before it
			if got := e.answer(); got != "AE " {
				t.Errorf("answered %q as well", got)
			}
		})
	}
}

func TestAMessageIsAcknowledgedAsKeptBeforeAsDelivered(t *testing.T) {
	r := run(t, configuration(t), newLake(t))
	e := connect(t, r.Listeners()[0].Addr())
	for i := range 300 { // the lake answers at once, now and then before the edge does
		id := strconv.Itoa(i)
		e.send(framed(enhanced(id, "", "AL", "AL")))
		if first, second := e.answer(), e.answer(); first != "CA "+id || second != "AA "+id {
			t.Fatalf("answered %q, then %q", first, second)
		}
	}
}

func TestWithAckDeliveredNothingIsAnsweredWhileTheLakeIsAway(t *testing.T) {
	lake := newLake(t)
	lake.away.Store(true)
	c := configuration(t)
	c.Listeners[0].Ack = config.Delivered
	r := run(t, c, lake)
	e := connect(t, r.Listeners()[0].Addr())
	e.send(framed(message("1", "")))
	eventually(t, "queued", func() bool { return r.Health().Listeners[0].Queued == 1 })
	if err := e.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := e.answers.Read(make([]byte, 1)); err == nil {
		t.Fatalf("answered %d bytes", n)
	}
	lake.away.Store(false)
	if err := e.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if got := e.answer(); got != "AA 1" {
		t.Errorf("answered %q", got)
	}
}

func TestWhatTheLakeRefusesForGoodIsInQuarantineAndTheNextFollows(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			lake, c := newLake(t), configuration(t)
			r := run(t, c, lake)
			e := connect(t, r.Listeners()[0].Addr())
			refused, next := message("1", fmt.Sprint(status)), message("2", "")
			e.send(framed(refused, next))
			eventually(t, "delivered", func() bool { return len(lake.taken()) == 1 })
			folder := quarantineOf(t, c)
			entries, err := folder.List()
			if err != nil || len(entries) != 1 || entries[0].Status != status || entries[0].Detail != fmt.Sprintf("The lake says %d.", status) {
				t.Fatalf("%+v, %v", entries, err)
			}
			if _, body, err := folder.Read(entries[0].Name); err != nil || string(body) != refused {
				t.Errorf("%q, %v", body, err)
			}
		})
	}
}

func quarantineOf(t *testing.T, c config.Config) quarantine.Folder {
	t.Helper()
	key, err := queue.ReadKey(c.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := edge.OpenQuarantine(c, key)
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// TestWhatIsNotTheMessagesFaultWaits answers with failures that are not the messages'
// fault.
func TestWhatIsNotTheMessagesFaultWaits(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusInternalServerError} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			lake := newLake(t)
			r := run(t, configuration(t), lake)
			e := connect(t, r.Listeners()[0].Addr())
			e.send(framed(message("1", fmt.Sprint(status)), message("2", "")))
			eventually(t, "told", func() bool { return strings.Contains(r.Health().Listeners[0].Trouble, fmt.Sprint(status)) })
			eventually(t, "queued", func() bool { return r.Health().Listeners[0].Queued == 2 })
			if len(lake.taken()) > 0 || r.Health().Status != "ok" {
				t.Errorf("%+v; the lake has %q", r.Health(), lake.taken())
			}
		})
	}
}

func TestAFullQueueAcknowledgesNothingAndTakesMessagesAgainOnceThereIsRoom(t *testing.T) {
	lake, c := newLake(t), configuration(t)
	lake.away.Store(true)
	c.Queue.MaxMessages = 2
	r := run(t, c, lake)
	e := connect(t, r.Listeners()[0].Addr())
	e.send(framed(message("1", ""), message("2", ""), message("3", "")))
	for _, want := range []string{"AA 1", "AA 2", io.EOF.Error()} {
		if got := e.answer(); got != want {
			t.Fatalf("answered %q, want %q", got, want)
		}
	}
	if code, body := r.status(t, "/healthz"); code != http.StatusServiceUnavailable || !strings.Contains(body, `"full"`) {
		t.Errorf("%d %s", code, body)
	}
	lake.away.Store(false)
	eventually(t, "delivered", func() bool { return r.Health().Status == "ok" })
	again := connect(t, r.Listeners()[0].Addr())
	if again.send(framed(message("3", ""))); again.answer() != "AA 3" {
		t.Error("not taken")
	}
}

func (r *running) status(t *testing.T, path string) (code int, body string) {
	t.Helper()
	response, err := http.Get("http://" + r.StatusAddr().String() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestOnlyThoseWhoAreAllowedConnectAndNotTooManyOfThem(t *testing.T) {
	t.Run("another address", func(t *testing.T) {
		c := configuration(t)
		c.Listeners[0].Allow = []config.Prefix{config.Prefix(netip.MustParsePrefix("10.0.0.0/8"))}
		e := connect(t, run(t, c, newLake(t)).Listeners()[0].Addr())
		if n, err := e.Read(make([]byte, 1)); err == nil {
			t.Errorf("read %d bytes", n)
		}
	})
	t.Run("too many", func(t *testing.T) {
		c := configuration(t)
		c.Listeners[0].MaxConnections = 1
		c.Listeners[0].Allow = []config.Prefix{config.Prefix(netip.MustParsePrefix("127.0.0.0/8"))}
		r := run(t, c, newLake(t))
		first := connect(t, r.Listeners()[0].Addr())
		if first.send(framed(message("1", ""))); first.answer() != "AA 1" {
			t.Error("the first is not answered")
		}
		if n, err := connect(t, r.Listeners()[0].Addr()).Read(make([]byte, 1)); err == nil {
			t.Errorf("read %d bytes", n)
		}
		first.Close()
		eventually(t, "left", func() bool { return r.Health().Listeners[0].Connections == 0 })
		next := connect(t, r.Listeners()[0].Addr())
		if next.send(framed(message("2", ""))); next.answer() != "AA 2" {
			t.Error("the next is not answered")
		}
	})
	t.Run("one that says nothing", func(t *testing.T) {
		c := configuration(t)
		c.Listeners[0].Idle = config.Duration(50 * time.Millisecond)
		e := connect(t, run(t, c, newLake(t)).Listeners()[0].Addr())
		e.send("\vMSH|^~\\&|") // and no more
		if got := e.answer(); got != io.EOF.Error() {
			t.Errorf("answered %q", got)
		}
	})
}

func TestTheMetricsAreOfWhatHappened(t *testing.T) {
	lake := newLake(t)
	r := run(t, configuration(t), lake)
	e := connect(t, r.Listeners()[0].Addr())
	e.send(framed(message("1", ""), message("1", ""), message("2", "400"), "text") + "noise" + framed(message("3", "")) + "\v" + message("4", "")[:9] + framed(message("5", "")))
	for range 6 {
		e.answer()
	}
	eventually(t, "delivered", func() bool { return r.Health().Listeners[0].Queued == 0 })
	_, text := r.status(t, "/metrics")
	for _, want := range []string{
		`received_total{listener="adt"} 6`, `acknowledged_total{code="AA",listener="adt"} 5`, `acknowledged_total{code="AE",listener="adt"} 1`,
		`refused_total{listener="adt"} 1`, `noise_bytes_total{listener="adt"} 5`, `torn_total{listener="adt"} 1`,
		`delivered_total{duplicate="false",listener="adt"} 3`, `delivered_total{duplicate="true",listener="adt"} 1`,
		`quarantined_total{listener="adt"} 1`, `quarantine_messages 1`, `queue_messages{listener="adt"} 0`, `queue_oldest_seconds{listener="adt"} 0`,
		`connections{listener="adt"} 1`, `delivery_seconds_count{listener="adt"} 4`,
	} {
		if !strings.Contains(text, "lake_edge_"+want+"\n") {
			t.Errorf("no %s", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
	r.stop()
	for _, where := range []string{text, r.log.String()} {
		if strings.Contains(where, "Sample") || strings.Contains(where, "PID") || strings.Contains(where, "ADT") {
			t.Errorf("content of a message: %s", where)
		}
	}
}

func TestWhatIsQueuedOfAListenerThatIsGoneIsToldAtTheStart(t *testing.T) {
	lake, c := newLake(t), configuration(t)
	lake.away.Store(true)
	r := run(t, c, lake)
	e := connect(t, r.Listeners()[0].Addr())
	if e.send(framed(message("1", ""))); e.answer() != "AA 1" {
		t.Fatal("not acknowledged")
	}
	r.stop()
	c.Listeners[0].Name = "other"
	_, err := edge.Open(t.Context(), c, edge.Options{
		Target: func(config.Listener) (*client.Client, error) { return client.New(lake.URL, client.Token("t")) }, Log: quiet,
	})
	if err == nil || !strings.Contains(err.Error(), "1 messages of the listener adt") {
		t.Error(err)
	}
}

func TestAnEdgeThatCannotStartLeavesNothingOpen(t *testing.T) {
	c := configuration(t)
	c.Listeners = append(c.Listeners, c.Listeners[0])
	c.Listeners[1].Name, c.Listeners[1].Address = "taken", newLake(t).Listener.Addr().String()
	options := edge.Options{
		Target: func(config.Listener) (*client.Client, error) {
			return client.New("http://127.0.0.1:1", client.Token("t"))
		}, Log: quiet,
	}
	if _, err := edge.Open(t.Context(), c, options); err == nil || !strings.Contains(err.Error(), "listener taken") {
		t.Fatal(err)
	}
	c.Listeners = c.Listeners[:1]
	e, err := edge.Open(t.Context(), c, options) // it would find the queue in use
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := e.Run(ctx); err != nil {
		t.Error(err)
	}
}
