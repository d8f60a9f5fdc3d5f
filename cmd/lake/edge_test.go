package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hl7lake/client"
	"hl7lake/edge"
	"hl7lake/edge/config"
	"hl7lake/edge/quarantine"
	"hl7lake/edge/queue"
)

// edgeFolder has a configuration that can be run, in front of the API at a URL.
func edgeFolder(t *testing.T, url string) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("edge.yaml", `data: data
key_file: edge.key
lake: {outputs: outputs.json}
credentials: {user: engine@example.org, password_env: PASSWORD}
listeners:
  - {name: adt, address: "127.0.0.1:0"}
`)
	write("outputs.json", `{"s":{"`+client.OutputAPI+`":"`+url+`","`+client.OutputPool+`":"us-east-1_x","`+client.OutputClient+`":"c"}}`)
	if got := call(t, nil, "", "edge", "key", filepath.Join(dir, "edge.key")); got.Status != statusDone {
		t.Fatalf("%+v", got)
	}
	return dir, filepath.Join(dir, "edge.yaml")
}

func TestEdgeCheckTellsWhatIsWrong(t *testing.T) {
	dir, path := edgeFolder(t, "http://127.0.0.1:1")
	environment := map[string]string{"PASSWORD": "p"}
	if got := call(t, environment, "", "edge", "--check", "--config", path); got.Status != statusDone || !strings.Contains(got.Out, "good, listeners: 1") {
		t.Errorf("%+v", got)
	}
	if got := call(t, nil, "", "edge", "--check", "--config", path); got.Status != statusUnusable || !strings.Contains(got.Err, "the environment has no PASSWORD") {
		t.Errorf("%+v", got)
	}
	if err := os.WriteFile(path, []byte("data: data\nlisteners: []\nport: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := call(t, nil, "", "edge", "--config", path); got.Status != statusUnusable || !strings.Contains(got.Err, "edge.yaml:3: port: there is no such setting") {
		t.Errorf("%+v", got)
	}
	if got := call(t, nil, "", "edge", "--config", filepath.Join(dir, "none")); got.Status != statusUnusable || !strings.Contains(got.Err, "docs/edge.md") {
		t.Errorf("%+v", got)
	}
	if got := call(t, nil, "", "edge", "key", filepath.Join(dir, "edge.key")); got.Status != statusUnusable {
		t.Errorf("a key was written over: %+v", got)
	}
}

func TestQuarantineListsAndWantsNames(t *testing.T) {
	dir, path := edgeFolder(t, "http://127.0.0.1:1")
	key, err := queue.ReadKey(filepath.Join(dir, "edge.key"))
	if err != nil {
		t.Fatal(err)
	}
	folder, err := edge.OpenQuarantine(config.Config{Data: filepath.Join(dir, "data")}, key)
	if err != nil {
		t.Fatal(err)
	}
	e := quarantine.Entry{Listener: "adt", Received: time.Unix(0, 0), Status: 400, Code: "empty-body", Detail: "The message is empty."}
	if err := folder.Add(e, 17, []byte("x")); err != nil {
		t.Fatal(err)
	}
	const name = "19700101T000000.000-adt-17"
	if got := call(t, nil, "", "edge", "quarantine", "list", "--config", path); got.Status != statusDone || !strings.Contains(got.Out, name) ||
		!strings.Contains(got.Out, "400 The message is") {
		t.Errorf("%+v", got)
	}
	if got := call(t, nil, "", "edge", "quarantine", "list", "--json", "--config", path); !strings.Contains(got.Out, `[{"name":"`+name+`"`) {
		t.Errorf("%+v", got)
	}
	for want, arguments := range map[string][]string{
		"or --all": {"resend"}, "x is not in quarantine": {"resend", "x"}, "the environment has no PASSWORD": {"resend", "--all"},
	} {
		got := call(t, nil, "", append([]string{"edge", "quarantine", "--config", path}, arguments...)...)
		if got.Status != statusUnusable || !strings.Contains(got.Err, want) {
			t.Errorf("%v: %+v", arguments, got)
		}
	}
}
