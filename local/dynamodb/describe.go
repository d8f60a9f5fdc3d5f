package dynamodb

import (
	"context"
	"maps"
	"slices"

	"go.etcd.io/bbolt"

	"hl7lake/local/wire"
)

type tableInput struct{ TableName string }

type tableDescription struct {
	TableName, TableArn, TableStatus string
	KeySchema                        []KeySchemaElement
	AttributeDefinitions             []AttributeDefinition
	GlobalSecondaryIndexes           []indexDescription `json:",omitempty"`
	BillingModeSummary               struct{ BillingMode string }
	ItemCount                        int
}

type indexDescription struct {
	IndexName, IndexArn, IndexStatus string
	KeySchema                        []KeySchemaElement
	Projection                       Projection
}

// describeTable counts the table's items, which takes longer the more there are. AWS
// counts them every six hours.
func (s *Service) describeTable(ctx context.Context, in *tableInput) (any, error) {
	t, err := s.open(ctx, "DescribeTable", in.TableName, "")
	if err != nil {
		return nil, err
	}
	d := tableDescription{
		TableName: t.TableName, TableArn: wire.ARN("dynamodb", "table/"+t.TableName), TableStatus: "ACTIVE",
		KeySchema: t.KeySchema, AttributeDefinitions: t.AttributeDefinitions,
	}
	d.BillingModeSummary.BillingMode = "PAY_PER_REQUEST"
	for _, g := range t.GlobalSecondaryIndexes {
		d.GlobalSecondaryIndexes = append(d.GlobalSecondaryIndexes, indexDescription{
			g.IndexName, d.TableArn + "/index/" + g.IndexName, "ACTIVE", g.KeySchema, g.Projection,
		})
	}
	err = s.store.View(func(tx *bbolt.Tx) error {
		d.ItemCount = t.in(tx).items.Stats().KeyN
		return nil
	})
	return struct{ Table tableDescription }{d}, err
}

func (s *Service) describeTimeToLive(ctx context.Context, in *tableInput) (any, error) {
	t, err := s.open(ctx, "DescribeTimeToLive", in.TableName, "")
	if err != nil {
		return nil, err
	}
	type description struct {
		TimeToLiveStatus string
		AttributeName    string `json:",omitempty"`
	}
	d := description{"ENABLED", t.expiryAttribute()}
	if d.AttributeName == "" {
		d.TimeToLiveStatus = "DISABLED"
	}
	return struct{ TimeToLiveDescription description }{d}, nil
}

type listTablesInput struct {
	ExclusiveStartTableName string
	Limit                   int
}

type listTablesOutput struct {
	TableNames             []string
	LastEvaluatedTableName string `json:",omitempty"`
}

func (s *Service) listTables(ctx context.Context, in *listTablesInput) (*listTablesOutput, error) {
	if err := s.authorize(ctx, "dynamodb:ListTables", wire.ARN("dynamodb", "table/*"), nil); err != nil {
		return nil, err
	}
	s.mu.RLock()
	names := slices.Sorted(maps.Keys(s.tables))
	s.mu.RUnlock()
	first, found := slices.BinarySearch(names, in.ExclusiveStartTableName)
	if found {
		first++
	}
	const most = 100
	limit := in.Limit
	if limit < 1 || limit > most {
		limit = most
	}
	out := &listTablesOutput{TableNames: names[first:]}
	if len(out.TableNames) > limit {
		out.TableNames = out.TableNames[:limit]
		out.LastEvaluatedTableName = out.TableNames[limit-1]
	}
	return out, nil
}
