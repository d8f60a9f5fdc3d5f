package httpapi

import (
	"fmt"
	"slices"
	"strings"
)

// route is a route whose key was parsed.
type route struct {
	Route
	method   string // ANY for all; empty for $default
	segments []segment
}

// segment is the text between two slashes of a route's path.
type segment struct {
	text     string // literal, or the variable's name
	variable bool
	greedy   bool // takes the rest of the path
}

// parseRoute parses a route key
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html).
func parseRoute(r Route) (*route, error) {
	if r.RouteKey == "$default" {
		return &route{Route: r}, nil
	}
	method, path, found := strings.Cut(r.RouteKey, " ")
	if !found || !strings.HasPrefix(path, "/") {
		return nil, fmt.Errorf("property RouteKey: %q is not a method and a path", r.RouteKey)
	}
	parsed := &route{Route: r, method: method}
	for part := range strings.SplitSeq(path[1:], "/") {
		s := segment{text: part}
		if name, is := strings.CutPrefix(part, "{"); is && strings.HasSuffix(name, "}") {
			s.text, s.variable = strings.TrimSuffix(name, "}"), true
			s.text, s.greedy = strings.CutSuffix(s.text, "+")
		}
		if n := len(parsed.segments); n > 0 && parsed.segments[n-1].greedy {
			return nil, fmt.Errorf("property RouteKey: %q goes on after a greedy variable", r.RouteKey)
		}
		parsed.segments = append(parsed.segments, s)
	}
	return parsed, nil
}

// match returns the values of the path's variables, and whether the route takes the
// request.
func (r *route) match(method, path string) (map[string]string, bool) {
	if r.method == "" {
		return nil, true
	}
	if r.method != "ANY" && r.method != method {
		return nil, false
	}
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	var variables map[string]string
	for i, s := range r.segments {
		if i >= len(parts) {
			return nil, false
		}
		value := parts[i]
		if s.greedy {
			value = strings.Join(parts[i:], "/")
		}
		if !s.variable && s.text != value || s.variable && value == "" {
			return nil, false
		}
		if s.variable {
			if variables == nil {
				variables = map[string]string{}
			}
			variables[s.text] = value
		}
		if s.greedy {
			return variables, true
		}
	}
	return variables, len(parts) == len(r.segments)
}

// compare sorts the more specific route first: API Gateway prefers a full match to a
// greedy one, and takes $default last. A literal segment comes before a variable, and a
// method before ANY.
func (r *route) compare(other *route) int {
	return slices.Compare(r.rank(), other.rank())
}

func (r *route) rank() []int {
	if r.method == "" {
		return []int{3}
	}
	var rank []int
	for _, s := range r.segments {
		switch {
		case s.greedy:
			rank = append(rank, 2)
		case s.variable:
			rank = append(rank, 1)
		default:
			rank = append(rank, 0)
		}
	}
	if r.method == "ANY" {
		return append(rank, 1)
	}
	return append(rank, 0)
}

// find returns the most specific route for a request, or nil.
func (a *api) find(method, path string) (found *route, variables map[string]string) {
	for _, candidate := range a.routes {
		values, matches := candidate.match(method, path)
		if matches && (found == nil || candidate.compare(found) < 0) {
			found, variables = candidate, values
		}
	}
	return found, variables
}
