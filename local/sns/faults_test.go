package sns_test

// This file is about deliveries that a fault makes fail.

import (
	"slices"
	"testing"

	"hl7lake/local/fault"
	"hl7lake/local/sns"
)

// A function is tried three times without a pause. What is lost nevertheless is both
// delivered and a dead letter.
func TestADeliveryToAFunctionGoesWrongAsItsFaultSays(t *testing.T) {
	for _, test := range []struct {
		kind     fault.Kind
		attempts int // that go wrong
		want     []string
	}{
		{fault.Fail, 1, []string{"arn:function"}},
		{fault.Fail, 3, []string{"arn:dead"}},
		{fault.Lose, 1, []string{"arn:function", "arn:function"}},
		{fault.Lose, 3, []string{"arn:dead", "arn:function", "arn:function", "arn:function"}},
		{fault.Repeat, 1, []string{"arn:function", "arn:function"}},
	} {
		to := subscribers{}
		faults := fault.NewInjector(func(p fault.Point) fault.Fault {
			if p.Call == fault.Notification && p.Function == "function" && p.Attempt <= test.attempts {
				return fault.Fault{Kind: test.kind}
			}
			return fault.Fault{}
		})
		service := sns.New(anybody, sns.Subscribers{Function: to.function, Queue: to.queue, Faults: faults})
		if err := service.AddTopic(topic, sns.Topic{}); err != nil {
			t.Fatal(err)
		}
		sub := sns.Subscription{TopicArn: topic, Protocol: "lambda", Endpoint: "arn:function"}
		sub.RedrivePolicy.DeadLetterTargetArn = "arn:dead"
		if err := service.Subscribe(sub); err != nil {
			t.Fatal(err)
		}
		if _, err := service.Publish(t.Context(), sns.Message{TopicARN: topic, Body: "m"}); err != nil {
			t.Errorf("%s %d: %v", test.kind, test.attempts, err)
		}
		var got []string
		for _, d := range to.got {
			got = append(got, d.To)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s %d: delivered to %q, want %q", test.kind, test.attempts, got, test.want)
		}
	}
}
