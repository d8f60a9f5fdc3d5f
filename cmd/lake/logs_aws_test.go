package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// cloudWatchLogs answers as CloudWatch Logs does (API Reference, DescribeLogGroups and
// FilterLogEvents), with one item on each page.
func cloudWatchLogs(t *testing.T) {
	t.Helper()
	groups := []string{"hl7lake-dev-core-WriterLogsD35A6CC7-1", "hl7lake-dev-front-door-IngestLogs41B5EF21-2"}
	events := map[string][]map[string]any{
		groups[0]: {
			{"eventId": "1", "timestamp": 1795612371000, "message": `{"level":"INFO","action":"write","id":"01a2-a"}` + "\n"},
			{"eventId": "2", "timestamp": 1795612372000, "message": `{"level":"INFO","action":"write","id":"01a2-b"}` + "\n"},
		},
		groups[1]: {{"eventId": "3", "timestamp": 1795612370840, "message": `{"level":"INFO","action":"post","id":"01a2-a"}`}},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			LogGroupNamePrefix, LogGroupName, FilterPattern, NextToken string
		}
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &request); err != nil {
			t.Error(err)
		}
		at := len(request.NextToken)
		answer := map[string]any{}
		switch r.Header.Get("X-Amz-Target") {
		case "Logs_20140328.DescribeLogGroups":
			if !strings.HasPrefix(groups[at], request.LogGroupNamePrefix) {
				t.Errorf("asked for %s", request.LogGroupNamePrefix)
			}
			answer["logGroups"] = []map[string]string{{"logGroupName": groups[at]}}
			if at+1 < len(groups) {
				answer["nextToken"] = request.NextToken + "x"
			}
		case "Logs_20140328.FilterLogEvents":
			all := events[request.LogGroupName]
			if strings.Contains(all[at]["message"].(string), strings.Trim(request.FilterPattern, `"`)) {
				answer["events"] = all[at : at+1]
			}
			if at+1 < len(all) {
				answer["nextToken"] = request.NextToken + "x"
			}
		default:
			w.WriteHeader(http.StatusBadRequest)
			answer["__type"] = "UnknownOperationException"
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "x")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
}

func TestLogsOfADeployedLakeAreThoseOfCloudWatch(t *testing.T) {
	cloudWatchLogs(t)
	outputs := filepath.Join(t.TempDir(), "outputs.json")
	if err := os.WriteFile(outputs, []byte(`{"hl7lake-dev-core":{"x":"y"},"hl7lake-dev-front-door":{"UserPoolId":"eu-west-1_x"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	got := call(t, nil, "", "logs", "--outputs", outputs)
	want := result{Out: `13:12:50.840Z  ingest     INFO   action=post id=01a2-a
13:12:51.000Z  writer     INFO   action=write id=01a2-a
13:12:52.000Z  writer     INFO   action=write id=01a2-b
`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := call(t, nil, "", "logs", "--outputs", outputs, "01A2-A"); strings.Count(got.Out, "\n") != 2 || strings.Contains(got.Out, "01a2-b") {
		t.Errorf("of one message: %s%s", got.Out, got.Err)
	}
	got = call(t, nil, "", "logs", "--outputs", outputs, "--function", "prase")
	if got.Status != statusRefused || !strings.Contains(got.Err, "ingest, writer") {
		t.Errorf("%d: %s", got.Status, got.Err)
	}
}
