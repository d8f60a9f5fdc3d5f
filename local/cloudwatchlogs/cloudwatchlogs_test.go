package cloudwatchlogs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/local/cloudwatchlogs"
	"hl7lake/local/wire"
)

const lines = `{"timestamp":"2026-01-02T03:04:05.100Z","level":"INFO","message":"accepted","id":"one","status":"201","took":12,"ok":true}
panic: something
{"time":"2026-01-02T03:04:06Z","level":"ERROR","message":"failed","id":"two","status":"503","took":1200.5,"why":null,"deep":{"list":[{"a":"b"}]}}
{"timestamp":"2026-01-02T03:04:07Z","level":"WARN","message":"say \"hello\"","id":"three","status":"500"}
`

// rig is a service of two groups, one with the given lines, and what it asked of the
// policies.
type rig struct {
	handler http.Handler
	file    string
	asked   []string
	deny    bool
}

func start(t *testing.T, content string) *rig {
	t.Helper()
	r := &rig{file: filepath.Join(t.TempDir(), "ingest.log")}
	if err := os.WriteFile(r.file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	service := cloudwatchlogs.New(func(_ context.Context, action, resource string, _ map[string]string) error {
		r.asked = append(r.asked, action+" "+resource)
		if r.deny {
			return &wire.Error{Status: 400, Code: "AccessDeniedException", Message: "denied"}
		}
		return nil
	}, func() map[string]string {
		return map[string]string{"writer": r.file + ".none", "front-Ingest": r.file}
	})
	service.Add("front-Ingest", cloudwatchlogs.Group{RetentionInDays: 7})
	service.Add("access", cloudwatchlogs.Group{})
	r.handler = service
	return r
}

// call decodes the answer of an operation into a value, and returns the refusal, if any.
func (r *rig) call(t *testing.T, operation string, input map[string]any, into any) string {
	t.Helper()
	body, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", bytes.NewReader(body))
	request.Header.Set("X-Amz-Target", "Logs_20140328."+operation)
	answer := httptest.NewRecorder()
	r.handler.ServeHTTP(answer, request)
	if answer.Code != http.StatusOK {
		var refusal struct {
			Type    string `json:"__type"`
			Message string
		}
		if err := json.Unmarshal(answer.Body.Bytes(), &refusal); err != nil {
			t.Fatal(err)
		}
		return refusal.Type + ": " + refusal.Message
	}
	if err := json.Unmarshal(answer.Body.Bytes(), into); err != nil {
		t.Fatal(err)
	}
	return ""
}

type events struct {
	Events []struct {
		Timestamp        int64
		Message, EventID string
	}
	NextToken string
}

// said returns the numbers of the lines that match the pattern.
func (r *rig) said(t *testing.T, input map[string]any) (numbers []int) {
	t.Helper()
	input["logGroupName"] = "front-Ingest"
	var list events
	if refusal := r.call(t, "FilterLogEvents", input, &list); refusal != "" {
		t.Fatalf("%v: %s", input, refusal)
	}
	for _, event := range list.Events {
		for n, line := range strings.Split(lines, "\n") {
			if line == event.Message {
				numbers = append(numbers, n)
			}
		}
	}
	return numbers
}

func TestAPatternFindsTheLinesThatAWSSaysItDoes(t *testing.T) {
	r := start(t, lines)
	for pattern, want := range map[string][]int{
		``:                                   {0, 1, 2, 3},
		`failed`:                             {2},
		`Failed`:                             nil,
		`panic something`:                    {1},
		`"panic: something"`:                 {1},
		`level -ERROR`:                       {0, 3},
		`?accepted ?failed`:                  {0, 2},
		`"say \\"`:                           nil,
		`{ $.status = "5*" }`:                {2, 3},
		`{$.status="503"}`:                   {2},
		`{ $.status != "5*" }`:               {0},
		`{ $.id = two }`:                     {2},
		`{ $.took > 12 }`:                    {2},
		`{ $.took >= 12 && $.took < 13 }`:    {0},
		`{ $.took = 12 || $.id = "three" }`:  {0, 3},
		`{ ($.id = "*e") && ($.took = 12) }`: {0},
		`{ $.ok IS TRUE }`:                   {0},
		`{ $.why IS NULL }`:                  {2},
		`{ $.took NOT EXISTS }`:              {3},
		`{ $.deep.list[0].a = "b" }`:         {2},
		`{ $.deep.list[1].a = "b" }`:         nil,
	} {
		if diff := cmp.Diff(want, r.said(t, map[string]any{"filterPattern": pattern})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", pattern, diff)
		}
	}
}

func TestAPatternThatIsNoneIsRefused(t *testing.T) {
	r := start(t, lines)
	for pattern, want := range map[string]string{
		`{ $.a = `:      "InvalidParameterException",
		`{ $.a = "b"`:   "InvalidParameterException",
		`{ a = "b" }`:   "InvalidParameterException",
		`{ $.a ~ "b" }`: "InvalidParameterException",
		`{ $.a > "b" }`: "InvalidParameterException",
		`{ }`:           "InvalidParameterException",
		`"open`:         "InvalidParameterException",
		`[ip, user]`:    "NotImplemented: the filter pattern [ip, user] is not run",
		`%a+%`:          "NotImplemented: the filter pattern",
	} {
		refusal := r.call(t, "FilterLogEvents", map[string]any{"logGroupName": "front-Ingest", "filterPattern": pattern}, nil)
		if !strings.HasPrefix(refusal, want) {
			t.Errorf("%s: %s, want %s", pattern, refusal, want)
		}
	}
}

func TestEventsHaveTheTimeThatTheirLineSaysOrTheLineBefore(t *testing.T) {
	r := start(t, lines)
	const second = 1767323046000 // 2026-01-02T03:04:06Z
	for _, test := range []struct {
		input map[string]any
		want  []int
	}{
		{map[string]any{"startTime": second}, []int{2, 3}},
		{map[string]any{"endTime": second}, []int{0, 1, 2}},
		{map[string]any{"startTime": second - 900, "endTime": second - 900}, []int{0, 1}},
	} {
		if diff := cmp.Diff(test.want, r.said(t, test.input)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", test.input, diff)
		}
	}
}

func TestPagesHoldEveryLineOnceAndNoneThatIsStillWritten(t *testing.T) {
	var content strings.Builder
	const count = 25_000
	for n := range count {
		fmt.Fprintf(&content, "{\"n\":%d,\"text\":%q}\n", n, strings.Repeat("x", 100))
	}
	r := start(t, content.String()+"half a li")
	input := map[string]any{"logGroupIdentifier": "arn:aws:logs:us-east-1:123456789012:log-group:front-Ingest:*"}
	seen, pages := map[string]bool{}, 0
	for n := 0; ; pages++ {
		var list events
		if refusal := r.call(t, "FilterLogEvents", input, &list); refusal != "" {
			t.Fatal(refusal)
		}
		size := 0
		for _, event := range list.Events {
			if !strings.HasPrefix(event.Message, fmt.Sprintf(`{"n":%d,`, n)) || seen[event.EventID] {
				t.Fatalf("event %d: %.40s, id %s", n, event.Message, event.EventID)
			}
			seen[event.EventID] = true
			n, size = n+1, size+len(event.Message)
		}
		if len(list.Events) > 10_000 || size > 1<<20 {
			t.Errorf("a page of %d events, %d bytes", len(list.Events), size)
		}
		if list.NextToken == "" {
			break
		}
		input["nextToken"] = list.NextToken
	}
	if len(seen) != count || pages < 2 {
		t.Errorf("%d events on %d pages", len(seen), pages)
	}
	if refusal := r.call(t, "FilterLogEvents", map[string]any{"logGroupName": "front-Ingest", "nextToken": "x"}, nil); !strings.HasPrefix(refusal, "InvalidParameterException") {
		t.Error(refusal)
	}
}

func TestALineThatIsTooLongIsCutAndTheNextOneIsWhole(t *testing.T) {
	r := start(t, strings.Repeat("a", 1<<20)+"\n"+lines)
	var list events
	if refusal := r.call(t, "FilterLogEvents", map[string]any{"logGroupName": "front-Ingest"}, &list); refusal != "" {
		t.Fatal(refusal)
	}
	if len(list.Events) != 5 || len(list.Events[0].Message) != 256<<10 || list.Events[2].Message != "panic: something" {
		t.Errorf("%d events", len(list.Events))
	}
}

func TestGroupsAreFoundByTheBeginningOfTheirName(t *testing.T) {
	r := start(t, lines)
	type groups struct {
		LogGroups []struct {
			LogGroupName, ARN            string
			StoredBytes, RetentionInDays int
		}
		NextToken string
	}
	for _, test := range []struct {
		input map[string]any
		want  string
	}{
		{map[string]any{}, "access front-Ingest writer"},
		{map[string]any{"logGroupNamePrefix": "front-"}, "front-Ingest"},
		{map[string]any{"logGroupNamePattern": "ingest"}, "front-Ingest"},
		{map[string]any{"logGroupNamePrefix": "none"}, ""},
	} {
		var got groups
		r.call(t, "DescribeLogGroups", test.input, &got)
		var names []string
		for _, g := range got.LogGroups {
			names = append(names, g.LogGroupName)
			if g.LogGroupName == "front-Ingest" && (g.StoredBytes != len(lines) || g.RetentionInDays != 7) {
				t.Errorf("%+v", g)
			}
		}
		if strings.Join(names, " ") != test.want {
			t.Errorf("%v: %v, want %s", test.input, names, test.want)
		}
	}
	var first, second groups
	r.call(t, "DescribeLogGroups", map[string]any{"limit": 2}, &first)
	r.call(t, "DescribeLogGroups", map[string]any{"limit": 2, "nextToken": first.NextToken}, &second)
	if len(first.LogGroups) != 2 || len(second.LogGroups) != 1 || second.NextToken != "" {
		t.Errorf("%+v, then %+v", first, second)
	}
}

func TestAGroupWithoutLinesHasNoStreamAndNoEvents(t *testing.T) {
	r := start(t, lines)
	for name, want := range map[string]int{"front-Ingest": 1, "writer": 0, "access": 0} {
		var streams struct {
			LogStreams []struct{ LogStreamName string }
		}
		var list events
		first := r.call(t, "DescribeLogStreams", map[string]any{"logGroupName": name}, &streams)
		second := r.call(t, "FilterLogEvents", map[string]any{"logGroupName": name}, &list)
		if first+second != "" || len(streams.LogStreams) != want || len(list.Events) > 0 != (want > 0) {
			t.Errorf("%s: %s %s %v, %d events", name, first, second, streams, len(list.Events))
		}
	}
	if refusal := r.call(t, "FilterLogEvents", map[string]any{"logGroupName": "nothing"}, nil); !strings.HasPrefix(refusal, "ResourceNotFoundException") {
		t.Error(refusal)
	}
}

func TestEachOperationAsksForItsOwnPermission(t *testing.T) {
	r := start(t, lines)
	r.deny = true
	for operation, resource := range map[string]string{"DescribeLogGroups": "*", "DescribeLogStreams": "front-Ingest:*", "FilterLogEvents": "front-Ingest:*"} {
		r.asked = nil
		refusal := r.call(t, operation, map[string]any{"logGroupName": "front-Ingest"}, nil)
		want := "logs:" + operation + " arn:aws:logs:us-east-1:123456789012:log-group:" + resource
		if refusal != "AccessDeniedException: denied" || len(r.asked) != 1 || r.asked[0] != want {
			t.Errorf("%s: %s, asked for %v", operation, refusal, r.asked)
		}
	}
}
