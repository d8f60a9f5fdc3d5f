package cognito

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"hl7lake/local/wire"
)

// maxListed is the most users in one answer of ListUsers.
const maxListed = 60

type listUsersInput struct {
	UserPoolId, Filter, PaginationToken string
	Limit                               *int
	AttributesToGet                     []string
}

type listUsersOutput struct {
	Users           []userOutput
	PaginationToken string `json:",omitempty"`
}

// listUsers returns the users sorted by their subs. The pagination token is the last one
// returned.
func (s *Service) listUsers(ctx context.Context, in *listUsersInput) (*listUsersOutput, error) {
	p, err := s.allowed(ctx, "ListUsers", in.UserPoolId)
	if err != nil {
		return nil, err
	}
	matches, err := parseFilter(in.Filter)
	if err != nil {
		return nil, err
	}
	limit := maxListed
	if in.Limit != nil && *in.Limit > 0 {
		limit = min(*in.Limit, maxListed)
	}
	output := &listUsersOutput{Users: []userOutput{}}
	err = s.store.View(func(tx *bbolt.Tx) error {
		users := tx.Bucket(p.userBucket())
		if users == nil {
			return nil
		}
		cursor := users.Cursor()
		for sub, text := cursor.Seek([]byte(in.PaginationToken)); sub != nil; sub, text = cursor.Next() {
			u := new(user)
			if err := json.Unmarshal(text, u); err != nil {
				return fmt.Errorf("a user of pool %s: %w", p.id, err)
			}
			if string(sub) == in.PaginationToken || !matches(u) {
				continue
			}
			if len(output.Users) == limit {
				output.PaginationToken = output.Users[limit-1].sub()
				return nil
			}
			output.Users = append(output.Users, u.listed(in.AttributesToGet))
		}
		return nil
	})
	return output, err
}

func (u *user) listed(wanted []string) userOutput {
	output := u.output()
	if wanted != nil {
		output.Attributes = slices.DeleteFunc(output.Attributes, func(a struct{ Name, Value string }) bool {
			return a.Name != "sub" && !slices.Contains(wanted, a.Name)
		})
	}
	return output
}

// Every listed user's attributes begin with the sub.
func (o userOutput) sub() string { return o.Attributes[0].Value }

// parseFilter parses a filter such as email ^= "admin"
// (https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUsers.html).
func parseFilter(filter string) (func(*user) bool, error) {
	if filter == "" {
		return func(*user) bool { return true }, nil
	}
	parts := regexp.MustCompile(`^\s*"?([a-z:_]+)"?\s*(\^?=)\s*"(.*)"\s*$`).FindStringSubmatch(filter)
	if parts == nil {
		return nil, wire.Errorf("InvalidParameterException", "Error while parsing filter")
	}
	name, operator, want := parts[1], parts[2], strings.ReplaceAll(parts[3], `\"`, `"`)
	value, known := filterValue(name)
	if !known {
		return nil, wire.Errorf("InvalidParameterException", "The attribute %s cannot be filtered by", name)
	}
	return func(u *user) bool {
		return value(u) == want || operator == "^=" && strings.HasPrefix(value(u), want)
	}, nil
}

// filterValue returns the value of a user that a filter looks at.
func filterValue(name string) (func(*user) string, bool) {
	switch name {
	case "sub":
		return func(u *user) string { return u.Sub }, true
	case "username":
		return func(u *user) string { return u.Username }, true
	case "cognito:user_status":
		return func(u *user) string { return u.Status }, true
	case "status":
		return func(u *user) string { return map[bool]string{true: "Disabled", false: "Enabled"}[u.Disabled] }, true
	case "email", "phone_number", "name", "given_name", "family_name", "preferred_username":
		return func(u *user) string { return u.Attributes[name] }, true
	}
	return nil, false
}

// maxClientsListed is the most clients in one answer of ListUserPoolClients.
const maxClientsListed = 60

type listClientsInput struct {
	UserPoolId, NextToken string
	MaxResults            *int
}

type listedClient struct{ ClientId, ClientName, UserPoolId string }

type listClientsOutput struct {
	UserPoolClients []listedClient
	NextToken       string `json:",omitempty"`
}

// listUserPoolClients returns a pool's clients sorted by their ids. The token is the last
// one returned.
func (s *Service) listUserPoolClients(ctx context.Context, in *listClientsInput) (*listClientsOutput, error) {
	if _, err := s.allowed(ctx, "ListUserPoolClients", in.UserPoolId); err != nil {
		return nil, err
	}
	limit := maxClientsListed
	if in.MaxResults != nil && *in.MaxResults > 0 {
		limit = min(*in.MaxResults, maxClientsListed)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	output := &listClientsOutput{UserPoolClients: []listedClient{}}
	for _, id := range slices.Sorted(maps.Keys(s.clients)) {
		c := s.clients[id]
		if c.pool.id != in.UserPoolId || id <= in.NextToken {
			continue
		}
		if len(output.UserPoolClients) == limit {
			output.NextToken = output.UserPoolClients[limit-1].ClientId
			break
		}
		output.UserPoolClients = append(output.UserPoolClients, listedClient{id, c.ClientName, in.UserPoolId})
	}
	return output, nil
}
