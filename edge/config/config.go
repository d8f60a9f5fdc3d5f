// Package config reads and checks the configuration file of an edge. It reports all
// mistakes at once, each with its line.
package config

import (
	"net/netip"
	"time"
)

// Config is a configuration that can be run: it is checked, and its defaults are filled
// in. Its paths need no folder, although the file may write them relative to its own.
type Config struct {
	Data        string      `yaml:"data"`     // folder of the queue and the quarantine
	KeyFile     string      `yaml:"key_file"` // that encrypts them
	Status      string      `yaml:"status"`   // address of /healthz and /metrics; "" means none
	Queue       Queue       `yaml:"queue"`
	Lake        Location    `yaml:"lake"`
	Credentials Credentials `yaml:"credentials"` // for the listeners that have none of their own
	Listeners   []Listener  `yaml:"listeners"`
}

// Queue limits what waits for the lake, together with what is in quarantine.
type Queue struct {
	MaxMessages int64 `yaml:"max_messages"`
	MaxBytes    Size  `yaml:"max_bytes"`
}

// Location says where the lake is: exactly one is set.
type Location struct {
	Outputs    string `yaml:"outputs"`    // file of `cdk deploy --outputs-file`
	Connection string `yaml:"connection"` // file connection.json of a lake on this machine
}

// Credentials say who sends: a user, or a machine client of the user pool. The password
// or secret is in a file or in an environment variable.
type Credentials struct {
	User        string `yaml:"user"` // e-mail address
	PasswordEnv string `yaml:"password_env"`
	Password    string `yaml:"password_file"`

	Client    string `yaml:"client"` // its id
	SecretEnv string `yaml:"secret_env"`
	Secret    string `yaml:"secret_file"`
}

// Listener is one port on which engines send.
type Listener struct {
	Name           string       `yaml:"name"`
	Address        string       `yaml:"address"` // host:port; an empty host means all interfaces
	Institution    string       `yaml:"institution"`
	Credentials    *Credentials `yaml:"credentials"`
	Charset        string       `yaml:"charset"` // for messages whose MSH-18 declares none; "" assumes nothing
	Ack            AckMode      `yaml:"ack"`
	Lanes          int          `yaml:"lanes"` // how many messages, of different patients, are posted at once; 1 keeps all in order
	Allow          []Prefix     `yaml:"allow"` // who may connect; none means everybody
	MaxMessage     Size         `yaml:"max_message"`
	MaxConnections int          `yaml:"max_connections"`
	Idle           Duration     `yaml:"idle"`
	TLS            *TLS         `yaml:"tls"` // nil means without TLS
}

// TLS says how a listener proves who it is, and what it requires of clients. The files
// are read again when they change.
type TLS struct {
	Certificate string   `yaml:"certificate"` // PEM, followed by the intermediate certificates
	Key         string   `yaml:"key"`         // PEM
	ClientCA    string   `yaml:"client_ca"`   // PEM; if set, a client must show a certificate that one of these signed
	ClientNames []string `yaml:"client_names"`
}

// AckMode says when a message in original mode is acknowledged with AA (HL7 v2.5.1,
// 2.9.2). A message in enhanced mode says that itself.
type AckMode string

// The modes.
const (
	Queued    AckMode = "queued"    // when it is safe in the queue
	Delivered AckMode = "delivered" // when the lake has it
)

// Size is a number of bytes, written like 4 MiB.
type Size int64

// Duration is written like 10m or 1h30m.
type Duration time.Duration

// Prefix is a range of addresses, written like 10.1.0.0/16, or one address.
type Prefix netip.Prefix

// The defaults.
const (
	defaultLanes          = 1
	mostLanes             = 64
	defaultMaxMessages    = 10_000_000
	defaultMaxBytes       = Size(20 << 30)
	defaultMaxMessage     = Size(4 << 20)
	defaultMaxConnections = 256
	defaultIdle           = Duration(time.Hour)

	// LargestMessage is the most that a lake accepts as application/hl7-v2: 4.5 MB
	// (docs/api.md).
	LargestMessage = Size(4_500_000)
)

// fillIn sets what the file left out.
func (c *Config) fillIn() {
	setDefault(&c.Queue.MaxMessages, defaultMaxMessages)
	setDefault(&c.Queue.MaxBytes, defaultMaxBytes)
	for i := range c.Listeners {
		l := &c.Listeners[i]
		setDefault(&l.Ack, Queued)
		setDefault(&l.Lanes, defaultLanes)
		setDefault(&l.MaxMessage, defaultMaxMessage)
		setDefault(&l.MaxConnections, defaultMaxConnections)
		setDefault(&l.Idle, defaultIdle)
		if l.Credentials == nil {
			l.Credentials = &c.Credentials
		}
	}
}

func setDefault[T comparable](value *T, def T) {
	var zero T
	if *value == zero {
		*value = def
	}
}
