package edge

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"hl7lake/edge/config"
)

// ErrNoCertificate says that a file of authorities holds no certificate.
var ErrNoCertificate = errors.New("the file has no certificate")

// certificates reads a listener's files again when they have changed.
type certificates struct {
	config config.TLS
	log    *slog.Logger

	mu      sync.Mutex
	current *tls.Config
	changed [3]time.Time // when the files of current were changed
}

// newTLS returns what a listener needs. It reads the files now, so that a mistake is
// reported at the start, and again before each connection if they have changed. If they
// then cannot be used, the earlier ones stay in use.
func newTLS(c config.TLS, log *slog.Logger) (*tls.Config, error) {
	files := &certificates{config: c, log: log}
	if err := files.read(); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return files.latest(), nil },
	}, nil
}

// latest returns the configuration that the files contain now.
func (f *certificates) latest() *tls.Config {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.times() != f.changed {
		if err := f.read(); err != nil {
			f.log.Error("the certificates cannot be used; those before stay in use", "error", err)
		} else {
			f.log.Info("the certificates were read again")
		}
	}
	return f.current
}

// times returns when the files were changed; zero for one that does not exist.
func (f *certificates) times() (times [3]time.Time) {
	for i, path := range []string{f.config.Certificate, f.config.Key, f.config.ClientCA} {
		if info, err := os.Stat(path); err == nil {
			times[i] = info.ModTime()
		}
	}
	return times
}

// read makes the configuration again. A try that fails is not repeated before the files
// change again.
func (f *certificates) read() error {
	f.changed = f.times()
	pair, err := tls.LoadX509KeyPair(f.config.Certificate, f.config.Key)
	if err != nil {
		return err
	}
	made := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	if f.config.ClientCA != "" {
		text, err := os.ReadFile(f.config.ClientCA)
		if err != nil {
			return err
		}
		made.ClientCAs, made.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
		if !made.ClientCAs.AppendCertsFromPEM(text) {
			return fmt.Errorf("%s: %w", f.config.ClientCA, ErrNoCertificate)
		}
	}
	f.current = made
	return nil
}

// anyName reports whether a certificate, the first of a verified chain, has one of the
// names: a DNS name, an e-mail address, or the common name of its subject.
func anyName(chain []*x509.Certificate, names []string) bool {
	if len(chain) == 0 {
		return false
	}
	has := append(slices.Concat(chain[0].DNSNames, chain[0].EmailAddresses), chain[0].Subject.CommonName)
	return slices.ContainsFunc(has, func(name string) bool { return name != "" && slices.Contains(names, name) })
}
