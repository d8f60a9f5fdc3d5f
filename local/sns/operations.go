package sns

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"

	"hl7lake/local/wire"
)

type publishResult struct {
	MessageID string `xml:"MessageId"`
}

func (s *Service) servePublish(ctx context.Context, form url.Values) (any, error) {
	m := Message{
		TopicARN: form.Get("TopicArn"), Subject: form.Get("Subject"), Body: form.Get("Message"),
		Attributes: map[string]Attribute{},
	}
	if form.Get("MessageStructure") != "" {
		return nil, wire.Unsupported("SNS's MessageStructure")
	}
	for n := 1; ; n++ {
		entry := fmt.Sprintf("MessageAttributes.entry.%d.", n)
		name := form.Get(entry + "Name")
		if name == "" {
			break
		}
		a := Attribute{DataType: form.Get(entry + "Value.DataType"), Value: form.Get(entry + "Value.StringValue")}
		if a.DataType == "Binary" {
			a.Value = form.Get(entry + "Value.BinaryValue")
		}
		m.Attributes[name] = a
	}
	id, err := s.Publish(ctx, m)
	if err != nil {
		return nil, err
	}
	return publishResult{id}, nil
}

type topicList struct {
	Topics []topicMember `xml:"Topics>member"`
}

type topicMember struct {
	TopicARN string `xml:"TopicArn"`
}

func (s *Service) serveListTopics(ctx context.Context, _ url.Values) (any, error) {
	if err := s.authorize(ctx, "sns:ListTopics", "*", nil); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list topicList
	for _, arn := range slices.Sorted(maps.Keys(s.topics)) {
		list.Topics = append(list.Topics, topicMember{arn})
	}
	return list, nil
}

type subscriptionList struct {
	Subscriptions []subscriptionMember `xml:"Subscriptions>member"`
}

type subscriptionMember struct {
	SubscriptionARN string `xml:"SubscriptionArn"`
	Owner           string
	Protocol        string
	Endpoint        string
	TopicARN        string `xml:"TopicArn"`
}

func (s *Service) serveListSubscriptionsByTopic(ctx context.Context, form url.Values) (any, error) {
	topicARN := form.Get("TopicArn")
	if err := s.authorize(ctx, "sns:ListSubscriptionsByTopic", topicARN, nil); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	subscriptions, known := s.topics[topicARN]
	if !known {
		return nil, notFound()
	}
	return subscriptionList{members(topicARN, subscriptions)}, nil
}

// serveListSubscriptions lists those of all topics, on one page.
func (s *Service) serveListSubscriptions(ctx context.Context, _ url.Values) (any, error) {
	if err := s.authorize(ctx, "sns:ListSubscriptions", "*", nil); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list subscriptionList
	for _, arn := range slices.Sorted(maps.Keys(s.topics)) {
		list.Subscriptions = append(list.Subscriptions, members(arn, s.topics[arn])...)
	}
	return list, nil
}

func members(topicARN string, subscriptions []subscription) (all []subscriptionMember) {
	for _, sub := range subscriptions {
		all = append(all, subscriptionMember{
			SubscriptionARN: sub.SubscriptionArn, Owner: wire.Account,
			Protocol: sub.Protocol, Endpoint: sub.Endpoint, TopicARN: topicARN,
		})
	}
	return all
}
