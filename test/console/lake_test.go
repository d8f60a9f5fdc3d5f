// Package console tries the console in a browser: Chromium, without a window, on a lake
// that runs from its committed templates. What a person sees is asked of the
// accessibility tree, by role and name, as a screen reader asks. Axe judges every view,
// and whatever the browser keeps or passes on is searched for patient data.
//
// With -screenshots, the pictures of all views are left in a folder, to be looked at.
package console_test

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"time"

	"hl7lake/client"
	"hl7lake/internal/testing/running"
	"hl7lake/internal/testing/testbed"
	"hl7lake/local"
	"hl7lake/local/store"
)

// patience limits every wait of a test. It is much longer than any step takes.
var patience = flag.Duration("patience", 30*time.Second, "the longest that a test waits for something to happen")

// lake is a lake that runs for one test.
type lake struct {
	*local.Lake
	connection client.Connection
	pool       *client.Pool
}

// start runs the committed templates until the test ends.
func start(t testing.TB, tests ...testbed.Options) *lake {
	t.Helper()
	return startFrom(t, "", tests...)
}

// startFrom is start with the templates of a folder, or the committed ones if it is
// empty.
func startFrom(t testing.TB, templates string, tests ...testbed.Options) *lake {
	t.Helper()
	o := local.Options{Assembly: templates, Dir: t.TempDir(), Addr: "127.0.0.1:0", Durability: store.Fleeting}
	l := &lake{}
	l.Lake, l.connection = running.Lake(t, o, tests...)
	var err error
	if l.pool, err = l.connection.Pool(nil); err != nil {
		t.Fatal(err)
	}
	return l
}

// account is a user with a password.
type account struct {
	client.User
	password string
}

// user creates a user.
func (l *lake) user(t testing.TB, u client.User) account {
	t.Helper()
	a := account{u, client.NewPassword()}
	if err := l.pool.Add(t.Context(), u, a.password); err != nil {
		t.Fatal(err)
	}
	return a
}

// client is the API as the user sees it.
func (l *lake) client(t testing.TB, a account) *client.Client {
	t.Helper()
	c, err := l.connection.Client(l.pool.SignIn(a.Email, a.password))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// send sends a message and waits until it has ended.
func (l *lake) send(t testing.TB, c *client.Client, m client.Message) client.History {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), *patience)
	defer cancel()
	receipt, err := c.Send(ctx, m)
	if err != nil {
		t.Fatal(err)
	}
	history, err := c.Wait(ctx, receipt.ID)
	if err != nil {
		t.Fatalf("message %s: %v", receipt.ID, err)
	}
	return history
}

// admission is an ADT^A01, each number another.
func admission(n int) []byte {
	return fmt.Appendf(nil, "MSH|^~\\&|APP|HERE|LAKE|THERE|20260102030405||ADT^A01|%d|T|2.5.1\rPID|1||%[1]d^^^HERE^MR||Sample^Sue\r", n)
}

func (l *lake) output(t testing.TB, name string) string {
	t.Helper()
	value, err := l.connection.Outputs.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	return value
}
