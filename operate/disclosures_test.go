package operate_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"hl7lake/client"
	"hl7lake/operate"
)

const (
	message = "01a204f6-07d0-7ce3-a84e-ee08b2a143f8"
	read    = `{"timestamp":"2026-11-22T20:00:00.000Z","audit":true,"action":"read","outcome":"done","who":"u1","reads":"st-elsewhere","id":"` + message + `","part":"er7"}`
)

func day(hour int) time.Time { return time.Date(2026, 11, 22, hour, 0, 0, 0, time.UTC) }

func TestDisclosuresAreWhatWasReadByWhoWithinTheTime(t *testing.T) {
	lines := []string{
		read,
		strings.NewReplacer(`"who":"u1"`, `"who":"u2"`, "T20:", "T21:").Replace(read),
		strings.Replace(read, `"outcome":"done"`, `"outcome":"not-found"`, 1),
		strings.Replace(read, `"action":"read"`, `"action":"post"`, 1),
		strings.NewReplacer(message, "another", "T20:", "T22:").Replace(read),
		`START RequestId: 1`, ``, `{"audit":"no"}`,
	}
	all := func(yield func([]byte) bool) {
		for _, line := range lines {
			if !yield([]byte(line)) {
				return
			}
		}
	}
	for name, test := range map[string]struct {
		q    operate.Question
		want []string
	}{
		"all":              {operate.Question{}, []string{"u1 " + message, "u2 " + message, "u1 another"}},
		"of a message":     {operate.Question{ID: message}, []string{"u1 " + message, "u2 " + message}},
		"of a user":        {operate.Question{User: "u2"}, []string{"u2 " + message}},
		"from a time on":   {operate.Question{From: day(21)}, []string{"u2 " + message, "u1 another"}},
		"up to a time":     {operate.Question{To: day(21)}, []string{"u1 " + message}},
		"of nobody's time": {operate.Question{From: day(23)}, nil},
	} {
		var got []string
		for d := range operate.DisclosuresIn(all, test.q) {
			got = append(got, d.Who+" "+d.ID)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// logs answers FilterLogEvents with the lines of each group, and Query with one object of
// the catalog.
func logs(t *testing.T, groups map[string][]string) *operate.Operator {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		var answer any = map[string]any{"Items": []any{map[string]any{
			"root": map[string]string{"S": message}, "key": map[string]string{"S": "staging/x.json"},
		}}}
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".FilterLogEvents") {
			var in struct{ LogGroupName string }
			if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
				t.Error(err)
			}
			var events []any
			for _, line := range groups[in.LogGroupName] {
				events = append(events, map[string]string{"message": line})
			}
			answer = map[string]any{"events": events}
		}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	operator, err := operate.New(client.Connection{
		Endpoint: server.URL, Credentials: &client.Key{AccessKeyID: "A", SecretAccessKey: "S"},
		Outputs: client.Outputs{"hl7lake-dev-core": {
			client.OutputLake: "lake", client.OutputHub: "arn:aws:sns:us-east-1:1:hub", client.OutputCatalog: "catalog",
			client.OutputClaimCheck: "checks", client.OutputReceived: "received", client.OutputReadsLog: "reads", client.OutputTrailLog: "trail", client.OutputPool: "us-east-1_pool",
		}},
	}, aws.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return operator
}

func TestObjectsThatWereFetchedFromS3AreDisclosuresUnlessAFunctionDidIt(t *testing.T) {
	fetch := func(arn, bucket, key, code string) string {
		text, err := json.Marshal(map[string]any{
			"eventTime": day(20), "errorCode": code, "userIdentity": map[string]string{"arn": arn},
			"requestParameters": map[string]string{"bucketName": bucket, "key": key},
		})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	const session = "arn:aws:sts::1:assumed-role/hl7lake-dev-front-door-"
	operator := logs(t, map[string][]string{
		"reads": {read},
		"trail": {
			fetch(session+"IdentitiesReader157A/CognitoIdentityCredentials", "lake", "staging/x.json", ""),
			fetch("arn:aws:iam::1:user/admin", "lake", "staging/y.json", ""),
			fetch(session+"MessagesRole6B/x", "lake", "staging/x.json", ""),
			fetch("arn:aws:iam::1:user/admin", "another", "staging/x.json", ""),
			fetch("arn:aws:iam::1:user/admin", "lake", "staging/x.json", "AccessDenied"),
		},
	})
	for name, test := range map[string]struct {
		q    operate.Question
		want []string
	}{
		"all": {operate.Question{}, []string{
			"api u1 " + message + " er7", "s3 " + session + "IdentitiesReader157A/CognitoIdentityCredentials x staging/x.json",
			"s3 arn:aws:iam::1:user/admin y staging/y.json",
		}},
		"of a message": {operate.Question{ID: message}, []string{
			"api u1 " + message + " er7", "s3 " + session + "IdentitiesReader157A/CognitoIdentityCredentials " + message + " staging/x.json",
		}},
		"of a caller": {operate.Question{User: "arn:aws:iam::1:user/admin"}, []string{"s3 arn:aws:iam::1:user/admin y staging/y.json"}},
	} {
		var got []string
		err := operator.Disclosures(t.Context(), test.q, func(d operate.Disclosure) error {
			got = append(got, strings.Join([]string{d.By, d.Who, d.ID, d.Part}, " "))
			return nil
		})
		if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}
