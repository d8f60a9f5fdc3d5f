package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hl7lake/client"
	"hl7lake/edge/mllp"
)

// mllpOptions say where and how messages are sent over MLLP.
type mllpOptions struct {
	address  string        // host:port; "" is not over MLLP
	patience time.Duration // for an acknowledgment
	secured  bool
	ca       string // file of authorities; "" is the system's
	cert     string // file of this client's certificate; "" shows none
	key      string // file of its key
}

func (o *mllpOptions) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.address, "mllp", "", "send over MLLP to this `host:port`, as that of lake edge, and not to the API")
	flags.DurationVar(&o.patience, "ack-timeout", 30*time.Second, "with --mllp: how long to wait for an acknowledgment")
	flags.BoolVar(&o.secured, "tls", false, "with --mllp: use TLS")
	flags.StringVar(&o.ca, "tls-ca", "", "with --mllp: trust these authorities, a PEM `file`, and not the system's")
	flags.StringVar(&o.cert, "tls-cert", "", "with --mllp: show this certificate, a PEM `file`")
	flags.StringVar(&o.key, "tls-key", "", "with --mllp: the certificate's key, a PEM `file`")
	cmd.MarkFlagsRequiredTogether("tls-cert", "tls-key")
	for _, other := range []string{"wait", "charset", "as", "whole", "url", "outputs", "user", "token"} {
		cmd.MarkFlagsMutuallyExclusive("mllp", other)
	}
}

// config returns what TLS needs; nil without it.
func (o mllpOptions) config() (*tls.Config, error) {
	if !o.secured && o.ca == "" && o.cert == "" {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.ca != "" {
		text, err := os.ReadFile(o.ca)
		if err != nil {
			return nil, err
		}
		if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s: the file has no certificate", o.ca)
		}
	}
	if o.cert != "" {
		pair, err := tls.LoadX509KeyPair(o.cert, o.key)
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// mllpScheme stands before the address where a lake's is told.
const mllpScheme = "mllp://"

// ackError is an acknowledgment that says no.
type ackError struct{ code, text string }

func (e *ackError) Error() string { return strings.TrimSuffix(e.code+" "+e.text, " ") }

// sendOverMLLP sends the messages of the files over MLLP.
func (p *program) sendOverMLLP(ctx context.Context, names []string, o sendOptions) error {
	secured, err := o.mllp.config()
	if err != nil {
		return err
	}
	sender := mllp.NewSender(o.mllp.address, secured, o.mllp.patience, o.parallel)
	defer sender.Close()
	post := func(ctx context.Context, body []byte, done *sent) error {
		answer, attempts, err := sender.Send(ctx, body)
		done.Attempts = attempts
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			return &client.UnreachableError{URL: mllpScheme + o.mllp.address, Err: err}
		}
		if done.Ack = answer.Get("MSA-1"); done.Ack == "AA" || done.Ack == "CA" {
			return nil
		}
		return &ackError{done.Ack, cmp.Or(answer.Get("ERR-8"), answer.Get("MSA-3"))}
	}
	return p.send(ctx, &sending{program: p, post: post, o: o}, mllpScheme+o.mllp.address, names)
}
