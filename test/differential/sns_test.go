package differential_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"hl7lake/local/sns"
	"hl7lake/local/sqs"
	"hl7lake/local/wire"
)

// hub is a topic with a queue for each filter policy, and one with a queue that gets
// messages without an envelope.
type hub struct {
	sns      *awssns.Client
	sqs      *awssqs.Client
	topic    string
	queues   []string // URLs, in the order of the policies; empty if the policy was refused
	codes    []string // the reason
	rawTopic string
	rawQueue string
}

func compareSNS(t *testing.T, moto *server, agree verdict) {
	policies, messages := filterPolicies(), filteredMessages()
	hubs := [2]hub{localHub(t, policies), motoHub(t, moto, policies)}
	var arrived [2]map[string]map[int]bool
	for side, h := range hubs {
		h.publish(t, messages)
		arrived[side] = h.receive(t, policies)
	}
	for i, policy := range policies {
		if hubs[0].queues[i] == "" || hubs[1].queues[i] == "" {
			agree("the policy "+policy, hubs[0].codes[i], hubs[1].codes[i])
			continue
		}
		for m, attributes := range messages {
			agree(fmt.Sprintf("the policy %s and a message with %s", policy, attributes),
				fmt.Sprint(arrived[0][policy][m]), fmt.Sprint(arrived[1][policy][m]))
		}
	}
	compareDelivery(t, hubs, agree)
}

// filterPolicies use every operator, alone and combined. Some are not valid.
func filterPolicies() []string {
	return []string{
		`{}`, `{"a":["er7","json"]}`, `{"a":["er7"],"b":["x"]}`, `{"protocol":["hl7v2"],"format":["er7"]}`,
		`{"a":[{"prefix":"ADT"}]}`, `{"a":[{"suffix":"A01"}]}`, `{"a":[{"equals-ignore-case":"adt^a01"}]}`, `{"a":["er7",{"prefix":"ADT"}]}`,
		`{"a":[{"anything-but":"er7"}]}`, `{"a":[{"anything-but":["er7","json"]}]}`, `{"a":[{"anything-but":{"prefix":"ADT"}}]}`,
		`{"a":[{"anything-but":{"suffix":"A01"}}]}`, `{"n":[{"anything-but":[5,7]}]}`,
		`{"a":[{"exists":true}]}`, `{"a":[{"exists":false}]}`, `{"a":[{"exists":false}],"n":[{"exists":true}]}`,
		`{"n":[5]}`, `{"n":[{"numeric":["=",5]}]}`, `{"n":[{"numeric":["<",5.5]}]}`, `{"n":[{"numeric":[">=",5,"<",7]}]}`, `{"n":[{"numeric":[">",-1,"<=",5]}]}`,
		`{"list":["x"]}`, `{"list":[{"prefix":"x"}]}`, `{"list":[{"anything-but":"x"}]}`,
		// These are asked with lists of numbers and truth values only: moto refuses to
		// publish anything else then.
		`{"flags":[true]}`, `{"numbers":[7]}`, `{"numbers":[{"numeric":[">",6]}]}`,
		`{"$or":[{"a":["er7"]},{"b":["x"]}]}`, `{"$or":[{"a":["er7"],"b":["x"]},{"n":[5]}]}`, `{"format":["er7"],"$or":[{"a":["json"]},{"n":[{"numeric":[">",6]}]}]}`,
		`{"bytes":["x"]}`, `{"bytes":[{"exists":true}]}`,
		// Refused.
		`{"a":"er7"}`, `{"a":[]}`, `{"a":[{"numeric":["<"]}]}`, `{"a":[{"numeric":["!",5]}]}`, `{"a":[{"exists":"yes"}]}`, `{"a":[{"nonsense":"x"}]}`,
		`{"a":[{"prefix":5}]}`, `{"$or":[]}`, `["a"]`,
	}
}

// filteredMessages are messages' attributes as name=Type:value.
func filteredMessages() []string {
	return []string{
		"", "a=String:er7", "a=String:json", "a=String:ER7", "a=String:ADT^A01", "a=String:adt^a01", "a=String:ADT^A02", "a=String:5",
		"a=String:er7 b=String:x", "b=String:x", "n=Number:5", "n=Number:5.0", "n=Number:7", "n=Number:-1", "n=String:5", "n=Number:5 a=String:json format=String:er7",
		"protocol=String:hl7v2 format=String:er7", "protocol=String:hl7v2 format=String:json", "format=String:er7 n=Number:7",
		`list=String.Array:["x","y"]`, `list=String.Array:["y"]`, `list=String.Array:[null]`, `flags=String.Array:[true]`, `flags=String.Array:[false]`, `numbers=String.Array:[5]`, `numbers=String.Array:[5,7]`,
		"bytes=Binary:x",
	}
}

func localHub(t *testing.T, policies []string) hub {
	t.Helper()
	queues := sqs.New(openStore(t), allow, "http://127.0.0.1")
	topics := sns.New(allow, sns.Subscribers{Queue: queues.Send})
	topic, raw := wire.ARN("sns", "hub"), wire.ARN("sns", "raw")
	err := errors.Join(topics.AddTopic(topic, sns.Topic{}), topics.AddTopic(raw, sns.Topic{}), queues.Add("raw", sqs.Queue{}),
		topics.Subscribe(sns.Subscription{TopicArn: raw, Protocol: "sqs", Endpoint: sqs.ARN("raw"), RawMessageDelivery: true}))
	if err != nil {
		t.Fatal(err)
	}
	h := hub{topic: topic, rawTopic: raw, rawQueue: "http://127.0.0.1/" + wire.Account + "/raw", sns: awssns.NewFromConfig(serve(t, topics).config()), sqs: awssqs.NewFromConfig(serve(t, queues).config())}
	for i, policy := range policies {
		name := fmt.Sprintf("queue-%d", i)
		if err := queues.Add(name, sqs.Queue{}); err != nil {
			t.Fatal(err)
		}
		err := topics.Subscribe(sns.Subscription{
			TopicArn: topic, Protocol: "sqs", Endpoint: sqs.ARN(name), FilterPolicy: json.RawMessage(policy),
		})
		h.add("http://127.0.0.1/"+wire.Account+"/"+name, localCode(err))
	}
	return h
}

// localCode returns AWS's name for an error of a service that was called without a
// network.
func localCode(err error) string {
	if err == nil {
		return ""
	}
	return wire.AsError(err).Code
}

// add records a subscription's queue, or why there is none.
func (h *hub) add(queueURL, refused string) {
	if refused != "" {
		queueURL = ""
	}
	h.queues, h.codes = append(h.queues, queueURL), append(h.codes, refused)
}

func motoHub(t *testing.T, moto *server, policies []string) hub {
	t.Helper()
	h := hub{sns: awssns.NewFromConfig(moto.config()), sqs: awssqs.NewFromConfig(moto.config())}
	h.topic, h.rawTopic = h.createTopic(t, "hub"), h.createTopic(t, "raw")
	for i, policy := range policies {
		h.add(h.subscribe(t, h.topic, fmt.Sprintf("queue-%d", i), map[string]string{"FilterPolicy": policy}))
	}
	h.rawQueue, _ = h.subscribe(t, h.rawTopic, "raw", map[string]string{"RawMessageDelivery": "true"})
	return h
}

func (h hub) createTopic(t *testing.T, name string) string {
	t.Helper()
	topic, err := h.sns.CreateTopic(t.Context(), &awssns.CreateTopicInput{Name: &name})
	if err != nil {
		t.Fatal(err)
	}
	return *topic.TopicArn
}

// subscribe makes a queue and subscribes it to a topic, which may refuse that.
func (h hub) subscribe(t *testing.T, topic, name string, attributes map[string]string) (queueURL, refused string) {
	t.Helper()
	queue, err := h.sqs.CreateQueue(t.Context(), &awssqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.sns.Subscribe(t.Context(), &awssns.SubscribeInput{
		TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: aws.String(sqs.ARN(name)), Attributes: attributes,
	})
	if err != nil {
		refused = code(err)
	}
	return *queue.QueueUrl, refused
}

// publish sends the messages; the body of each is its number.
func (h hub) publish(t *testing.T, messages []string) {
	t.Helper()
	for i, text := range messages {
		_, err := h.sns.Publish(t.Context(), &awssns.PublishInput{
			TopicArn: &h.topic, Message: aws.String(fmt.Sprint(i)), MessageAttributes: messageAttributes(text),
		})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

func messageAttributes(text string) map[string]types.MessageAttributeValue {
	attributes := map[string]types.MessageAttributeValue{}
	for _, field := range strings.Fields(text) {
		name, rest, _ := strings.Cut(field, "=")
		kind, value, _ := strings.Cut(rest, ":")
		a := types.MessageAttributeValue{DataType: &kind, StringValue: &value}
		if kind == "Binary" {
			a.StringValue, a.BinaryValue = nil, []byte(value)
		}
		attributes[name] = a
	}
	return attributes
}

// receive empties the queues, and says which messages came through which policy.
func (h hub) receive(t *testing.T, policies []string) map[string]map[int]bool {
	t.Helper()
	arrived := map[string]map[int]bool{}
	for i, policy := range policies {
		arrived[policy] = map[int]bool{}
		for h.queues[i] != "" {
			bodies := h.take(t.Context(), t, h.queues[i])
			if len(bodies) == 0 {
				break
			}
			for _, body := range bodies {
				number, err := strconv.Atoi(read[struct{ Message string }](t, body).Message)
				if err != nil {
					t.Fatalf("%q is no message that was published: %v", body, err)
				}
				arrived[policy][number] = true
			}
		}
	}
	return arrived
}

func (h hub) take(ctx context.Context, t *testing.T, queue string) (bodies []string) {
	t.Helper()
	out, err := h.sqs.ReceiveMessage(ctx, &awssqs.ReceiveMessageInput{
		QueueUrl: &queue, MaxNumberOfMessages: 10,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range out.Messages {
		bodies = append(bodies, aws.ToString(m.Body))
	}
	return bodies
}

// compareDelivery checks what a queue gets with raw delivery, and what a topic refuses.
func compareDelivery(t *testing.T, hubs [2]hub, agree verdict) {
	var got [2][]string
	for side, h := range hubs {
		got[side] = []string{
			h.raw(t, "a=String:er7"),
			h.raw(t, "n=Number:5"),
			h.raw(t, strings.Join(slices.Collect(attributesOf(10)), " ")),
			h.raw(t, strings.Join(slices.Collect(attributesOf(11)), " ")),
			h.publishError(t, &awssns.PublishInput{Message: aws.String("")}),
			h.publishError(t, &awssns.PublishInput{Message: aws.String(strings.Repeat("x", sns.MaxMessage))}),
			h.publishError(t, &awssns.PublishInput{Message: aws.String(strings.Repeat("x", sns.MaxMessage+1))}),
			h.publishError(t, &awssns.PublishInput{Message: aws.String("m"), Subject: aws.String(strings.Repeat("s", 100))}),
			h.publishError(t, &awssns.PublishInput{Message: aws.String("m"), Subject: aws.String(strings.Repeat("s", 101))}),
			h.publishError(t, &awssns.PublishInput{Message: aws.String("m"), TopicArn: aws.String(wire.ARN("sns", "none"))}),
			h.publishError(t, &awssns.PublishInput{Message: aws.String("m"), MessageAttributes: messageAttributes("a=String:")}),
			h.publishError(t, &awssns.PublishInput{Message: aws.String("m"), MessageAttributes: messageAttributes("a=Nonsense:x")}),
			h.publishError(t, &awssns.PublishInput{Message: aws.String("m"), MessageAttributes: messageAttributes("a=Number:x")}),
		}
	}
	for i, name := range []string{
		"raw delivery", "raw delivery of a number", "raw delivery of 10 attributes", "raw delivery of 11 attributes", "an empty message", "a message of 256 KiB",
		"a message of more than 256 KiB", "a subject of 100 characters", "a subject of 101 characters", "no such topic", "an empty attribute",
		"an attribute of no type", "a number that is none",
	} {
		agree(name, got[0][i], got[1][i])
	}
}

// attributesOf returns n attributes.
func attributesOf(n int) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := range n {
			if !yield(fmt.Sprintf("a%d=String:v", i)) {
				return
			}
		}
	}
}

// raw publishes a message, and says what arrives at the queue without an envelope.
func (h hub) raw(t *testing.T, attributes string) string {
	t.Helper()
	if refused := h.publishError(t, &awssns.PublishInput{TopicArn: &h.rawTopic, Message: aws.String("raw"), MessageAttributes: messageAttributes(attributes)}); refused != "" {
		return refused
	}
	out, err := h.sqs.ReceiveMessage(t.Context(), &awssqs.ReceiveMessageInput{
		QueueUrl: &h.rawQueue, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, m := range out.Messages {
		text := aws.ToString(m.Body)
		for name, a := range m.MessageAttributes {
			all = append(all, text+" "+name+"="+aws.ToString(a.DataType)+":"+aws.ToString(a.StringValue))
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

func (h hub) publishError(t *testing.T, in *awssns.PublishInput) string {
	t.Helper()
	if in.TopicArn == nil {
		in.TopicArn = &h.topic
	}
	if _, err := h.sns.Publish(t.Context(), in); err != nil {
		return code(err)
	}
	return ""
}
