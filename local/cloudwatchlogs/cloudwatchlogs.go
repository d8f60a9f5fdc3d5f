// Package cloudwatchlogs lets an operator read what functions log as on AWS: `aws logs tail`, `filter-log-events`,
// `describe-log-groups`. A log group is the file that a function's output goes to; it is read where it lies, and each
// group has one stream.
package cloudwatchlogs

import (
	"cmp"
	"context"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"hl7lake/local/wire"
)

// Group is a log group of the templates.
type Group struct {
	Name      string
	File      string // what is logged, a line an event; it need not exist yet. Empty: nothing is logged here
	Retention int    // days; 0: for ever
}

// stream is the name of every group's one stream.
const stream = "local"

type service struct {
	groups    []Group // by name
	authorize wire.Authorize
	started   time.Time
}

// New returns the reading operations of Amazon CloudWatch Logs for the groups (Amazon CloudWatch Logs API Reference).
func New(groups []Group, authorize wire.Authorize) http.Handler {
	s := &service{slices.Clone(groups), authorize, time.Now()}
	slices.SortFunc(s.groups, func(a, b Group) int { return cmp.Compare(a.Name, b.Name) })
	return wire.JSON("1.1", map[string]wire.Operation{
		"DescribeLogGroups":  wire.Op(s.describeLogGroups),
		"DescribeLogStreams": wire.Op(s.describeLogStreams),
		"FilterLogEvents":    wire.Op(s.filterLogEvents),
	})
}

func arn(name string) string { return wire.ARN("logs", "log-group:"+name) }

// allowed asks whether the caller may do an action, then finds the group of that name or ARN.
func (s *service) allowed(ctx context.Context, action, name, identifier string) (Group, error) {
	if name == "" {
		name = strings.TrimSuffix(strings.TrimPrefix(identifier, arn("")), ":*")
	}
	if err := s.authorize(ctx, "logs:"+action, arn(name)+":*", nil); err != nil {
		return Group{}, err
	}
	at, known := slices.BinarySearchFunc(s.groups, name, func(g Group, name string) int { return cmp.Compare(g.Name, name) })
	if !known {
		return Group{}, wire.Errorf("ResourceNotFoundException", "The specified log group does not exist.")
	}
	return s.groups[at], nil
}

type describeGroupsInput struct {
	LogGroupNamePrefix  string `json:"logGroupNamePrefix"`
	LogGroupNamePattern string `json:"logGroupNamePattern"` // a part of the name, whatever its case
	NextToken           string `json:"nextToken"`           // the last name of the page before
	Limit               int    `json:"limit"`
}

type groupMember struct {
	Name         string `json:"logGroupName"`
	ARN          string `json:"arn"`
	LogGroupARN  string `json:"logGroupArn"`
	CreationTime int64  `json:"creationTime"`
	StoredBytes  int64  `json:"storedBytes"`
	Retention    int    `json:"retentionInDays,omitempty"`
}

type groupList struct {
	Groups    []groupMember `json:"logGroups"`
	NextToken string        `json:"nextToken,omitempty"`
}

func (s *service) describeLogGroups(ctx context.Context, in *describeGroupsInput) (*groupList, error) {
	if err := s.authorize(ctx, "logs:DescribeLogGroups", arn("*"), nil); err != nil {
		return nil, err
	}
	list := &groupList{Groups: []groupMember{}}
	limit := min(cmp.Or(in.Limit, 50), 50) // its default and its most
	for _, g := range s.groups {
		part := strings.Contains(strings.ToLower(g.Name), strings.ToLower(in.LogGroupNamePattern))
		if !strings.HasPrefix(g.Name, in.LogGroupNamePrefix) || !part || g.Name <= in.NextToken {
			continue
		}
		if len(list.Groups) == limit {
			list.NextToken = list.Groups[limit-1].Name
			break
		}
		size, _ := g.state()
		list.Groups = append(list.Groups, groupMember{g.Name, arn(g.Name) + ":*", arn(g.Name), s.started.UnixMilli(), size, g.Retention})
	}
	return list, nil
}

// state is the size of what is logged, and when that was last. Both are zero where nothing is.
func (g Group) state() (size int64, last time.Time) {
	if info, err := os.Stat(g.File); err == nil {
		return info.Size(), info.ModTime()
	}
	return 0, time.Time{}
}

type streamsInput struct {
	LogGroupName       string `json:"logGroupName"`
	LogGroupIdentifier string `json:"logGroupIdentifier"`
}

type streamMember struct {
	Name          string `json:"logStreamName"`
	ARN           string `json:"arn"`
	CreationTime  int64  `json:"creationTime"`
	LastIngestion int64  `json:"lastIngestionTime"`
}

type streamList struct {
	Streams []streamMember `json:"logStreams"`
}

// describeLogStreams lists the one stream of a group in which something was logged.
func (s *service) describeLogStreams(ctx context.Context, in *streamsInput) (*streamList, error) {
	g, err := s.allowed(ctx, "DescribeLogStreams", in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	list := &streamList{Streams: []streamMember{}}
	if _, last := g.state(); !last.IsZero() {
		list.Streams = append(list.Streams,
			streamMember{stream, arn(g.Name) + ":log-stream:" + stream, s.started.UnixMilli(), last.UnixMilli()})
	}
	return list, nil
}
