package edge_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hl7lake/client"
	"hl7lake/edge"
	"hl7lake/edge/queue"
	"hl7lake/internal/testing/subprocess"
)

// institution is whose messages are sent.
const institution = "st-elsewhere"

// site is an edge in front of a lake, each in a process of its own, with networks between
// them that cut connections.
type site struct {
	lake, edge         *process
	toEdge, toLake     *network
	dir                string // of the edge
	connection         client.Connection
	status             string // address of the edge's
	engineUserPassword string
}

// newSite starts a lake, makes the edge's user and starts the edge.
func newSite(t *testing.T) *site {
	t.Helper()
	lakeDir := t.TempDir()
	s := &site{lake: newProcess(t, asLake+"="+lakeDir), dir: t.TempDir(), status: subprocess.FreeAddress(t)}
	s.lake.environment = append(s.lake.environment, asLakeAddr+"="+s.lake.addr)
	if err := s.lake.start(); err != nil {
		t.Fatal(err)
	}
	var err error
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if s.connection, err = client.ReadConnection(filepath.Join(lakeDir, connectionFile)); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	s.addUser(t)
	s.edge = newProcess(t, asEdge+"="+filepath.Join(s.dir, "edge.yaml"), password+"="+s.engineUserPassword)
	s.toLake, s.toEdge = newNetwork(t, s.lake.addr), newNetwork(t, s.edge.addr)
	s.configure(t)
	if err := s.edge.start(); err != nil {
		t.Fatal(err)
	}
	return s
}

const engineUser = "engine@example.org"

func (s *site) addUser(t *testing.T) {
	t.Helper()
	pool, err := s.connection.Pool(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.engineUserPassword = client.NewPassword()
	if err := pool.Add(t.Context(), client.User{Email: engineUser, Write: institution}, s.engineUserPassword); err != nil {
		t.Fatal(err)
	}
}

// configure writes the edge's files. Its lake is behind the network.
func (s *site) configure(t *testing.T) {
	t.Helper()
	behind := s.connection
	behind.Endpoint = s.through(t, s.connection.Endpoint)
	behind.Outputs = client.Outputs{}
	for stack, outputs := range s.connection.Outputs {
		behind.Outputs[stack] = map[string]string{}
		for name, value := range outputs {
			if name == client.OutputAPI {
				value = s.through(t, value)
			}
			behind.Outputs[stack][name] = value
		}
	}
	text := fmt.Sprintf(`data: data
key_file: edge.key
status: %s
lake: {connection: connection.json}
credentials: {user: %s, password_env: %s}
listeners:
  - {name: adt, address: %q, institution: %s, lanes: %d}
`, s.status, engineUser, password, s.edge.addr, institution, *lanes)
	if err := os.WriteFile(filepath.Join(s.dir, "edge.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := behind.Write(filepath.Join(s.dir, connectionFile)); err != nil {
		t.Fatal(err)
	}
	if err := queue.WriteKey(filepath.Join(s.dir, "edge.key")); err != nil {
		t.Fatal(err)
	}
}

// through is an address of the lake by way of the network.
func (s *site) through(t *testing.T, address string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	parsed.Host = s.toLake.listener.Addr().String()
	return parsed.String()
}

// health asks the edge how it does.
func (s *site) health() (h edge.Health, err error) {
	response, err := http.Get("http://" + s.status + "/healthz")
	if err != nil {
		return h, err
	}
	defer response.Body.Close()
	return h, json.NewDecoder(response.Body).Decode(&h)
}

// drained waits until the edge's queue is empty, as long as it grows shorter.
func (s *site) drained(t *testing.T) {
	t.Helper()
	last, deadline := int64(-1), time.Now().Add(patience)
	for ; ; time.Sleep(50 * time.Millisecond) {
		h, err := s.health()
		if err == nil && h.Listeners[0].Queued == 0 {
			return
		}
		if err == nil && h.Listeners[0].Queued != last {
			last, deadline = h.Listeners[0].Queued, time.Now().Add(patience)
		}
		if time.Now().After(deadline) {
			t.Fatalf("the queue does not grow shorter: %+v, %v", h, err)
		}
	}
}

// network passes connections on to an address, and cuts them.
type network struct {
	listener net.Listener
	connections
}
