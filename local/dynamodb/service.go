// Package dynamodb is the local lake's DynamoDB: tables and their global secondary
// indexes in the shared store, behind DynamoDB's own wire protocol.
//
// A table is made from a template's AWS::DynamoDB::Table and keeps its data when it is
// made again. The cost of every read and write grows with the logarithm of the table's
// size. A write is durable when it is answered. Differences from AWS:
//
//   - Every read is strongly consistent, also of an index.
//   - A Scan returns items in the order of their keys, not of their hashes.
//   - Items whose time to live has passed are still returned, as on AWS, where
//     they go within days: here a later write to the table removes them once
//     they have been expired for two days.
//   - Transactions are refused. A batch of writes happens as a whole or not at all.
//   - The parameters that came before expressions (Expected, KeyConditions,
//     AttributeUpdates, …), PartiQL and parallel scans are refused.
package dynamodb

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"hl7lake/local/store"
	"hl7lake/local/wire"
)

// Service answers DynamoDB's requests. It is safe for concurrent use.
type Service struct {
	store     *store.Store
	authorize wire.Authorize
	now       func() time.Time
	consumed  Consumed
	handler   http.Handler

	mu     sync.RWMutex
	tables map[string]*table
}

// Option changes how a Service works.
type Option func(*Service)

// WithClock makes the service use now instead of time.Now.
func WithClock(now func() time.Time) Option { return func(s *Service) { s.now = now } }

// New returns a service without tables, which keeps its data in the store and calls
// authorize before it acts.
func New(store *store.Store, authorize wire.Authorize, options ...Option) *Service {
	s := &Service{
		store: store, authorize: authorize, now: time.Now, tables: map[string]*table{},
		consumed: func(context.Context, string, float64, float64) {},
	}
	for _, option := range options {
		option(s)
	}
	s.handler = wire.JSON("1.0", map[string]wire.Operation{
		"BatchGetItem":       wire.Op(s.batchGetItem),
		"BatchWriteItem":     wire.Op(s.batchWriteItem),
		"DeleteItem":         wire.Op(s.deleteItem),
		"DescribeTable":      wire.Op(s.describeTable),
		"DescribeTimeToLive": wire.Op(s.describeTimeToLive),
		"GetItem":            wire.Op(s.getItem),
		"ListTables":         wire.Op(s.listTables),
		"PutItem":            wire.Op(s.putItem),
		"Query":              wire.Op(s.query),
		"Scan":               wire.Op(s.scan),
		"UpdateItem":         wire.Op(s.updateItem),
	})
	return s
}

// ServeHTTP answers one request of the protocol AWS JSON 1.0.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// open checks that the caller may perform action on a table, or on an index of it if
// index is not empty, and returns the table. name may be the table's ARN.
func (s *Service) open(ctx context.Context, action, name, index string) (*table, error) {
	name = strings.TrimPrefix(name, wire.ARN("dynamodb", "table/"))
	if name == "" {
		return nil, invalid("Value null at 'tableName' failed to satisfy constraint: Member must not be null")
	}
	resource := "table/" + name
	if index != "" {
		resource += "/index/" + index
	}
	if err := s.authorize(ctx, "dynamodb:"+action, wire.ARN("dynamodb", resource), nil); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	t, there := s.tables[name]
	if !there {
		return nil, wire.Errorf("ResourceNotFoundException", "Requested resource not found")
	}
	return t, nil
}

func invalid(format string, args ...any) error {
	return wire.Errorf("ValidationException", format, args...)
}
