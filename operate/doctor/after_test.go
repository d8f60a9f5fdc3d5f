package doctor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"hl7lake/client"
	"hl7lake/operate/doctor"
)

const (
	topic = "arn:aws:sns:eu-west-1:111122223333:hl7lake-dev-core-Alarms"
	pool  = "eu-west-1_Pool"
	keys  = "GET /" + pool + "/.well-known/jwks.json"
	idp   = "GET /" + pool + "/.well-known/openid-configuration"
)

// healthy is a lake of three stacks that is in order, in an account that also has alarms
// of others.
func healthy() *world {
	return &world{
		answers: map[string]answer{
			"GetCallerIdentity":                          {200, caller},
			"DescribeStacks":                             described("CREATE_COMPLETE", "NOT_CHECKED"),
			"ListStackResources hl7lake-dev-core":        listed("2", "AWS::SQS::Queue q", "AWS::CloudWatch::Alarm hl7lake-dev-lost-events-hub"),
			"ListStackResources hl7lake-dev-core2":       listed("", "AWS::CloudWatch::Alarm hl7lake-dev-throttles-hub"),
			"ListStackResources hl7lake-dev-front-door":  listed("", "AWS::CloudWatch::Alarm hl7lake-dev-errors-ingest"),
			"ListStackResources hl7lake-dev-staging-er7": listed(""),
			"ListSubscriptionsByTopic":                   subscribed(topic + ":1 email on-call@hospital.test"),
			"GET /messages/none":                         {401, `{"message":"Unauthorized"}`},
			idp:                                          {200, `{"issuer":"https://cognito-idp.eu-west-1.amazonaws.com/` + pool + `","jwks_uri":"x"}`},
			keys:                                         {200, `{"keys":[{"kid":"a","kty":"RSA"},{"kid":"b","kty":"RSA"}]}`},
			"POST /pages/oauth2/token":                   {400, `{"error":"invalid_request"}`},
			"GET /console":                               {200, `<script type="module" src="/console/main.js"></script>`},
		},
		alarms: []alarm{
			{name: "hl7lake-dev-lost-events-hub", state: "OK"}, {name: "hl7lake-dev-throttles-hub", state: "OK"},
			{name: "hl7lake-dev-errors-ingest", state: "INSUFFICIENT_DATA"},
			{name: "hl7lake-dev-2-errors-ingest", state: "ALARM"}, {name: "somebody-elses", state: "ALARM"},
		},
	}
}

// deployed is the deployed lake in a world.
func deployed(c aws.Config) client.Connection {
	return client.Connection{Outputs: client.Outputs{
		"hl7lake-dev-core": {"HubTopicArn": "arn:aws:sns:eu-west-1:111122223333:hub", "AlarmTopicArn": topic,
			"LakeBucketName": "l", "CatalogTableName": "c", "ClaimCheckBucketName": "k"},
		"hl7lake-dev-front-door": {"ApiUrl": *c.BaseEndpoint + "/", "UserPoolId": pool, "UserPoolClientId": "u", "ConsoleClientId": "u",
			"IdentityPoolId": "i", "ReconcileFunctionName": "r", "ReceivedTableName": "t", "ReadsLogGroupName": "l",
			"TrailLogGroupName": "l", "SignInUrl": *c.BaseEndpoint + "/pages", "ConsoleUrl": *c.BaseEndpoint + "/console"},
		"hl7lake-dev-staging-er7": {},
	}}
}

func TestALakeInOrderHasNothingToDo(t *testing.T) {
	w := healthy()
	c := w.start(t)
	var said []string
	good := doctor.Examine(t.Context(), false, doctor.After(c, deployed(c)), func(f doctor.Finding) {
		said = append(said, f.Probe)
		if f.Verdict != doctor.OK || f.Text == "" || f.Next != "" {
			t.Errorf("%+v", f)
		}
	})
	want := "credentials outputs stack stack stack api clock issuer keys sign-in console alarms subscriptions"
	if got := strings.Join(said, " "); !good || got != want {
		t.Errorf("good is %v, probes %s, want %s", good, got, want)
	}
}

func TestAfterADeploymentEachProbeSaysWhatIsWrong(t *testing.T) {
	events := "describe-stack-events --stack-name hl7lake-dev-core"
	state := func(status string) map[string]answer {
		return map[string]answer{"DescribeStacks hl7lake-dev-core": described(status, "NOT_CHECKED")}
	}
	for _, test := range []struct {
		name    string
		answers map[string]answer
		probe   string
		want    doctor.Verdict
		says    string // parts, separated by |
	}{
		{"another account", map[string]answer{"GetCallerIdentity": {200, strings.ReplaceAll(caller, "111122223333", "444455556666")}},
			"credentials", doctor.Fail, "444455556666|111122223333|AWS_PROFILE"},
		{"a session that is over", map[string]answer{"GetCallerIdentity": {403, refused("ExpiredToken")}}, "credentials", doctor.Fail, "sign in again"},
		{"no alarms are asked for then", map[string]answer{"GetCallerIdentity": {403, refused("ExpiredToken")}}, "alarms", doctor.Skip, "not asked"},

		{"a console that wants a token", map[string]answer{"GET /console": {401, `{"message":"Unauthorized"}`}}, "console", doctor.Fail, "answers 401|cdk diff"},
		{"another page than the console's", map[string]answer{"GET /console": {200, "<html>"}}, "console", doctor.Fail, "ConsoleUrl"},

		{"updated", state("UPDATE_COMPLETE"), "stack", doctor.OK, ""},
		{"imported", state("IMPORT_COMPLETE"), "stack", doctor.OK, ""},
		{"rolled back by an update", state("UPDATE_ROLLBACK_COMPLETE"), "stack", doctor.Warn, "UPDATE_ROLLBACK_COMPLETE|" + events + "|deploy again"},
		{"a rollback that failed", state("UPDATE_ROLLBACK_FAILED"), "stack", doctor.Fail, events + "|npx cdk rollback"},
		{"a creation that failed", state("ROLLBACK_COMPLETE"), "stack", doctor.Fail, events + "|makes it anew"},
		{"a creation that failed, protected as prod's", map[string]answer{"DescribeStacks hl7lake-dev-core": {200, strings.Replace(
			described("ROLLBACK_COMPLETE", "NOT_CHECKED").body, "<StackName>", "<EnableTerminationProtection>true</EnableTerminationProtection><StackName>", 1)}},
			"stack", doctor.Fail, events + "|update-termination-protection --no-enable-termination-protection --stack-name hl7lake-dev-core"},
		{"a creation that failed and was left so", state("CREATE_FAILED"), "stack", doctor.Fail, events + "|npx cdk rollback"},
		{"a creation that rolls back", state("ROLLBACK_IN_PROGRESS"), "stack", doctor.Fail, "Wait"},
		{"an update that goes on", state("UPDATE_IN_PROGRESS"), "stack", doctor.Warn, "Wait"},
		{"an update that cleans up", state("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"), "stack", doctor.Warn, "Wait"},
		{"a change set alone", state("REVIEW_IN_PROGRESS"), "stack", doctor.Fail, "deploy it"},
		{"half destroyed", state("DELETE_FAILED"), "stack", doctor.Fail, events + "|Destroy it again"},
		{"being destroyed", state("DELETE_IN_PROGRESS"), "stack", doctor.Fail, "Wait until it is gone"},
		{"a state of later years", state("SLEEPING"), "stack", doctor.Fail, "SLEEPING|" + events},
		{"drift", map[string]answer{"DescribeStacks hl7lake-dev-core": described("UPDATE_COMPLETE", "DRIFTED")}, "stack", doctor.Warn,
			"drifted|describe-stack-resource-drifts --stack-name hl7lake-dev-core"},
		{"drift and failure", map[string]answer{"DescribeStacks hl7lake-dev-core": described("UPDATE_FAILED", "DRIFTED")}, "stack", doctor.Fail,
			"drifted|" + events + "|describe-stack-resource-drifts"},
		{"no drift", map[string]answer{"DescribeStacks hl7lake-dev-core": described("UPDATE_COMPLETE", "IN_SYNC")}, "stack", doctor.OK, ""},
		{"no such stack", map[string]answer{"DescribeStacks hl7lake-dev-staging-er7": {400, refused("ValidationError")}}, "stack", doctor.Fail,
			"hl7lake-dev-staging-er7 does not exist"},
		{"a denied stack", map[string]answer{"DescribeStacks hl7lake-dev-core": {403, refused("AccessDenied")}}, "stack", doctor.Fail,
			`lack cloudformation:DescribeStacks|"Resource":"arn:aws:cloudformation:eu-west-1:111122223333:stack/hl7lake-dev-core/*"`},

		{"an API without an authorizer", map[string]answer{"GET /messages/none": {404, ""}}, "api", doctor.Fail, "answers 404|authorizer"},
		{"an API that is open", map[string]answer{"GET /messages/none": {200, ""}}, "api", doctor.Fail, "answers 200"},
		{"an API that fails", map[string]answer{"GET /messages/none": {503, ""}}, "api", doctor.Fail, "answers 503|docs/runbook/api-errors.md"},

		{"no issuer", map[string]answer{idp: {404, `{"message":"Not Found"}`}}, "issuer", doctor.Fail, "openid-configuration answers 404|UserPoolId"},
		{"an issuer of other tokens", map[string]answer{idp: {200, `{"issuer":"https://else.test","jwks_uri":"x"}`}}, "issuer", doctor.Fail, "https://else.test"},
		{"an issuer without keys", map[string]answer{idp: {200, `{"issuer":"https://cognito-idp.eu-west-1.amazonaws.com/` + pool + `"}`}}, "issuer", doctor.Fail, "keys"},
		{"a page in place of the issuer", map[string]answer{idp: {200, "<html>"}}, "issuer", doctor.Fail, "want 200 with JSON"},
		{"no keys", map[string]answer{keys: {404, ""}}, "keys", doctor.Fail, "jwks.json answers 404"},
		{"an empty set of keys", map[string]answer{keys: {200, `{"keys":[]}`}}, "keys", doctor.Fail, "no key"},
		{"a key without a name", map[string]answer{keys: {200, `{"keys":[{"kty":"RSA"}]}`}}, "keys", doctor.Fail, "no key"},

		{"an unknown client", map[string]answer{"POST /pages/oauth2/token": {401, `{"error":"invalid_client"}`}}, "sign-in", doctor.OK, "/pages"},
		{"a domain of nobody", map[string]answer{"POST /pages/oauth2/token": {400, "<html>"}}, "sign-in", doctor.Fail, "answers 400|user pool's domain"},
		{"a domain that refuses in other words", map[string]answer{"POST /pages/oauth2/token": {403, `{"message":"Forbidden"}`}}, "sign-in", doctor.Fail, "answers 403"},
		{"a domain that is not ready", map[string]answer{"POST /pages/oauth2/token": {503, ""}}, "sign-in", doctor.Fail, "answers 503|some minutes"},
		{"a domain that gives tokens to anybody", map[string]answer{"POST /pages/oauth2/token": {200, `{"access_token":"x"}`}}, "sign-in", doctor.Fail, "answers 200"},

		{"denied resources", map[string]answer{"ListStackResources hl7lake-dev-front-door": {403, refused("AccessDenied")}}, "alarms", doctor.Fail,
			`lack cloudformation:ListStackResources|stack/hl7lake-dev-front-door/*`},
		{"denied alarms", map[string]answer{"DescribeAlarms": {403, "com.amazonaws.cloudwatch#AccessDenied"}}, "alarms", doctor.Fail,
			`{"Effect":"Allow","Action":"cloudwatch:DescribeAlarms","Resource":"*"}`},

		{"nobody to be told", map[string]answer{"ListSubscriptionsByTopic": subscribed()}, "subscriptions", doctor.Warn, "nobody|AlarmAddresses"},
		{"who left is nobody", map[string]answer{"ListSubscriptionsByTopic": subscribed("Deleted email on-call@hospital.test")}, "subscriptions", doctor.Warn, "nobody"},
		{"not confirmed", map[string]answer{"ListSubscriptionsByTopic": subscribed(topic+":1 email on-call@hospital.test", "PendingConfirmation email night@hospital.test")},
			"subscriptions", doctor.Warn, "1 of 2 not confirmed: night@hospital.test|two days|aws sns subscribe --topic-arn " + topic},
		{"denied subscriptions", map[string]answer{"ListSubscriptionsByTopic": {403, refused("AuthorizationError")}}, "subscriptions", doctor.Fail,
			`{"Effect":"Allow","Action":"sns:ListSubscriptionsByTopic","Resource":"` + topic + `"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := healthy()
			maps.Copy(w.answers, test.answers)
			c := w.start(t)
			expect(t, finding(t, doctor.After(c, deployed(c)), test.probe), test.want, strings.Split(test.says, "|")...)
		})
	}
}

func TestOnlyTheLakesOwnAlarmsAreTold(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*world)
		want   doctor.Verdict
		says   []string
	}{
		{"others' alarms are nothing to this lake", func(*world) {}, doctor.OK, []string{"none of 3 in alarm, 1 without data"}},
		{"one of its own", func(w *world) { w.alarms[0].state = "ALARM" }, doctor.Fail,
			[]string{"in alarm: hl7lake-dev-lost-events-hub", "docs/runbook/hl7lake-dev-lost-events-hub.md"}},
		{"one of the second page of a stack's resources", func(w *world) { w.alarms[1].state = "ALARM" }, doctor.Fail,
			[]string{"in alarm: hl7lake-dev-throttles-hub"}},
		{"one that does nothing", func(w *world) { w.alarms[2].muted = true }, doctor.Warn,
			[]string{"do nothing: hl7lake-dev-errors-ingest", "enable-alarm-actions --alarm-names hl7lake-dev-errors-ingest"}},
		{"one that was deleted by hand", func(w *world) { w.alarms = w.alarms[1:] }, doctor.Fail,
			[]string{"deleted by hand: hl7lake-dev-lost-events-hub"}},
		{"stacks without alarms", func(w *world) {
			for _, stack := range []string{"core", "front-door", "staging-er7"} {
				w.answers["ListStackResources hl7lake-dev-"+stack] = listed("")
			}
		}, doctor.Fail, []string{"none", "Deploy all stacks"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := healthy()
			test.change(w)
			c := w.start(t)
			got := finding(t, doctor.After(c, deployed(c)), "alarms")
			expect(t, got, test.want, test.says...)
			for _, other := range []string{"somebody-elses", "hl7lake-dev-2"} {
				if strings.Contains(got.Text+got.Next, other) {
					t.Errorf("%+v tells of %s", got, other)
				}
			}
		})
	}
}

func TestMoreAlarmsThanCloudWatchTakesAtOnceAreAllLookedAt(t *testing.T) {
	w := healthy()
	var made []string
	for i := range 230 {
		name := fmt.Sprintf("hl7lake-dev-alarm-%03d", i)
		made = append(made, "AWS::CloudWatch::Alarm "+name)
		w.alarms = append(w.alarms, alarm{name: name, state: "OK"})
	}
	w.alarms[len(w.alarms)-1].state = "ALARM"
	w.answers["ListStackResources hl7lake-dev-staging-er7"] = listed("", made...)
	c := w.start(t)
	got := finding(t, doctor.After(c, deployed(c)), "alarms")
	expect(t, got, doctor.Fail, "in alarm: hl7lake-dev-alarm-229")
	if strings.Contains(got.Text, "deleted") {
		t.Errorf("%+v", got)
	}
}

func TestClocksThatAreApartAreTold(t *testing.T) {
	for _, test := range []struct {
		skew time.Duration
		want doctor.Verdict
		says string
	}{
		{0, doctor.OK, "agrees"},
		{-50 * time.Second, doctor.OK, "agrees"},
		{70 * time.Second, doctor.Warn, "behind AWS's"},
		{-70 * time.Second, doctor.Warn, "ahead of AWS's"},
		{290 * time.Second, doctor.Warn, "NTP"},
		{310 * time.Second, doctor.Fail, "NTP"},
		{-24 * time.Hour, doctor.Fail, "ahead of AWS's"},
	} {
		w := healthy()
		w.skew = test.skew
		c := w.start(t)
		expect(t, finding(t, doctor.After(c, deployed(c)), "clock"), test.want, test.says)
	}
}

func TestAddressesWhereNobodyAnswersAreToldAndTheRestIsLookedAt(t *testing.T) {
	c := healthy().start(t)
	connection := deployed(c)
	connection.Outputs["hl7lake-dev-front-door"]["ApiUrl"] = "http://127.0.0.1:1"
	connection.Outputs["hl7lake-dev-front-door"]["SignInUrl"] = "http://127.0.0.1:1"
	probes := doctor.After(c, connection)
	expect(t, finding(t, probes, "api"), doctor.Fail, "no answer", "network")
	expect(t, finding(t, probes, "clock"), doctor.Skip, "does not answer")
	expect(t, finding(t, probes, "sign-in"), doctor.Fail, "no answer", "network")
	expect(t, finding(t, probes, "alarms"), doctor.OK)
}

func TestMissingOutputsAreAllNamed(t *testing.T) {
	c := healthy().start(t)
	connection := deployed(c)
	delete(connection.Outputs, "hl7lake-dev-core")
	connection.Outputs["other"] = map[string]string{"ApiUrl": "x"}
	expect(t, finding(t, doctor.After(c, connection), "outputs"), doctor.Fail,
		"no stack has the output HubTopicArn", "no stack has the output AlarmTopicArn",
		"the output ApiUrl is in several stacks: hl7lake-dev-front-door, other", "--all")
}

func TestAnExaminationEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := healthy().start(t)
	seen := 0
	good := doctor.Examine(ctx, false, doctor.After(c, deployed(c)), func(doctor.Finding) { seen++; cancel() })
	if good || seen != 1 {
		t.Errorf("good is %v after %d probes", good, seen)
	}
}

func TestThePermissionsInTheGuideAreThoseThatAreNeeded(t *testing.T) {
	w := healthy()
	maps.Copy(w.answers, map[string]answer{ // deployed before, so that every probe calls AWS
		"GetParameter":                                 {200, `{"Parameter":{"Value":"21"}}`},
		"GET /2016-08-19/account-settings":             settings("1000", "399"),
		"ListStackResources":                           listed("", "AWS::Lambda::Function ingest"),
		"GET /2019-09-30/functions/ingest/concurrency": {200, `{"ReservedConcurrentExecutions":601}`},
	})
	c := w.start(t)
	finding(t, doctor.Before(c, t.TempDir(), assembly(t)), "concurrency")
	finding(t, doctor.After(c, deployed(c)), "alarms")
	actions := map[string]string{ // GetCallerIdentity needs no permission (STS API reference)
		"GetParameter": "ssm:GetParameter", "GET /2016-08-19/account-settings": "lambda:GetAccountSettings",
		"GET /2019-09-30/functions/ingest/concurrency": "lambda:GetFunctionConcurrency",
		"DescribeStacks": "cloudformation:DescribeStacks", "ListStackResources": "cloudformation:ListStackResources",
		"DescribeAlarms": "cloudwatch:DescribeAlarms", "ListSubscriptionsByTopic": "sns:ListSubscriptionsByTopic",
	}
	anybody := []string{"GetCallerIdentity", "GET /messages/none", idp, keys, "POST /pages/oauth2/token", "GET /console"}
	needed := map[string]bool{}
	for _, operation := range w.asked {
		if !slices.Contains(anybody, operation) {
			needed[actions[operation]] = true
		}
	}

	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "first-deployment.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```json\n(\\{\"Effect.*?)```").FindSubmatch(guide)
	var statement struct{ Action []string }
	if block == nil || json.Unmarshal(block[1], &statement) != nil {
		t.Fatal("the guide has no statement")
	}
	slices.Sort(statement.Action)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(needed)), statement.Action); diff != "" {
		t.Error(diff)
	}
}
