package test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"hl7lake/local"
	resolved "hl7lake/local/template"
	"hl7lake/local/wire"
)

// dataEvent is a call as CloudTrail's selectors see it, by field.
type dataEvent map[string]string

// eventSelector is one of a trail's advanced event selectors. It records an event that
// all of its fields allow (AWS CloudTrail API Reference, AdvancedEventSelector).
type eventSelector struct {
	FieldSelectors []struct {
		Field                                        string
		Equals, NotEquals, StartsWith, NotStartsWith []string
	}
}

func (s eventSelector) lets(e dataEvent) bool {
	for _, of := range s.FieldSelectors {
		value := e[of.Field]
		begins := func(prefix string) bool { return strings.HasPrefix(value, prefix) }
		switch {
		case of.Equals != nil && !slices.Contains(of.Equals, value), slices.Contains(of.NotEquals, value),
			of.StartsWith != nil && !slices.ContainsFunc(of.StartsWith, begins), slices.ContainsFunc(of.NotStartsWith, begins):
			return false
		}
	}
	return true
}

// watched is an environment whose trail can be asked.
type watched struct {
	stacks    *resolved.Assembly
	selectors []eventSelector
}

func newWatched(t *testing.T, env string) watched {
	t.Helper()
	stacks, err := local.Load("test/snapshots/" + env)
	if err != nil {
		t.Fatal(err)
	}
	trails := stacks.OfType("AWS::CloudTrail::Trail")
	if len(trails) != 1 {
		t.Fatalf("%s has %d trails", env, len(trails))
	}
	text, err := trails[0].JSON()
	if err != nil {
		t.Fatal(err)
	}
	var properties struct{ AdvancedEventSelectors []eventSelector }
	if err := json.Unmarshal(text, &properties); err != nil {
		t.Fatal(err)
	}
	return watched{stacks, properties.AdvancedEventSelectors}
}

// named returns the ARN of the one resource of a type whose logical id begins like this.
func (w watched) named(t *testing.T, resourceType, prefix string) string {
	t.Helper()
	for _, resource := range w.stacks.OfType(resourceType) {
		if strings.HasPrefix(resource.LogicalID, prefix) {
			switch resourceType {
			case "AWS::SNS::Topic":
				return resource.PhysicalID
			case "AWS::IAM::Role":
				return "arn:aws:sts::" + wire.Account + ":assumed-role/" + resource.PhysicalID + "/session"
			}
			return resource.Attributes["Arn"]
		}
	}
	t.Fatalf("no %s is called %s", resourceType, prefix)
	return ""
}

// TestTheTrailRecordsAllButWhatEachMessageMakesOurFunctionsDo checks what docs/bill.md
// relies on: a data event costs more than a request unit.
func TestTheTrailRecordsAllButWhatEachMessageMakesOurFunctionsDo(t *testing.T) {
	for env := range assemblies {
		w := newWatched(t, env)
		role := func(name string) string { return w.named(t, "AWS::IAM::Role", name+"R") } // IngestRole…, IdentitiesReader…
		lake := w.named(t, "AWS::S3::Bucket", "Lake") + "/ingestion/key"
		files := w.named(t, "AWS::S3::Bucket", "Files") + "/observations/key"
		claimCheck := w.named(t, "AWS::S3::Bucket", "ClaimCheck") + "/root/id"
		catalog := w.named(t, "AWS::DynamoDB::Table", "Catalog")
		receivedTable := w.named(t, "AWS::DynamoDB::Table", "Received")
		hub := w.named(t, "AWS::SNS::Topic", "Hub")
		administrator := "arn:aws:sts::" + wire.Account + ":assumed-role/Administrator/alice"
		user := "arn:aws:iam::" + wire.Account + ":user/hl7lake-" + env + "-bob"
		const object, item, topic = "AWS::S3::Object", "AWS::DynamoDB::Table", "AWS::SNS::Topic"
		for _, call := range []struct {
			who, name, kind, what string
			recorded              bool
		}{
			{role("Ingest"), "PutItem", item, receivedTable, false},
			{role("Ingest"), "Publish", topic, hub, false},
			{role("Writer"), "PutObject", object, lake, false},
			{role("Writer"), "UpdateItem", item, catalog, false},
			{role("Parse"), "Publish", topic, hub, false},
			{role("Reconcile"), "Query", item, catalog, false},
			{role("Tabulate"), "GetObject", object, lake, false},
			{role("Tabulate"), "GetObject", object, files, false},

			{administrator, "PutItem", item, receivedTable, true},
			{administrator, "Query", item, catalog, true},
			{administrator, "GetObject", object, lake, true},
			{administrator, "PutObject", object, lake, true},
			{administrator, "Publish", topic, hub, true},
			{user, "UpdateItem", item, catalog, true},
			{user, "PutObject", object, claimCheck, true},
			{administrator, "GetObject", object, files, true},
			{role("Tabulate"), "DeleteObject", object, lake, true},
			{role("Identities"), "GetObject", object, lake, true},
			{role("Identities"), "GetObject", object, files, true},
			{role("Identities"), "PutObject", object, lake, true},
			{role("Messages"), "GetObject", object, lake, true},
			{role("Writer"), "GetObject", object, lake, true},
			{role("Writer"), "DeleteObject", object, lake, true},
			{role("Parse"), "GetObject", object, claimCheck, true},
			{role("Ingest"), "PutObject", object, lake, true},
			{role("Ingest"), "GetItem", item, receivedTable, true},
			{role("Ingest"), "DeleteItem", item, receivedTable, true},
			{role("Writer"), "Scan", item, catalog, true},
		} {
			event := dataEvent{
				"eventCategory": "Data", "resources.type": call.kind, "resources.ARN": call.what,
				"eventName": call.name, "userIdentity.arn": call.who,
			}
			recorded := slices.ContainsFunc(w.selectors, func(s eventSelector) bool { return s.lets(event) })
			if recorded != call.recorded {
				t.Errorf("%s: %s of %s by %s: recorded: %v", env, call.name, call.what, call.who, recorded)
			}
		}
	}
}

// TestTheTrailHasOneKindOfSelectors: a trail has event selectors or advanced ones, even
// if the list of event selectors is empty (AWS CloudTrail API Reference,
// PutEventSelectors).
func TestTheTrailHasOneKindOfSelectors(t *testing.T) {
	for env, assembly := range assemblies {
		for name, resource := range assembly["Core"].template.Resources {
			if _, both := resource.Properties["EventSelectors"]; both && resource.Type == "AWS::CloudTrail::Trail" {
				t.Errorf("%s %s has EventSelectors beside AdvancedEventSelectors", env, name)
			}
		}
	}
}
