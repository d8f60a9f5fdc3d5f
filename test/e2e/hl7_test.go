package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hl7lake/client"
)

// This file posts at /hl7, as engines do that speak HL7 over HTTP.

func overHTTP(authorization string, body []byte) request {
	return request{method: http.MethodPost, path: "/hl7", contentType: "application/hl7-v2; charset=utf-8", token: authorization, body: body}
}

// batchOf returns a batch of n messages.
func batchOf(n int) []byte {
	body := []byte("BHS|^~\\&|APP|HERE|LAKE|THERE|2026||||B1\r")
	for i := range n {
		body = append(body, admission(i)...)
	}
	return fmt.Appendf(body, "BTS|%d\r", n)
}

// verdicts returns MSA-1, MSA-2 and MSA-3 of each acknowledgment.
func verdicts(t *testing.T, r response) (all [][3]string) {
	t.Helper()
	if r.status != http.StatusOK || r.header.Get("Content-Type") != "application/hl7-v2; charset=utf-8" {
		t.Fatalf("answered %d %v %s", r.status, r.header, r.body)
	}
	for line := range strings.SplitSeq(r.body, "\r") {
		if fields := strings.Split(line, "|"); fields[0] == "MSA" {
			all = append(all, [3]string(append(fields, "", "")[1:4]))
		}
	}
	return all
}

func TestAMessageOverHTTPIsInTheLakeUnderTheIDOfItsAcknowledgment(t *testing.T) {
	l := start(t)
	tokens := l.admin(t)
	c, authorization := l.client(t, tokens), token(t, tokens)
	body := admission(1)
	first := verdicts(t, l.mustDo(t, overHTTP(authorization, body)))
	id, kept := strings.CutPrefix(first[0][2], "Kept as ")
	if len(first) != 1 || first[0][0] != "AA" || first[0][1] != "1" || !kept {
		t.Fatalf("answered %q", first)
	}
	again := verdicts(t, l.mustDo(t, overHTTP(authorization, body)))
	if diff := cmp.Diff([][3]string{{"AA", "1", "Kept before as " + id}}, again); diff != "" {
		t.Error(diff)
	}
	if history := ended(t, c, id); history.Status != client.Staged || history.Type != "ADT^A01" {
		t.Errorf("it is %+v", history)
	}
	if kept, err := c.ER7(t.Context(), id); err != nil || !bytes.Equal(kept, body) {
		t.Errorf("kept is %q, %v", kept, err)
	}
	if receipt, err := c.Send(t.Context(), client.Message{Body: body}); err != nil || !receipt.Duplicate || receipt.ID != id {
		t.Errorf("posted at /er7: %+v, %v", receipt, err)
	}
	if r := l.mustDo(t, overHTTP("", body)); r.status != http.StatusUnauthorized {
		t.Errorf("without a token: %d", r.status)
	}
}

// TestABatchOverHTTPWhoseConnectionBreaksIsEachMessageOnceAfterAResend breaks the
// connection at several moments of a batch, and sends the batch again.
func TestABatchOverHTTPWhoseConnectionBreaksIsEachMessageOnceAfterAResend(t *testing.T) {
	const messages = 60
	l := start(t)
	authorization := token(t, l.admin(t))
	batch := overHTTP(authorization, batchOf(messages))
	for _, after := range []time.Duration{0, 5, 20, 60, 150} {
		ctx, cancel := context.WithTimeout(t.Context(), after*time.Millisecond)
		if r, err := l.do(ctx, batch); err == nil && r.status != http.StatusOK {
			t.Logf("within %v ms: %d", after, r.status)
		}
		cancel()
	}
	var got [][3]string
	for limit := time.Now().Add(*patience); ; time.Sleep(500 * time.Millisecond) {
		r := l.mustDo(t, batch)
		if r.status == http.StatusOK && strings.Count(r.body, "MSA|AA|") == messages {
			got = verdicts(t, r)
			break
		}
		if time.Now().After(limit) {
			t.Fatalf("still %d %s", r.status, r.body)
		}
	}
	ids := map[string]bool{}
	for n, verdict := range got {
		if verdict[1] != fmt.Sprint(n) {
			t.Errorf("the acknowledgment at %d is of %s", n, verdict[1])
		}
		ids[verdict[2][strings.LastIndexByte(verdict[2], ' ')+1:]] = true
	}
	if len(ids) != messages {
		t.Errorf("%d messages have %d ids", messages, len(ids))
	}
	for limit := time.Now().Add(*patience); len(l.keys(t, client.Ingestion)) < messages; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("not all messages are in the lake")
		}
	}
	if keys := l.keys(t, client.Ingestion); len(keys) != messages {
		t.Errorf("the lake holds %d messages of %d", len(keys), messages)
	}
}
