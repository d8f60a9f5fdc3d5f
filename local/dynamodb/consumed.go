package dynamodb

import (
	"context"
	"math"

	"hl7lake/local/dynamodb/attribute"
)

// Consumed is called with the number of request units that a call has used of a table,
// including its indexes (Amazon DynamoDB Developer Guide, "DynamoDB read and write
// operations"): a write unit for each KB of an item, a read unit for each 4 KB, half of
// that if the read need not be consistent.
type Consumed func(ctx context.Context, table string, read, write float64)

// WithConsumed makes the service report what each call consumed.
func WithConsumed(consumed Consumed) Option { return func(s *Service) { s.consumed = consumed } }

// The factors of a read's units.
const (
	eventual = 0.5
	standard = 1
)

func units(size, unit int) float64 { return math.Ceil(float64(max(size, 1)) / float64(unit)) }

// wasWritten reports writes. Refused ones count as well, by the item that existed.
func (s *Service) wasWritten(ctx context.Context, changes ...change) {
	for _, c := range changes {
		if c.table != nil {
			s.consumed(ctx, c.table.TableName, 0, c.units())
		}
	}
}

// consistency returns the factor of a read by its ConsistentRead, which may be nil.
func consistency(consistent *bool) float64 {
	if consistent != nil && *consistent {
		return standard
	}
	return eventual
}

// wasRead reports a read of that many bytes.
func (s *Service) wasRead(ctx context.Context, t *table, factor float64, size int) {
	s.consumed(ctx, t.TableName, factor*units(size, 4<<10), 0)
}

// units returns the write units of the change, in the table and in each index that it
// affects.
func (c change) units() float64 {
	total := units(max(c.before.Size(), c.after.Size()), 1<<10)
	for _, i := range c.table.indexes {
		total += i.units(c)
	}
	return total
}

// units returns those of the change in an index: one write if an entry is added, removed
// or changed in place, two if its key changes.
func (i *index) units(c change) float64 {
	from, to := i.entry(c.before, c.key), i.entry(c.after, c.key)
	before, after := i.project(c.before), i.project(c.after)
	switch {
	case from == nil && to == nil:
		return 0
	case from == nil:
		return units(after.Size(), 1<<10)
	case to == nil:
		return units(before.Size(), 1<<10)
	case string(from) != string(to):
		return units(before.Size(), 1<<10) + units(after.Size(), 1<<10)
	case attribute.EqualItems(before, after):
		return 0
	}
	return units(max(before.Size(), after.Size()), 1<<10)
}

// project returns the part of an item that an index holds.
func (i *index) project(item attribute.Item) attribute.Item {
	if i.all {
		return item
	}
	projected := attribute.Item{}
	for name := range i.attributes {
		if value, there := item[name]; there {
			projected[name] = value
		}
	}
	return projected
}
