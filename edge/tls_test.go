package edge_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hl7lake/edge/config"
)

var quiet = slog.New(slog.DiscardHandler)

// An authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         []byte
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.pem, a.key = sign(t, template, nil)
	block, _ := pem.Decode(a.pem)
	var err error
	if a.certificate, err = x509.ParseCertificate(block.Bytes); err != nil {
		t.Fatal(err)
	}
	return a
}

// sign makes a key and a certificate for it, signed by an authority or by itself.
func sign(t *testing.T, template *x509.Certificate, by *authority) (certificate []byte, key *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), key
}

// issue makes a certificate for a name that is valid until the given time, as PEM.
func (a *authority) issue(t *testing.T, name string, until time.Time) (certificate, key []byte) {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	certificate, private := sign(t, template, a)
	der, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
}

// pair is issue for a client.
func (a *authority) pair(t *testing.T, name string, until time.Time) tls.Certificate {
	t.Helper()
	pair, err := tls.X509KeyPair(a.issue(t, name, until))
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// secured returns a configuration with TLS, whose files are in the folder.
func secured(t *testing.T, server, clients *authority) (c config.Config, dir string) {
	t.Helper()
	c, dir = configuration(t), t.TempDir()
	c.Listeners[0].TLS = &config.TLS{
		Certificate: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"), ClientCA: filepath.Join(dir, "ca.pem"),
		ClientNames: []string{"engine"},
	}
	certificate, key := server.issue(t, "edge", time.Now().Add(time.Hour))
	write(t, c.Listeners[0].TLS.Certificate, certificate)
	write(t, c.Listeners[0].TLS.Key, key)
	write(t, c.Listeners[0].TLS.ClientCA, clients.pem)
	return c, dir
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// talk sends a message over TLS and returns the answer, or why there is none.
func talk(t *testing.T, to net.Addr, trusted *authority, certificates ...tls.Certificate) string {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(trusted.certificate)
	dialer := &tls.Dialer{Config: &tls.Config{RootCAs: roots, Certificates: certificates}}
	conn, err := dialer.DialContext(t.Context(), "tcp", to.String())
	if err != nil {
		return err.Error()
	}
	e := engineOn(t, conn)
	defer e.Close()
	if _, err := e.Write([]byte(framed(message("1", "")))); err != nil {
		return err.Error()
	}
	return e.answer()
}

func TestOnlyAClientWithTheRightCertificateIsAnswered(t *testing.T) {
	server, clients, others := newAuthority(t, "server"), newAuthority(t, "clients"), newAuthority(t, "others")
	c, _ := secured(t, server, clients)
	r := run(t, c, newLake(t))
	later, before := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	for name, test := range map[string]struct {
		certificates []tls.Certificate
		answered     bool
	}{
		"right":             {[]tls.Certificate{clients.pair(t, "engine", later)}, true},
		"missing":           {nil, false},
		"expired":           {[]tls.Certificate{clients.pair(t, "engine", before)}, false},
		"another authority": {[]tls.Certificate{others.pair(t, "engine", later)}, false},
		"another name":      {[]tls.Certificate{clients.pair(t, "printer", later)}, false},
	} {
		got := talk(t, r.Listeners()[0].Addr(), server, test.certificates...)
		if (got == "AA 1") != test.answered {
			t.Errorf("%s: %s", name, got)
		}
	}
	plain := connect(t, r.Listeners()[0].Addr())
	plain.send(framed(message("1", "")))
	if got := plain.answer(); strings.HasPrefix(got, "AA") {
		t.Errorf("without TLS: %s", got)
	}
	eventually(t, "left", func() bool { return r.Health().Listeners[0].Connections == 0 })
	if _, text := r.status(t, "/metrics"); !strings.Contains(text, `lake_edge_refused_connections_total{listener="adt"} 5`) {
		t.Error("not counted")
	}
}

func TestCertificatesAreReadAgainWithoutARestart(t *testing.T) {
	first, second, clients := newAuthority(t, "first"), newAuthority(t, "second"), newAuthority(t, "clients")
	c, _ := secured(t, first, clients)
	r := run(t, c, newLake(t))
	to, files := r.Listeners()[0].Addr(), c.Listeners[0].TLS
	mine := clients.pair(t, "engine", time.Now().Add(time.Hour))
	if got := talk(t, to, first, mine); got != "AA 1" {
		t.Fatal(got)
	}
	replace := func(path string, content []byte, age time.Duration) {
		t.Helper()
		write(t, path, content)
		when := time.Now().Add(age) // the times of files may be coarse
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	replace(files.Certificate, []byte("half a file"), time.Second)
	if got := talk(t, to, first, mine); got != "AA 1" {
		t.Errorf("with files that cannot be used: %s", got)
	}
	certificate, key := second.issue(t, "edge", time.Now().Add(time.Hour))
	replace(files.Certificate, certificate, 2*time.Second)
	replace(files.Key, key, 2*time.Second)
	if got := talk(t, to, second, mine); got != "AA 1" {
		t.Errorf("with the new files: %s", got)
	}
	if got := talk(t, to, first, mine); got == "AA 1" {
		t.Error("the old certificate is still shown")
	}
	replace(files.ClientCA, second.pem, 3*time.Second)
	if got := talk(t, to, second, mine); got == "AA 1" {
		t.Error("the old authority's clients are still taken")
	}
	r.stop()
	if log := r.log.String(); !strings.Contains(log, "stay in use") || !strings.Contains(log, "read again") {
		t.Error(log)
	}
}
