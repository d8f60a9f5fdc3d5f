package sns_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"hl7lake/internal/testing/answer"
	"hl7lake/local/sns"
	"hl7lake/local/wire"
)

const topic = "arn:aws:sns:us-east-1:123456789012:hub"

func anybody(context.Context, string, string, map[string]string) error { return nil }

// delivery is what one subscriber got.
type delivery struct {
	To, Body   string
	Attributes map[string]string
}

// subscribers record what they got by subscriber, because a topic delivers to all at
// once.
type subscribers struct {
	mu      sync.Mutex
	got     []delivery
	refuses string // the function that fails
}

func (s *subscribers) take(d delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, d)
	slices.SortStableFunc(s.got, func(a, b delivery) int { return strings.Compare(a.To, b.To) })
}

func (s *subscribers) function(_ context.Context, arn string, payload []byte) error {
	if arn == s.refuses {
		return wire.Errorf("ResourceNotFoundException", "gone")
	}
	s.take(delivery{To: arn, Body: string(payload)})
	return nil
}

func (s *subscribers) queue(_ context.Context, arn, body string, attributes map[string]string) error {
	s.take(delivery{To: arn, Body: body, Attributes: attributes})
	return nil
}

// start serves a topic with subscriptions and returns an SDK client for it.
func start(t *testing.T, to *subscribers, subscriptions ...sns.Subscription) *awssns.Client {
	t.Helper()
	service := sns.New(anybody, sns.Subscribers{Function: to.function, Queue: to.queue})
	if err := service.AddTopic(topic, sns.Topic{}); err != nil {
		t.Fatal(err)
	}
	for _, sub := range subscriptions {
		sub.TopicArn = topic
		if err := service.Subscribe(sub); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	return awssns.New(awssns.Options{
		BaseEndpoint: &server.URL, Region: "us-east-1", RetryMaxAttempts: 1, HTTPClient: answer.Whole{},
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	})
}

func attribute(value string) types.MessageAttributeValue { return typed("String", value) }

func typed(kind, value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: &kind, StringValue: &value}
}

func TestAFunctionGetsTheNotificationThatAWSDocuments(t *testing.T) {
	var to subscribers
	client := start(t, &to, sns.Subscription{Protocol: "lambda", Endpoint: "arn:function", SubscriptionArn: topic + ":1"})
	published, err := client.Publish(t.Context(), &awssns.PublishInput{
		TopicArn: aws.String(topic), Message: aws.String("MSH|…\rPID|<&>"), Subject: aws.String("code=x"),
		MessageAttributes: map[string]types.MessageAttributeValue{"event": attribute("ingested")},
	})
	if err != nil {
		t.Fatal(err)
	}
	var event struct {
		Records []struct {
			EventSource, EventSubscriptionArn string
			Sns                               struct {
				MessageId, Subject, Message, TopicArn string
				MessageAttributes                     map[string]struct{ Type, Value string }
			}
		}
	}
	if err := json.Unmarshal([]byte(to.got[0].Body), &event); err != nil {
		t.Fatal(err)
	}
	r := event.Records[0]
	got := []string{r.EventSource, r.EventSubscriptionArn, r.Sns.MessageId, r.Sns.Subject, r.Sns.Message, r.Sns.TopicArn,
		r.Sns.MessageAttributes["event"].Type, r.Sns.MessageAttributes["event"].Value}
	want := []string{"aws:sns", topic + ":1", *published.MessageId, "code=x", "MSH|…\rPID|<&>", topic, "String", "ingested"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAQueueGetsTheBareMessageOnlyWhereRawDeliveryIsSet(t *testing.T) {
	var to subscribers
	client := start(t, &to,
		sns.Subscription{Protocol: "sqs", Endpoint: "arn:raw", RawMessageDelivery: true},
		sns.Subscription{Protocol: "sqs", Endpoint: "arn:wrapped"})
	_, err := client.Publish(t.Context(), &awssns.PublishInput{
		TopicArn: aws.String(topic), Message: aws.String("hello"),
		MessageAttributes: map[string]types.MessageAttributeValue{"a": attribute("b")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(delivery{"arn:raw", "hello", map[string]string{"a": "b"}}, to.got[0]); diff != "" {
		t.Errorf("raw (-want +got):\n%s", diff)
	}
	if !strings.Contains(to.got[1].Body, `"Type":"Notification"`) {
		t.Errorf("wrapped: %s", to.got[1].Body)
	}
}

func TestRawDeliveryOfANumberIsRefusedByName(t *testing.T) {
	var to subscribers
	client := start(t, &to, sns.Subscription{Protocol: "sqs", Endpoint: "arn:raw", RawMessageDelivery: true})
	_, err := client.Publish(t.Context(), &awssns.PublishInput{
		TopicArn: aws.String(topic), Message: aws.String("m"), MessageAttributes: map[string]types.MessageAttributeValue{"n": typed("Number", "5")},
	})
	if err == nil || !strings.Contains(err.Error(), "type Number") || len(to.got) > 0 {
		t.Errorf("got %v, delivered %v", err, to.got)
	}
}

func TestWhatASubscriberCannotTakeGoesToItsDeadLetterQueue(t *testing.T) {
	to := subscribers{refuses: "arn:function"}
	sub := sns.Subscription{Protocol: "lambda", Endpoint: "arn:function"}
	sub.RedrivePolicy.DeadLetterTargetArn = "arn:dead"
	client := start(t, &to, sub)
	if _, err := client.Publish(t.Context(), &awssns.PublishInput{TopicArn: aws.String(topic), Message: aws.String("m")}); err != nil {
		t.Fatal(err)
	}
	if len(to.got) != 1 || to.got[0].To != "arn:dead" || to.got[0].Attributes["ErrorCode"] != "ResourceNotFoundException" {
		t.Errorf("got %+v", to.got)
	}
}

func TestWithoutADeadLetterQueueTheSenderIsToldOfTheFailure(t *testing.T) {
	to := subscribers{refuses: "arn:function"}
	client := start(t, &to, sns.Subscription{Protocol: "lambda", Endpoint: "arn:function"})
	if _, err := client.Publish(t.Context(), &awssns.PublishInput{TopicArn: aws.String(topic), Message: aws.String("m")}); err == nil {
		t.Error("the message was acknowledged and is nowhere")
	}
}

func TestAMessageThatSNSWouldRefuseIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*awssns.PublishInput)
		code   string
	}{
		"too long":             {func(in *awssns.PublishInput) { in.Message = aws.String(strings.Repeat("x", sns.MaxMessage+1)) }, "InvalidParameter"},
		"too long with names":  {func(in *awssns.PublishInput) { in.Message = aws.String(strings.Repeat("x", sns.MaxMessage-5)) }, "InvalidParameter"},
		"another topic":        {func(in *awssns.PublishInput) { in.TopicArn = aws.String(topic + "2") }, "NotFound"},
		"no type":              {func(in *awssns.PublishInput) { in.MessageAttributes["a"] = typed("Text", "b") }, "ParameterValueInvalid"},
		"no number":            {func(in *awssns.PublishInput) { in.MessageAttributes["a"] = typed("Number", "b") }, "ParameterValueInvalid"},
		"an empty attribute":   {func(in *awssns.PublishInput) { in.MessageAttributes["a"] = attribute("") }, "ParameterValueInvalid"},
		"a subject of 2 lines": {func(in *awssns.PublishInput) { in.Subject = aws.String("a\nb") }, "InvalidParameter"},
		"a long subject":       {func(in *awssns.PublishInput) { in.Subject = aws.String(strings.Repeat("s", 101)) }, "InvalidParameter"},
	} {
		t.Run(name, func(t *testing.T) {
			var to subscribers
			client := start(t, &to, sns.Subscription{Protocol: "sqs", Endpoint: "arn:queue"})
			in := &awssns.PublishInput{
				TopicArn: aws.String(topic), Message: aws.String("m"),
				MessageAttributes: map[string]types.MessageAttributeValue{"a": attribute("b")},
			}
			test.change(in)
			_, err := client.Publish(t.Context(), in)
			var refused smithy.APIError
			if !errors.As(err, &refused) || refused.ErrorCode() != test.code {
				t.Errorf("got %v, want %s", err, test.code)
			}
			if len(to.got) != 0 {
				t.Errorf("delivered all the same: %v", to.got)
			}
		})
	}
}

func TestALargestMessageIsDelivered(t *testing.T) {
	var to subscribers
	client := start(t, &to, sns.Subscription{Protocol: "sqs", Endpoint: "arn:queue", RawMessageDelivery: true})
	body := strings.Repeat("x", sns.MaxMessage)
	if _, err := client.Publish(t.Context(), &awssns.PublishInput{TopicArn: aws.String(topic), Message: &body}); err != nil {
		t.Fatal(err)
	}
	if to.got[0].Body != body {
		t.Error("the message arrived changed")
	}
}

func TestAFilterPolicyLetsThroughWhatAWSWould(t *testing.T) {
	text := func(value string) map[string]sns.Attribute {
		return map[string]sns.Attribute{"a": {DataType: "String", Value: value}}
	}
	number := map[string]sns.Attribute{"a": {DataType: "Number", Value: "5"}}
	array := map[string]sns.Attribute{"a": {DataType: "String.Array", Value: `["x",7,true,null]`}}
	for _, test := range []struct {
		name, policy string
		attributes   map[string]sns.Attribute
		passes       bool
	}{
		{"no policy", ``, nil, true},
		{"exact", `{"a":["er7","json"]}`, text("json"), true},
		{"not exact", `{"a":["er7"]}`, text("ER7"), false},
		{"absent", `{"a":["er7"]}`, nil, false},
		{"all attributes must agree", `{"a":["er7"],"b":["x"]}`, text("er7"), false},
		{"prefix", `{"a":[{"prefix":"ADT"}]}`, text("ADT^A01"), true},
		{"suffix", `{"a":[{"suffix":"A01"}]}`, text("ADT^A02"), false},
		{"ignore case", `{"a":[{"equals-ignore-case":"adt"}]}`, text("ADT"), true},
		{"anything-but", `{"a":[{"anything-but":["x","y"]}]}`, text("z"), true},
		{"anything-but hit", `{"a":[{"anything-but":"x"}]}`, text("x"), false},
		{"anything-but prefix", `{"a":[{"anything-but":{"prefix":"AD"}}]}`, text("ADT"), false},
		{"anything-but absent", `{"a":[{"anything-but":"x"}]}`, nil, false},
		{"exists", `{"a":[{"exists":true}]}`, text("x"), true},
		{"exists not", `{"a":[{"exists":false}]}`, nil, true},
		{"exists not, but does", `{"a":[{"exists":false}]}`, text("x"), false},
		{"numeric", `{"a":[{"numeric":[">=",5,"<",6]}]}`, number, true},
		{"numeric outside", `{"a":[{"numeric":[">",5]}]}`, number, false},
		{"numeric of a text", `{"a":[{"numeric":["=",5]}]}`, text("5"), false},
		{"a number", `{"a":[5]}`, number, true},
		{"one of an array", `{"a":["x"]}`, array, true},
		{"a number in an array", `{"a":[7]}`, array, true},
		{"true in an array", `{"a":[true]}`, array, true},
		{"none of an array", `{"a":["y"]}`, array, false},
		{"or", `{"$or":[{"a":["x"]},{"b":["y"]}]}`, text("x"), true},
		{"neither of or", `{"$or":[{"a":["y"]},{"b":["y"]}]}`, text("x"), false},
		{"cidr", `{"a":[{"cidr":"10.0.0.0/8"}]}`, text("10.1.2.3"), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var to subscribers
			service := sns.New(anybody, sns.Subscribers{Function: to.function, Queue: to.queue})
			if err := service.AddTopic(topic, sns.Topic{}); err != nil {
				t.Fatal(err)
			}
			err := service.Subscribe(sns.Subscription{
				TopicArn: topic, Protocol: "sqs", Endpoint: "arn:queue", FilterPolicy: json.RawMessage(test.policy),
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := service.Publish(t.Context(), sns.Message{TopicARN: topic, Body: "m", Attributes: test.attributes}); err != nil {
				t.Fatal(err)
			}
			if got := len(to.got) == 1; got != test.passes {
				t.Errorf("passes: %v, want %v", got, test.passes)
			}
		})
	}
}

func TestASubscriptionThatIsNotRunHereIsRefusedByName(t *testing.T) {
	for property, text := range map[string]string{
		"Protocol":          `{"Protocol":"https","TopicArn":"` + topic + `"}`,
		"FilterPolicyScope": `{"Protocol":"sqs","TopicArn":"` + topic + `","FilterPolicyScope":"MessageBody"}`,
		"DeliveryPolicy":    `{"Protocol":"sqs","TopicArn":"` + topic + `","DeliveryPolicy":{}}`,
		"FilterPolicy":      `{"Protocol":"sqs","TopicArn":"` + topic + `","FilterPolicy":{"a":"b"}}`,
		"wildcard":          `{"Protocol":"sqs","TopicArn":"` + topic + `","FilterPolicy":{"a":[{"wildcard":"b*"}]}}`,
	} {
		service := sns.New(anybody, sns.Subscribers{})
		if err := service.AddTopic(topic, sns.Topic{}); err != nil {
			t.Fatal(err)
		}
		var sub sns.Subscription
		err := json.Unmarshal([]byte(text), &sub)
		if err == nil {
			err = service.Subscribe(sub)
		}
		if err == nil || !strings.Contains(err.Error(), property) {
			t.Errorf("%s: %v", property, err)
		}
	}
}
