package operate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"hl7lake/internal/catalog"
)

// Fault is a disagreement between claims, catalog and lake.
type Fault string

// The faults.
const (
	NoMessage Fault = "no message" // accepted, and not in the catalog
	NoObject  Fault = "no object"  // in the catalog, and the lake does not hold that version
	NoEntry   Fault = "no entry"   // in the lake, and not in the catalog
	Remains   Fault = "remains"    // of a message that was forgotten, and in the lake
)

// Discrepancy is one place with a fault.
type Discrepancy struct {
	Fault Fault  `json:"fault"`
	ID    string `json:"id"`            // the message's id
	Owner string `json:"owner"`         // the message's owner
	Key   string `json:"key,omitempty"` // the object's key
}

// Verified counts what Verify looked at.
type Verified struct {
	Accepted int           `json:"accepted"` // claims of messages that were accepted
	Entries  int           `json:"entries"`  // entries of the catalog
	Objects  int           `json:"objects"`  // messages in the zone ingestion
	Faults   map[Fault]int `json:"faults"`
}

// lookers is how many entries, objects or claims are looked up at once.
const lookers = 16

// Verify compares claims, catalog and lake completely: what was accepted must be in the
// catalog, what is in the catalog must be in the lake in that version, each message in
// the lake must be in the catalog, and nothing may be left of what was forgotten. Use it
// after a restore, when the three may be from different times; reconcile only looks at
// recent messages. Verify reads whole tables, with one request for each item, and no
// content. It may report a message that is being accepted at the same time. It calls
// report with each fault, one after the other and in no particular order. The error says
// why the lake cannot be read.
func (o *Operator) Verify(ctx context.Context, report func(Discrepancy)) (Verified, error) {
	v := verification{Operator: o, report: report, counts: Verified{Faults: map[Fault]int{}}}
	v.group, ctx = errgroup.WithContext(ctx)
	v.group.SetLimit(lookers)
	err := errors.Join(v.entries(ctx), v.objectsOf(ctx), v.claims(ctx, o.names.Received))
	return v.counts, errors.Join(err, v.group.Wait())
}

// verification is one run of Verify.
type verification struct {
	*Operator
	group  *errgroup.Group
	report func(Discrepancy)

	mu     sync.Mutex
	counts Verified
}

func (v *verification) found(d Discrepancy) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.counts.Faults[d.Fault]++
	v.report(d)
}

// scan calls look with each item of a table, decoded, until the context ends.
func scan[Item any](ctx context.Context, v *verification, table string, look func(context.Context, Item) error) error {
	pages := dynamodb.NewScanPaginator(v.tables, &dynamodb.ScanInput{TableName: &table, ConsistentRead: new(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("read the table: %w", err)
		}
		var items []Item
		if err := attributevalue.UnmarshalListOfMaps(page.Items, &items); err != nil {
			return err
		}
		for _, item := range items {
			v.group.Go(func() error { return look(ctx, item) })
		}
	}
	return nil
}

// entries checks that the lake has what the catalog has.
func (v *verification) entries(ctx context.Context) error {
	return scan(ctx, v, v.catalog.Name, func(ctx context.Context, entry catalog.Entry) error {
		v.mu.Lock()
		v.counts.Entries++
		v.mu.Unlock()
		if entry.Forgotten != "" {
			return v.forgotten(ctx, entry)
		}
		in := &s3.HeadObjectInput{Bucket: &v.route.Bucket, Key: &entry.Key}
		if entry.VersionID != "" {
			in.VersionId = &entry.VersionID
		}
		_, err := v.objects.HeadObject(ctx, in)
		if answer, ok := errors.AsType[*awshttp.ResponseError](err); ok && answer.HTTPStatusCode() == http.StatusNotFound {
			v.found(Discrepancy{NoObject, entry.Root, entry.Owner, entry.Key})
			return nil
		}
		return err
	})
}

// forgotten checks that a forgotten entry's object was deleted, and that nothing was made
// of the message since: what was under way at the time is filed when it comes.
func (v *verification) forgotten(ctx context.Context, entry catalog.Entry) error {
	_, err := v.objects.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &v.route.Bucket, Key: &entry.Key})
	answer, answered := errors.AsType[*awshttp.ResponseError](err)
	switch {
	case err == nil:
		v.found(Discrepancy{Remains, entry.Root, entry.Owner, entry.Key})
	case !answered || answer.HTTPStatusCode() != http.StatusNotFound:
		return err
	}
	if entry.Zone != catalog.Ingestion {
		return nil
	}
	root, err := uuid.Parse(entry.Root)
	if err != nil {
		return err
	}
	entries, err := v.catalog.History(ctx, root)
	for _, other := range entries {
		if other.Forgotten == "" {
			v.found(Discrepancy{Remains, other.Root, other.Owner, other.Key})
		}
	}
	return err
}

// objectsOf checks that the catalog has each message that the lake has.
func (v *verification) objectsOf(ctx context.Context) error {
	prefix := catalog.ProtocolsPrefix(catalog.Ingestion)
	for pages := s3.NewListObjectsV2Paginator(v.objects, &s3.ListObjectsV2Input{Bucket: &v.route.Bucket, Prefix: &prefix}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("list the messages: %w", err)
		}
		for _, object := range page.Contents {
			key, ok := catalog.ParseKey(aws.ToString(object.Key))
			if !ok {
				continue // not written by the writer
			}
			v.group.Go(func() error {
				v.mu.Lock()
				v.counts.Objects++
				v.mu.Unlock()
				return v.catalogued(ctx, key.ID.String(), Discrepancy{NoEntry, key.ID.String(), key.Owner, key.String()})
			})
		}
	}
	return nil
}

// claims checks that the catalog has each message that was accepted. The claim of an
// accepted message is found by the key id#<id>.
func (v *verification) claims(ctx context.Context, table string) error {
	type end struct {
		PK    string `dynamodbav:"pk"`
		Owner string `dynamodbav:"owner"`
	}
	return scan(ctx, v, table, func(ctx context.Context, item end) error {
		id, isEnd := strings.CutPrefix(item.PK, "id#")
		if !isEnd {
			return nil
		}
		v.mu.Lock()
		v.counts.Accepted++
		v.mu.Unlock()
		return v.catalogued(ctx, id, Discrepancy{NoMessage, id, item.Owner, ""})
	})
}

// catalogued reports d if the catalog has no entry of the message.
func (v *verification) catalogued(ctx context.Context, id string, d Discrepancy) error {
	root, err := uuid.Parse(id)
	if err != nil {
		return nil //nolint:nilerr // not one of the lake's: nobody was told such an id
	}
	entries, err := v.catalog.History(ctx, root)
	if err == nil && len(entries) == 0 {
		v.found(d)
	}
	return err
}
