package main

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/client"
)

func TestPermissionsAreAddedAndTakenOneByOne(t *testing.T) {
	pool, ctx := pool(t), t.Context()
	const email = "analyst@example.org"
	if err := pool.Add(ctx, client.User{Email: email, Read: client.Institutions{"a", "b"}}, client.NewPassword()); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name  string
		do    func() (client.User, error)
		read  client.Institutions
		write string
		err   error
	}{
		{"two more", func() (client.User, error) {
			return pool.Grant(ctx, email, client.Permissions{Read: []string{"c", "d"}})
		}, client.Institutions{"a", "b", "c", "d"}, "", nil},
		{"one that there is", func() (client.User, error) {
			return pool.Grant(ctx, email, client.Permissions{Read: []string{"c"}, Write: "a"})
		}, client.Institutions{"a", "b", "c", "d"}, "a", nil},
		{"a fifth", func() (client.User, error) { return pool.Grant(ctx, email, client.Permissions{Read: []string{"e"}}) }, client.Institutions{"a", "b", "c", "d"}, "a", client.ErrTooMany},
		{"another to send for", func() (client.User, error) { return pool.Grant(ctx, email, client.Permissions{Write: "b"}) }, client.Institutions{"a", "b", "c", "d"}, "a", client.ErrWritesOther},
		{"one taken", func() (client.User, error) { return pool.Revoke(ctx, email, client.Permissions{Read: []string{"b"}}) }, client.Institutions{"a", "c", "d"}, "a", nil},
		{"one that was never given", func() (client.User, error) {
			return pool.Revoke(ctx, email, client.Permissions{Read: []string{"a", "z"}})
		},
			client.Institutions{"a", "c", "d"}, "a", client.ErrNotGranted},
		{"sending for another", func() (client.User, error) { return pool.Revoke(ctx, email, client.Permissions{Write: "c"}) }, client.Institutions{"a", "c", "d"}, "a", client.ErrNotGranted},
		{"the place is free again", func() (client.User, error) { return pool.Grant(ctx, email, client.Permissions{Read: []string{"e"}}) }, client.Institutions{"a", "e", "c", "d"}, "a", nil},
		{"all", func() (client.User, error) {
			return pool.Revoke(ctx, email, client.Permissions{Read: []string{"a", "c", "d", "e"}, Write: "a"})
		}, nil, "", nil},
	} {
		_, err := step.do()
		if !errors.Is(err, step.err) {
			t.Errorf("%s: %v, want %v", step.name, err, step.err)
		}
		got, err := pool.Find(ctx, email)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(client.User{Email: email, Read: step.read, Write: step.write, Status: "CONFIRMED"}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
	if _, err := pool.Grant(ctx, "nobody@example.org", client.Permissions{Read: []string{"a"}}); !errors.Is(err, client.ErrNoUser) {
		t.Error(err)
	}
}

func TestADisabledUserSignsInNoMoreAndIsEnabledAgain(t *testing.T) {
	pool, ctx := pool(t), t.Context()
	password := client.NewPassword()
	if err := pool.Add(ctx, client.User{Email: "a@example.org", Read: client.Institutions{"a"}}, password); err != nil {
		t.Fatal(err)
	}
	if err := pool.Disable(ctx, "a@example.org"); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.SignIn("a@example.org", password)(ctx); err == nil {
		t.Error("a disabled user signs in")
	}
	if user, err := pool.Find(ctx, "a@example.org"); !user.Disabled || err != nil {
		t.Error(user, err)
	}
	if err := pool.Enable(ctx, "a@example.org"); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.SignIn("a@example.org", password)(ctx); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func() error{
		"disable": func() error { return pool.Disable(ctx, "nobody@example.org") },
		"enable":  func() error { return pool.Enable(ctx, "nobody@example.org") },
	} {
		if err := change(); !errors.Is(err, client.ErrNoUser) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTheCommandsSayWhatAUserMayDoAndForHowLongTheRestWorks calls the commands as they
// are typed.
func TestTheCommandsSayWhatAUserMayDoAndForHowLongTheRestWorks(t *testing.T) {
	dir := t.TempDir()
	if err := poolConnection(t).Write(filepath.Join(dir, connectionFile)); err != nil {
		t.Fatal(err)
	}
	const goes = " What was given out before still works: a token at the API for 15 minutes at most, credentials for S3 for an hour at most.\n"
	for _, step := range []struct {
		arguments string
		status    int
		out, err  string // what each has to hold, in one line
	}{
		{"add a@example.org --read st-elsewhere", statusDone, "", "The password of a@example.org, shown this once:"},
		{"grant a@example.org --read lakeside,general", statusDone, "a@example.org reads st-elsewhere, lakeside, general and sends for nobody.\n", ""},
		{"grant a@example.org --read x,y", statusRefused, "", "a user can read 4 institutions at most Revoke one, or add a second user"},
		{"grant a@example.org --write st-elsewhere", statusDone, "a@example.org reads st-elsewhere, lakeside, general and sends for st-elsewhere.\n", ""},
		{"grant a@example.org --write lakeside", statusRefused, "", "the user sends for another institution, and a user can send for one only Revoke that"},
		{"revoke a@example.org --read lakeside,general", statusDone, "a@example.org reads st-elsewhere and sends for st-elsewhere." + goes, ""},
		{"grant a@example.org --operate lakeside", statusDone, "a@example.org reads st-elsewhere, sends for st-elsewhere and operates for lakeside.\n", ""},
		{"grant a@example.org --operate general", statusRefused, "", "the user operates for another institution, and a user can operate for one only Revoke that"},
		{"list", statusDone, "operates for lakeside", ""},
		{"revoke a@example.org --operate general", statusRefused, "", "the user does not have this permission Nothing was changed."},
		{"revoke a@example.org --operate lakeside", statusDone, "a@example.org reads st-elsewhere and sends for st-elsewhere." + goes, ""},
		{"revoke a@example.org --read lakeside", statusRefused, "", "the user does not have this permission Nothing was changed."},
		{"revoke a@example.org", statusUnusable, "", "no institution is named"},
		{"grant a@example.org --read ../x", statusUnusable, "", `"../x" is not a name of an institution`},
		{"grant b@example.org --read x", statusRefused, "", "there is no user with this e-mail address"},
		{"disable a@example.org", statusDone, "a@example.org is disabled; enabled, the user reads st-elsewhere and sends for st-elsewhere." + goes, ""},
		{"list", statusDone, "a@example.org  reads st-elsewhere and sends for st-elsewhere  disabled", ""},
		{"enable a@example.org", statusDone, "a@example.org reads st-elsewhere and sends for st-elsewhere.\n", ""},
		{"list", statusDone, "a@example.org  reads st-elsewhere and sends for st-elsewhere  CONFIRMED", ""},
		{"disable b@example.org", statusRefused, "", "there is no user with this e-mail address"},
	} {
		got := call(t, nil, "", append([]string{"users", "--dir", dir}, strings.Fields(step.arguments)...)...)
		flat := func(text string) string { return strings.Join(strings.Fields(text), " ") }
		if got.Status != step.status || !strings.Contains(flat(got.Out), flat(step.out)) || !strings.Contains(flat(got.Err), flat(step.err)) {
			t.Errorf("%s: %+v, want %+v", step.arguments, got, step)
		}
	}
	got := call(t, nil, "", "users", "revoke", "a@example.org", "--write", "st-elsewhere", "--json", "--dir", dir)
	var change userChange
	if err := json.Unmarshal([]byte(got.Out), &change); err != nil {
		t.Fatal(err, got)
	}
	want := userChange{client.User{Email: "a@example.org", Read: client.Institutions{"st-elsewhere"}, Status: "CONFIRMED"}, 900, 3600}
	if diff := cmp.Diff(want, change); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
