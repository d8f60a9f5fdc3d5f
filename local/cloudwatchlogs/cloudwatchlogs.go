// Package cloudwatchlogs lets an operator read what functions log as on AWS: `aws logs
// tail`, `filter-log-events`, `describe-log-groups`. A log group is the file that holds a
// function's output. Each group has one stream.
package cloudwatchlogs

import (
	"cmp"
	"context"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"hl7lake/local/resource"
	"hl7lake/local/template"
	"hl7lake/local/wire"
)

// Group is what a template says about a log group; the fields are those of
// AWS::Logs::LogGroup.
type Group struct {
	LogGroupName    string
	RetentionInDays int // 0: for ever
}

// Ignored are the properties that are not run here, and why not.
func (*Group) Ignored() wire.Ignored {
	return wire.Ignored{
		"KmsKeyId": "what is logged is not encrypted here",
	}
}

// stream is the name of every group's one stream.
const stream = "local"

// Files are what is logged, one event on each line, by the name of the log group. A file
// need not exist yet.
type Files func() map[string]string

// Service has the reading operations of Amazon CloudWatch Logs.
type Service struct {
	http.Handler
	files     Files
	authorize wire.Authorize
	started   time.Time
	retention map[string]int // of the templates' groups, in days, by name
}

// group is a log group with its file, which is empty if nothing logs to it.
type group struct {
	name, file string
	retention  int
}

// New returns a service whose groups are those that are added, and those of the files
// (Amazon CloudWatch Logs API Reference).
func New(authorize wire.Authorize, files Files) *Service {
	s := &Service{files: files, authorize: authorize, started: time.Now(), retention: map[string]int{}}
	s.Handler = wire.JSON("1.1", map[string]wire.Operation{
		"DescribeLogGroups":  wire.Op(s.describeLogGroups),
		"DescribeLogStreams": wire.Op(s.describeLogStreams),
		"FilterLogEvents":    wire.Op(s.filterLogEvents),
	})
	return s
}

// Dialect is that of CloudWatch Logs.
func (s *Service) Dialect() wire.Dialect { return wire.Speaks("logs") }

// Resources returns the resource types that are known.
func (s *Service) Resources() []resource.Type {
	return []resource.Type{
		resource.Of("AWS::Logs::LogGroup", identify, func(r *resource.Resource, g Group) error {
			s.Add(r.PhysicalID, g)
			return nil
		}),
	}
}

func identify(r *template.Resource) (string, template.Attributes) {
	name := r.Name("LogGroupName", 512)
	return name, template.Attributes{"Arn": arn(name) + ":*"}
}

// Add makes a group known by its name. It must be called before the first request.
func (s *Service) Add(name string, g Group) { s.retention[name] = g.RetentionInDays }

// groups returns all groups sorted by name. Lambda makes the group of a function whose
// template names none.
func (s *Service) groups() []group {
	files := s.files()
	all := make([]group, 0, len(files)+len(s.retention))
	for name, days := range s.retention {
		all = append(all, group{name, files[name], days})
	}
	for name, file := range files {
		if _, known := s.retention[name]; !known {
			all = append(all, group{name: name, file: file})
		}
	}
	slices.SortFunc(all, func(a, b group) int { return cmp.Compare(a.name, b.name) })
	return all
}

func arn(name string) string { return wire.ARN("logs", "log-group:"+name) }

// allowed checks that the caller may perform an action, then finds the group of that name
// or ARN.
func (s *Service) allowed(ctx context.Context, action, name, identifier string) (group, error) {
	if name == "" {
		name = strings.TrimSuffix(strings.TrimPrefix(identifier, arn("")), ":*")
	}
	if err := s.authorize(ctx, "logs:"+action, arn(name)+":*", nil); err != nil {
		return group{}, err
	}
	groups := s.groups()
	at, known := slices.BinarySearchFunc(groups, name, func(g group, name string) int { return cmp.Compare(g.name, name) })
	if !known {
		return group{}, wire.Errorf("ResourceNotFoundException", "The specified log group does not exist.")
	}
	return groups[at], nil
}

type describeGroupsInput struct {
	LogGroupNamePrefix  string `json:"logGroupNamePrefix"`
	LogGroupNamePattern string `json:"logGroupNamePattern"` // a part of the name, in any case
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

func (s *Service) describeLogGroups(ctx context.Context, in *describeGroupsInput) (*groupList, error) {
	if err := s.authorize(ctx, "logs:DescribeLogGroups", arn("*"), nil); err != nil {
		return nil, err
	}
	list := &groupList{Groups: []groupMember{}}
	limit := min(cmp.Or(in.Limit, 50), 50) // the default and the most
	for _, g := range s.groups() {
		part := strings.Contains(strings.ToLower(g.name), strings.ToLower(in.LogGroupNamePattern))
		if !strings.HasPrefix(g.name, in.LogGroupNamePrefix) || !part || g.name <= in.NextToken {
			continue
		}
		if len(list.Groups) == limit {
			list.NextToken = list.Groups[limit-1].Name
			break
		}
		size, _ := g.state()
		list.Groups = append(list.Groups, groupMember{g.name, arn(g.name) + ":*", arn(g.name), s.started.UnixMilli(), size, g.retention})
	}
	return list, nil
}

// state returns the size of what is logged, and the time of the last line. Both are zero
// if there is none.
func (g group) state() (size int64, last time.Time) {
	if info, err := os.Stat(g.file); err == nil {
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
func (s *Service) describeLogStreams(ctx context.Context, in *streamsInput) (*streamList, error) {
	g, err := s.allowed(ctx, "DescribeLogStreams", in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	list := &streamList{Streams: []streamMember{}}
	if _, last := g.state(); !last.IsZero() {
		list.Streams = append(list.Streams,
			streamMember{stream, arn(g.name) + ":log-stream:" + stream, s.started.UnixMilli(), last.UnixMilli()})
	}
	return list, nil
}
