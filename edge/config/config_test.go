package config_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hl7lake/edge/config"
)

// read writes text into a file and reads that as a configuration.
func read(t *testing.T, text string) (config.Config, string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "edge.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Read(path)
	return c, path, err
}

const least = `data: data
key_file: /etc/lake/edge.key
lake: {outputs: outputs.json}
credentials: {user: engine@example.org, password_file: password}
listeners:
  - {name: adt, address: ":2575"}
`

func TestTheDefaultsAreFilledInAndPathsAreThoseOfTheFilesFolder(t *testing.T) {
	c, path, err := read(t, least)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(path)
	credentials := config.Credentials{User: "engine@example.org", Password: filepath.Join(dir, "password")}
	want := config.Config{
		Data: filepath.Join(dir, "data"), KeyFile: "/etc/lake/edge.key", Lake: config.Location{Outputs: filepath.Join(dir, "outputs.json")},
		Queue: config.Queue{MaxMessages: 10_000_000, MaxBytes: 20 << 30}, Credentials: credentials,
		Listeners: []config.Listener{{
			Name: "adt", Address: ":2575", Ack: config.Queued, Lanes: 1, MaxMessage: 4 << 20, MaxConnections: 256, Idle: config.Duration(time.Hour),
			Credentials: &credentials,
		}},
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
}

func TestEverySettingIsRead(t *testing.T) {
	c, path, err := read(t, `data: /var/lib/lake
key_file: edge.key
status: 127.0.0.1:9464
queue: {max_messages: 2_000_000, max_bytes: 5 GB}
lake: {connection: connection.json}
listeners:
  - name: lab-1
    address: 10.0.0.1:2575
    institution: st-elsewhere
    credentials: {user: lab@example.org, password_env: LAB_PASSWORD}
    charset: iso-8859-1
    ack: delivered
    lanes: 8
    allow: [10.1.0.0/16, 10.2.3.4, "fd00::/8"]
    max_message: 512 KiB
    max_connections: 3
    idle: 1m30s
    tls: {certificate: a.pem, key: b.pem, client_ca: c.pem, client_names: [mirth.example.org]}
`)
	if err != nil {
		t.Fatal(err)
	}
	l := c.Listeners[0]
	dir := filepath.Dir(path)
	wantTLS := &config.TLS{
		Certificate: filepath.Join(dir, "a.pem"), Key: filepath.Join(dir, "b.pem"), ClientCA: filepath.Join(dir, "c.pem"),
		ClientNames: []string{"mirth.example.org"},
	}
	if diff := cmp.Diff(wantTLS, l.TLS); diff != "" {
		t.Error(diff)
	}
	if c.Queue != (config.Queue{MaxMessages: 2_000_000, MaxBytes: 5e9}) || l.MaxMessage != 512<<10 || l.Idle != config.Duration(90*time.Second) ||
		l.Ack != config.Delivered || l.Lanes != 8 || l.Credentials.PasswordEnv != "LAB_PASSWORD" {
		t.Errorf("%+v", c)
	}
	for address, want := range map[string]bool{"10.1.2.3": true, "::ffff:10.1.2.3": true, "10.2.3.4": true, "10.2.3.5": false, "fd00::1": true, "::1": false} {
		got := false
		for _, prefix := range l.Allow {
			got = got || prefix.Contains(netip.MustParseAddr(address))
		}
		if got != want {
			t.Errorf("%s is allowed: %v", address, got)
		}
	}
}

func TestAMachineClientHasASecretInAFileOrAVariable(t *testing.T) {
	for given, want := range map[string]config.Credentials{
		"client: 1a2b, secret_env: SECRET":  {Client: "1a2b", SecretEnv: "SECRET"},
		"client: 1a2b, secret_file: secret": {Client: "1a2b", Secret: "secret"},
	} {
		c, path, err := read(t, strings.Replace(least, "user: engine@example.org, password_file: password", given, 1))
		if want.Secret != "" {
			want.Secret = filepath.Join(filepath.Dir(path), want.Secret)
		}
		if err != nil || *c.Listeners[0].Credentials != want {
			t.Errorf("%s: %+v, %v", given, c.Listeners[0].Credentials, err)
		}
	}
}

// TestEveryMistakeIsToldWithItsLine changes a correct configuration. A mistake is
// reported on its own line.
func TestEveryMistakeIsToldWithItsLine(t *testing.T) {
	for name, test := range map[string]struct{ old, new, want string }{
		"an unknown setting":        {"data: data", "date: data", "1: date: there is no such setting"},
		"a setting twice":           {"key_file:", "data: x\nkey_file:", "2: data: is there twice"},
		"an unknown one further in": {`address: ":2575"`, `port: ":2575"`, "6: listeners[0].port: there is no such setting"},
		"no data":                   {"data: data\n", "\n", "2: data: name the folder"},
		"no key":                    {"key_file: /etc/lake/edge.key\n", "\n", "1: key_file: name the file"},
		"no lake":                   {"lake: {outputs: outputs.json}", "", "1: lake: name one of"},
		"two lakes":                 {"outputs.json", "outputs.json, connection: c.json", "3: lake: name one of"},
		"no listeners":              {`  - {name: adt, address: ":2575"}`, "  []", "6: listeners: there is none"},
		"a list that is none":       {`  - {name: adt, address: ":2575"}`, "  x", "6: listeners: want a list"},
		"a value that is a list":    {"data: data", "data: [data]", "1: data: want one value"},
		"no credentials":            {"credentials: {user: engine@example.org, password_file: password}\n", "", "5: listeners[0].credentials: name them"},
		"a password in the file":    {"password_file: password", "password: secret", "4: credentials.password: there is no such setting"},
		"two passwords":             {"password_file: password", "password_file: a, password_env: b", "4: credentials: name one of"},
		"no user":                   {"user: engine@example.org, ", "", "4: credentials: name one of user and client"},
		"a name with a blank":       {"name: adt", "name: a b", "6: listeners[0].name: want"},
		"a user and a client":       {"user: engine@example.org", "user: engine@example.org, client: 1a2b", "4: credentials: name one of user and client"},
		"a client with a password":  {"user: engine@example.org", "client: 1a2b", "4: credentials: a client has secret_file or secret_env"},
		"a user with a secret":      {"password_file: password", "secret_file: secret", "4: credentials: a user has password_file or password_env"},
		"a client without a secret": {"user: engine@example.org, password_file: password", "client: 1a2b", "4: credentials: name one of secret_file and secret_env"},
		"too many lanes":            {"name: adt", "name: adt, lanes: 65", "6: listeners[0].lanes: want 64 at most"},
		"no lane":                   {"name: adt", "name: adt, lanes: 0", "6: listeners[0].lanes: want a whole number"},
		"a name twice":              {`":2575"}`, `":2575"}` + "\n  - {name: adt, address: \":2576\"}", "7: listeners[1].name: another"},
		"an address twice":          {`":2575"}`, `":2575"}` + "\n  - {name: lab, address: \":2575\"}", "7: listeners[1].address: is in use"},
		"no port":                   {`":2575"`, `localhost`, "6: listeners[0].address: want host:port"},
		"a port that is none":       {`":2575"`, `":99999"`, "6: listeners[0].address: want host:port"},
		"a mode that is none":       {`":2575"}`, `":2575", ack: never}`, "6: listeners[0].ack: want queued or delivered"},
		"a size that is none":       {`":2575"}`, `":2575", max_message: much}`, "6: listeners[0].max_message: want a size"},
		"a size below zero":         {`":2575"}`, `":2575", max_message: -1 MB}`, "6: listeners[0].max_message: want a size"},
		"a size beyond all":         {`":2575"}`, `":2575", max_message: 9999999999 TiB}`, "6: listeners[0].max_message: want a size"},
		"more than a lake takes":    {`":2575"}`, `":2575", max_message: 5 MiB}`, "6: listeners[0].max_message: a lake takes"},
		"a time that is none":       {`":2575"}`, `":2575", idle: 10}`, "6: listeners[0].idle: want a time"},
		"a number that is none":     {`":2575"}`, `":2575", max_connections: 0}`, "6: listeners[0].max_connections: want a whole number"},
		"a range that is none":      {`":2575"}`, `":2575", allow: [10.1/16]}`, "6: listeners[0].allow[0]: want an address"},
		"a charset that is none":    {`":2575"}`, `":2575", charset: klingon}`, "6: listeners[0].charset: is not known"},
		"a certificate alone":       {`":2575"}`, `":2575", tls: {certificate: a}}`, "6: listeners[0].tls: name the files"},
		"names without authority":   {`":2575"}`, `":2575", tls: {certificate: a, key: b, client_names: [c]}}`, "6: listeners[0].tls.client_names: needs"},
		"no YAML":                   {"data: data", "data: [", "2: "},
		"nothing":                   {least, "", "1: the file is empty"},
		"a comment":                 {least, "# later\n", "1: the file is empty"},
		"two documents":             {"data: data\n", "data: data\n---\n", "1: the file holds more than one"},
		"a text":                    {least, "hello", "1: the file: want names and values"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(least, test.old) {
				t.Fatalf("%q is not there", test.old)
			}
			_, path, err := read(t, strings.Replace(least, test.old, test.new, 1))
			if err == nil || !strings.Contains(err.Error(), path+":"+test.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestAllMistakesAreToldInTheOrderOfTheirLines(t *testing.T) {
	_, path, err := read(t, strings.NewReplacer("data: data", "", `":2575"`, "x", "outputs.json", "o, connection: c").Replace(least))
	if err == nil {
		t.Fatal("no mistake")
	}
	var lines []string
	for line := range strings.Lines(err.Error()) {
		lines = append(lines, strings.TrimPrefix(line, path+":")[:2])
	}
	if diff := cmp.Diff([]string{"2:", "3:", "6:"}, lines); diff != "" {
		t.Error(err)
	}
}
