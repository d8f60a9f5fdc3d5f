package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"

	"hl7lake/hl7"
)

// Read reads and checks the file at path. Its mistakes are of type [*Mistake], joined. It
// opens none of the files that it names.
func Read(path string) (Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, err
	}
	d := &decoder{file: path, lines: map[string]int{}}
	var c Config
	document, err := parse(text)
	if err != nil {
		line, what := placeOf(err)
		d.wrong(line, "%s", what)
		return Config{}, d.err()
	}
	d.decode(document, reflect.ValueOf(&c).Elem(), "")
	if len(d.mistakes) == 0 {
		c.fillIn()
		d.check(&c)
	}
	c.resolve(filepath.Dir(path))
	return c, d.err()
}

// parse returns the only document in the file.
func parse(text []byte) (*yaml.Node, error) {
	reader := yaml.NewDecoder(bytes.NewReader(text))
	var document, more yaml.Node
	if err := reader.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the file is empty")
		}
		return nil, err
	}
	if err := reader.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("the file holds more than one document")
	}
	return document.Content[0], nil
}

var yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// placeOf extracts the line from an error of package yaml.
func placeOf(err error) (line int, text string) {
	found := yamlError.FindStringSubmatch(err.Error())
	if found == nil {
		return 1, err.Error()
	}
	line, _ = strconv.Atoi(found[1]) // 0 if there is none
	return line, found[2]
}

// name is the form of a text that may become part of a file's name, a label and an
// attribute.
var name = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// check reports what no single value can show.
func (d *decoder) check(c *Config) {
	if c.Data == "" {
		d.at("data", "name the folder that keeps the queue")
	}
	if c.KeyFile == "" {
		d.at("key_file", "name the file with the key; `lake edge key FILE` makes one")
	}
	if (c.Lake.Outputs == "") == (c.Lake.Connection == "") {
		d.at("lake", "name one of outputs and connection")
	}
	d.address("status", c.Status, true)
	if c.Credentials != (Credentials{}) {
		d.credentials("credentials", c.Credentials)
	}
	if len(c.Listeners) == 0 {
		d.at("listeners", "there is none")
	}
	names, addresses := map[string]bool{}, map[string]bool{c.Status: true}
	for i, l := range c.Listeners {
		at := fmt.Sprintf("listeners[%d]", i)
		switch {
		case !name.MatchString(l.Name):
			d.at(at+".name", "want 1 to 32 small letters, digits and hyphens, which begin with no hyphen")
		case names[l.Name]:
			d.at(at+".name", "another listener has the same")
		}
		if addresses[l.Address] && l.Address != "" {
			d.at(at+".address", "is in use already")
		}
		names[l.Name], addresses[l.Address] = true, true
		d.listener(at, l)
	}
}

func (d *decoder) listener(at string, l Listener) {
	d.address(at+".address", l.Address, false)
	if *l.Credentials == (Credentials{}) {
		d.at(at+".credentials", "name them here, or for all listeners at the top")
	} else if d.lines[at+".credentials"] > 0 {
		d.credentials(at+".credentials", *l.Credentials)
	}
	if _, known := hl7.LookupCharset(l.Charset); l.Charset != "" && !known {
		d.at(at+".charset", "is not known; want a name such as iso-8859-1")
	}
	if l.Ack != Queued && l.Ack != Delivered {
		d.at(at+".ack", "want %s or %s", Queued, Delivered)
	}
	if l.Lanes > mostLanes {
		d.at(at+".lanes", "want %d at most", mostLanes)
	}
	if l.MaxMessage > LargestMessage {
		d.at(at+".max_message", "a lake takes up to 4.5 MB")
	}
	if l.TLS == nil {
		return
	}
	if l.TLS.Certificate == "" || l.TLS.Key == "" {
		d.at(at+".tls", "name the files of certificate and key")
	}
	if l.TLS.ClientCA == "" && l.TLS.ClientNames != nil {
		d.at(at+".tls.client_names", "needs client_ca: without it no client shows a certificate")
	}
}

func (d *decoder) credentials(at string, c Credentials) {
	switch {
	case (c.User == "") == (c.Client == ""):
		d.at(at, "name one of user and client that sends")
	case c.User != "" && (c.Secret != "" || c.SecretEnv != ""):
		d.at(at, "a user has password_file or password_env, and no secret")
	case c.Client != "" && (c.Password != "" || c.PasswordEnv != ""):
		d.at(at, "a client has secret_file or secret_env, and no password")
	case c.User != "" && (c.Password == "") == (c.PasswordEnv == ""):
		d.at(at, "name one of password_file and password_env")
	case c.Client != "" && (c.Secret == "") == (c.SecretEnv == ""):
		d.at(at, "name one of secret_file and secret_env")
	}
}

func (d *decoder) address(at, address string, optional bool) {
	if address == "" && optional {
		return
	}
	_, port, err := net.SplitHostPort(address)
	if _, failed := strconv.ParseUint(port, 10, 16); err != nil || failed != nil {
		d.at(at, "want host:port, such as 0.0.0.0:2575")
	}
}

// resolve makes paths that are relative to the file's folder usable.
func (c *Config) resolve(folder string) {
	paths := []*string{&c.Data, &c.KeyFile, &c.Lake.Outputs, &c.Lake.Connection, &c.Credentials.Password, &c.Credentials.Secret}
	for i := range c.Listeners {
		l := &c.Listeners[i]
		if l.Credentials != nil && l.Credentials != &c.Credentials {
			paths = append(paths, &l.Credentials.Password, &l.Credentials.Secret)
		}
		if l.TLS != nil {
			paths = append(paths, &l.TLS.Certificate, &l.TLS.Key, &l.TLS.ClientCA)
		}
	}
	for _, path := range paths {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(folder, *path)
		}
	}
}
