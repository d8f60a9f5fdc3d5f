package doctor_test

// This file has no test. It has the fake of AWS for the others.

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/encoding/cbor"

	"hl7lake/client"
)

// answer is one answer of AWS. Nothing that the probes call runs here.
type answer struct {
	status int
	body   string
}

// alarm is one alarm of the account, of this lake or not.
type alarm struct {
	name, state string
	muted       bool
}

// world is what the probes see: the account in its region, and the lake's addresses.
// Answers are keyed by operation, or by method and path. "NAME x" is for a call whose
// request contains x.
type world struct {
	answers map[string]answer
	alarms  []alarm
	skew    time.Duration // of the lake's clock

	mu    sync.Mutex
	asked []string // the operations, in order
}

func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	rw.Header().Set("Date", time.Now().Add(w.skew).UTC().Format(http.TimeFormat))
	form, _ := url.ParseQuery(string(body))
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch {
	case operation != "":
	case strings.Contains(r.URL.Path, "/operation/"):
		operation = path.Base(r.URL.Path)
	case form.Get("Action") != "":
		operation = form.Get("Action")
	default:
		operation = r.Method + " " + r.URL.Path
	}
	w.mu.Lock()
	w.asked = append(w.asked, operation)
	w.mu.Unlock()
	found, ok := w.answers[operation+" "+form.Get("StackName")+form.Get("NextToken")]
	if !ok {
		found, ok = w.answers[operation]
	}
	switch {
	case operation == "DescribeAlarms":
		rw.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
		rw.Header().Set("Content-Type", "application/cbor")
		if ok {
			rw.WriteHeader(found.status)
			_, _ = rw.Write(cbor.Encode(cbor.Map{"__type": cbor.String(found.body)}))
			return
		}
		_, _ = rw.Write(w.describeAlarms(body))
	case !ok:
		rw.WriteHeader(http.StatusNotFound)
	default:
		rw.WriteHeader(found.status)
		_, _ = io.WriteString(rw, found.body)
	}
}

// describeAlarms returns the account's alarms with the given names, or all if no name is
// given. Like CloudWatch, it refuses more than 100 names.
func (w *world) describeAlarms(body []byte) []byte {
	wanted := map[string]bool{}
	decoded, _ := cbor.Decode(body)
	request, _ := decoded.(cbor.Map)
	names, _ := request["AlarmNames"].(cbor.List)
	if len(names) > 100 {
		return cbor.Encode(cbor.Map{})
	}
	for _, name := range names {
		text, _ := name.(cbor.String)
		wanted[string(text)] = true
	}
	var list cbor.List
	for _, a := range w.alarms {
		if len(wanted) > 0 && !wanted[a.name] {
			continue
		}
		list = append(list, cbor.Map{
			"AlarmName": cbor.String(a.name), "StateValue": cbor.String(a.state), "ActionsEnabled": cbor.Bool(!a.muted),
			"AlarmDescription": cbor.String("Something is wrong. What to do: docs/runbook/" + path.Base(a.name) + ".md"),
		})
	}
	return cbor.Encode(cbor.Map{"MetricAlarms": list})
}

// start serves the world, and returns the configuration with which the probes see it.
func (w *world) start(t *testing.T) aws.Config {
	t.Helper()
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	return aws.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: client.StaticCredentials("a", "b"), RetryMaxAttempts: 1}
}

const (
	caller = `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>` +
		`<Arn>arn:aws:iam::111122223333:user/deployer</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`
	denied = `{"__type":"AccessDeniedException","message":"secret words"}`
)

// refused returns an error of a service that speaks XML.
func refused(code string) string {
	return "<ErrorResponse><Error><Code>" + code + "</Code><Message>secret words</Message></Error></ErrorResponse>"
}

func described(status, drift string) answer {
	return answer{200, fmt.Sprintf(`<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>s</StackName>
<CreationTime>2026-11-01T00:00:00Z</CreationTime><StackStatus>%s</StackStatus>
<DriftInformation><StackDriftStatus>%s</StackDriftStatus></DriftInformation></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`, status, drift)}
}

// listed returns a page of a stack's resources, given as "type name". next is the token
// of the following page, "" for the last.
func listed(next string, resources ...string) answer {
	var members strings.Builder
	for _, resource := range resources {
		kind, name, _ := strings.Cut(resource, " ")
		fmt.Fprintf(&members, `<member><ResourceType>%s</ResourceType><PhysicalResourceId>%s</PhysicalResourceId><LogicalResourceId>x</LogicalResourceId>
<ResourceStatus>CREATE_COMPLETE</ResourceStatus><LastUpdatedTimestamp>2026-11-01T00:00:00Z</LastUpdatedTimestamp></member>`, kind, name)
	}
	if next != "" {
		next = "<NextToken>" + next + "</NextToken>"
	}
	return answer{200, `<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>` + members.String() +
		`</StackResourceSummaries>` + next + `</ListStackResourcesResult></ListStackResourcesResponse>`}
}

// subscribed returns a list of subscriptions, given as "ARN protocol endpoint".
func subscribed(subscriptions ...string) answer {
	var members strings.Builder
	for _, subscription := range subscriptions {
		parts := strings.Fields(subscription)
		fmt.Fprintf(&members, `<member><SubscriptionArn>%s</SubscriptionArn><Protocol>%s</Protocol><Endpoint>%s</Endpoint></member>`, parts[0], parts[1], parts[2])
	}
	return answer{200, `<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions>` + members.String() +
		`</Subscriptions></ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>`}
}
