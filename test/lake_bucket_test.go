package test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"hl7lake/local"
	"hl7lake/local/iam"
	"hl7lake/local/wire"
)

// lakePolicy returns an engine with the lake's bucket policy as committed, and a policy
// that allows two roles everything. What is then refused, the bucket refuses.
func lakePolicy(t *testing.T, env string) (engine *iam.Engine, bucket, writer, stranger string) {
	t.Helper()
	stacks, err := local.Load("test/snapshots/" + env)
	if err != nil {
		t.Fatal(err)
	}
	engine = iam.New()
	for _, resource := range stacks.OfType("AWS::S3::BucketPolicy") {
		text, err := resource.JSON()
		if err != nil {
			t.Fatal(err)
		}
		var properties struct {
			Bucket         string
			PolicyDocument iam.Document
		}
		if err := json.Unmarshal(text, &properties); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(resource.LogicalID, "LakePolicy") {
			bucket = "arn:aws:s3:::" + properties.Bucket
			if err := engine.AttachToResource(bucket, properties.PolicyDocument); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, role := range stacks.OfType("AWS::IAM::Role") {
		if strings.HasPrefix(role.LogicalID, "WriterRole") {
			writer = role.Attributes["Arn"]
		}
	}
	if bucket == "" || writer == "" {
		t.Fatalf("bucket %q, writer %q", bucket, writer)
	}
	stranger = "arn:aws:iam::" + wire.Account + ":role/administrator"
	var everything iam.Document
	if err := json.Unmarshal([]byte(`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`), &everything); err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{writer, stranger} {
		if err := engine.AttachToRole(role, everything); err != nil {
			t.Fatal(err)
		}
	}
	return engine, bucket, writer, stranger
}

func TestTheLakeTakesNewObjectsFromTheWriterAlone(t *testing.T) {
	conditional := map[string]string{"s3:if-none-match": "*"}
	for env := range assemblies {
		engine, bucket, writer, stranger := lakePolicy(t, env)
		object := bucket + "/ingestion/protocol=hl7v2/source=st-elsewhere/date=2026-01-02/x.er7"
		for name, test := range map[string]struct {
			caller, action string
			keys           map[string]string
			allowed        bool
		}{
			"the writer":                             {writer, "s3:PutObject", conditional, true},
			"the writer over what is there":          {writer, "s3:PutObject", nil, false},
			"an administrator":                       {stranger, "s3:PutObject", conditional, false},
			"an administrator who reads":             {stranger, "s3:GetObject", nil, true},
			"the writer without TLS":                 {writer, "s3:PutObject", map[string]string{"s3:if-none-match": "*", "aws:SecureTransport": "false"}, false},
			"an administrator who reads without TLS": {stranger, "s3:GetObject", map[string]string{"aws:SecureTransport": "false"}, false},
		} {
			err := engine.Authorize(wire.WithCaller(t.Context(), test.caller), test.action, object, test.keys)
			if (err == nil) != test.allowed {
				t.Errorf("%s: %s: %v", env, name, err)
			}
		}
	}
}

func TestTheLakeIsLockedInProd(t *testing.T) {
	for env, assembly := range assemblies {
		bucket := assembly["Core"].template.Resources["Lake5F1B88EA"].Properties
		lock, _ := json.Marshal(bucket["ObjectLockConfiguration"])
		want := `null`
		if years := settings(t, env).LockYears; years > 0 {
			want = fmt.Sprintf(`{"ObjectLockEnabled":"Enabled","Rule":{"DefaultRetention":{"Days":%d,"Mode":"GOVERNANCE"}}}`, int(years)*365)
		}
		if string(lock) != want {
			t.Errorf("%s: %s", env, lock)
		}
		if versions := bucket["VersioningConfiguration"].(map[string]any)["Status"]; versions != "Enabled" {
			t.Errorf("%s: versioning is %v", env, versions)
		}
	}
}
