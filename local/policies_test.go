package local

// This file is about the policies of the templates, as package iam evaluates them.

import (
	"strings"
	"testing"

	"hl7lake/local/wire"
)

// TestASessionOfTheIdentityPoolReadsItsOwnInstitutionOnly checks what the templates'
// policies let a user do in S3 with credentials for an ID token: the session's tag names
// the institution of custom:read.
func TestASessionOfTheIdentityPoolReadsItsOwnInstitutionOnly(t *testing.T) {
	for _, environment := range []string{"dev", "prod"} {
		assembly, err := Load("../test/snapshots/" + environment)
		if err != nil {
			t.Fatal(err)
		}
		l := registered(t)
		for _, policies := range l.policies.Resources() {
			for _, r := range assembly.OfType(policies.Name) {
				if _, err := policies.Make(r); err != nil {
					t.Fatal(err)
				}
			}
		}
		var reader, lake string
		for _, r := range assembly.OfType("AWS::IAM::Role") {
			if strings.HasPrefix(r.LogicalID, "IdentitiesReader") {
				reader = r.Attributes["Arn"]
			}
		}
		for _, r := range assembly.OfType("AWS::S3::Bucket") {
			if strings.HasPrefix(r.LogicalID, "Lake5F") {
				lake = r.Attributes["Arn"]
			}
		}
		if reader == "" || lake == "" {
			t.Fatalf("%s: no reader %q or no lake %q", environment, reader, lake)
		}
		for _, test := range []struct {
			tag, action, on, prefix string
			granted                 bool
		}{
			{"ours", "s3:GetObject", "/staging/protocol=hl7v2/source=ours/date=2026-01-01/x.json", "", true},
			{"ours", "s3:GetObject", "/staging/protocol=fhir-r4/source=ours/date=2026-01-01/x.json", "", true},
			{"ours", "s3:GetObject", "/staging/protocol=fhir-r4/source=theirs/date=2026-01-01/x.json", "", false},
			{"ours", "s3:GetObject", "/ingestion/protocol=hl7v2/source=ours/date=2026-01-01/x.er7", "", true},
			{"ours", "s3:GetObject", "/staging/protocol=hl7v2/source=theirs/date=2026-01-01/x.json", "", false},
			{"ours", "s3:GetObject", "/staging/protocol=hl7v2/source=ours-too/date=2026-01-01/x.json", "", false},
			{"", "s3:GetObject", "/staging/protocol=hl7v2/source=/date=2026-01-01/x.json", "", false},
			{"*", "s3:GetObject", "/staging/protocol=hl7v2/source=theirs/date=2026-01-01/x.json", "", false},
			{"ours", "s3:PutObject", "/staging/protocol=hl7v2/source=ours/date=2026-01-01/x.json", "", false},
			{"ours", "s3:DeleteObject", "/staging/protocol=hl7v2/source=ours/date=2026-01-01/x.json", "", false},
			{"ours", "s3:ListBucket", "", "staging/protocol=hl7v2/source=ours/", true},
			{"ours", "s3:ListBucket", "", "staging/protocol=hl7v2/source=theirs/", false},
			{"ours", "s3:ListBucket", "", "staging/", false},
			{"ours", "s3:ListBucket", "", "", false},
		} {
			for _, name := range []string{"read", "read2", "read3", "read4"} {
				keys := map[string]string{"s3:prefix": test.prefix}
				if test.tag != "" {
					keys["aws:PrincipalTag/"+name] = test.tag
				}
				err := l.policies.Authorize(wire.WithCaller(t.Context(), reader), test.action, lake+test.on, keys)
				if (err == nil) != test.granted {
					t.Errorf("%s: with %q in the tag %s, %s on %s%s: %v, want granted %v", environment, test.tag, name, test.action, test.on, test.prefix, err, test.granted)
				}
			}
		}
	}
}
