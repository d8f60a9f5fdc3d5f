package edge_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// connections are those that are open, to be cut.
type connections struct {
	mu   sync.Mutex
	open map[net.Conn]bool
}

func (c *connections) add(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[conn] = true
}

func (c *connections) close(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, conn)
	conn.Close()
}

// cut closes all connections, in the middle of whatever they carry.
func (c *connections) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		conn.Close()
	}
}

// newNetwork passes on to an address until the test ends.
func newNetwork(t *testing.T, to string) *network {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &network{listener: listener, connections: connections{open: map[net.Conn]bool{}}}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { n.pass(from, to) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		n.cut()
		running.Wait()
	})
	return n
}

// pass copies both ways until one side ends.
func (n *network) pass(from net.Conn, address string) {
	n.add(from)
	defer n.close(from)
	to, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	n.add(to)
	defer n.close(to)
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(from, to) // it ends when either is cut
		from.Close()
	})
	_, _ = io.Copy(to, from)
	to.Close()
	back.Wait()
}
