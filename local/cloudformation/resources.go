package cloudformation

import (
	"context"
	"net/url"
	"slices"

	"hl7lake/local/template"
	"hl7lake/local/wire"
)

// stackResource is what all operations say about a resource.
type stackResource struct {
	LogicalResourceID  string `xml:"LogicalResourceId"`
	PhysicalResourceID string `xml:"PhysicalResourceId"`
	ResourceType       string
	ResourceStatus     string
}

func describe(r *template.Resource) stackResource {
	return stackResource{r.LogicalID, r.PhysicalID, r.Type, complete}
}

type resourceDetail struct {
	Detail struct {
		StackID   string `xml:"StackId"`
		StackName string
		stackResource
		LastUpdatedTimestamp string
		Metadata             string `xml:",omitempty"`
	} `xml:"StackResourceDetail"`
}

// describeStackResource describes one resource, by its logical id.
func (s *Service) describeStackResource(ctx context.Context, form url.Values) (any, error) {
	stack, err := s.allowed(ctx, "DescribeStackResource", form.Get("StackName"))
	if err != nil {
		return nil, err
	}
	r, known := byLogicalID(stack, form.Get("LogicalResourceId"))
	if !known {
		return nil, wire.Errorf("ValidationError", "Resource %s does not exist for stack %s", form.Get("LogicalResourceId"), stack.Name)
	}
	var answer resourceDetail
	detail := &answer.Detail
	detail.StackID, detail.StackName, detail.stackResource, detail.LastUpdatedTimestamp = id(stack), stack.Name, describe(r), s.time()
	detail.Metadata, err = metadata(r)
	return answer, err
}

func byLogicalID(stack *template.Stack, logicalID string) (*template.Resource, bool) {
	at := slices.IndexFunc(stack.Resources, func(r *template.Resource) bool { return r.LogicalID == logicalID })
	if at < 0 {
		return nil, false
	}
	return stack.Resources[at], true
}

type resourceMember struct {
	StackID   string `xml:"StackId"`
	StackName string
	stackResource
	Timestamp string
}

type resourceList struct {
	Resources []resourceMember `xml:"StackResources>member"`
}

// describeStackResources describes a stack's resources. The stack is named, or has the
// resource of a physical id. "You must specify either StackName or PhysicalResourceId,
// but not both" (DescribeStackResources).
func (s *Service) describeStackResources(ctx context.Context, form url.Values) (any, error) {
	name, physicalID := form.Get("StackName"), form.Get("PhysicalResourceId")
	if (name == "") == (physicalID == "") {
		return nil, wire.Errorf("ValidationError", "either StackName or PhysicalResourceId must be given, and not both")
	}
	if physicalID != "" {
		name = s.stackOf(physicalID)
		if name == "" {
			return nil, wire.Errorf("ValidationError", "Stack for %s does not exist", physicalID)
		}
	}
	stack, err := s.allowed(ctx, "DescribeStackResources", name)
	if err != nil {
		return nil, err
	}
	var list resourceList
	for _, r := range stack.Resources {
		if logicalID := form.Get("LogicalResourceId"); logicalID == "" || logicalID == r.LogicalID {
			list.Resources = append(list.Resources, resourceMember{id(stack), stack.Name, describe(r), s.time()})
		}
	}
	return list, nil
}

// stackOf returns the name of the stack that has the resource of a physical id, or "" if
// none has.
func (s *Service) stackOf(physicalID string) string {
	for _, stack := range s.stacks() {
		for _, r := range stack.Resources {
			if r.PhysicalID == physicalID {
				return stack.Name
			}
		}
	}
	return ""
}

type resourceSummary struct {
	stackResource
	LastUpdatedTimestamp string
}

type resourceSummaryList struct {
	Summaries []resourceSummary `xml:"StackResourceSummaries>member"`
}

// listStackResources lists a stack's resources, all on one page.
func (s *Service) listStackResources(ctx context.Context, form url.Values) (any, error) {
	stack, err := s.allowed(ctx, "ListStackResources", form.Get("StackName"))
	if err != nil {
		return nil, err
	}
	var list resourceSummaryList
	for _, r := range stack.Resources {
		list.Summaries = append(list.Summaries, resourceSummary{describe(r), s.time()})
	}
	return list, nil
}
