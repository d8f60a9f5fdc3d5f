package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/client"
	"hl7lake/operate"
)

// verify compares the lake's parts, and returns the disagreements sorted by name.
func (l *lake) verify(t *testing.T) (operate.Verified, []string) {
	t.Helper()
	operator, err := operate.New(l.connection, aws.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var amiss []string
	counts, err := operator.Verify(t.Context(), func(d operate.Discrepancy) {
		amiss = append(amiss, fmt.Sprintf("%s of %s", d.Fault, d.ID))
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(amiss)
	return counts, amiss
}

// TestARestoreToDifferentMomentsIsSeen is a drill. It removes from each of the three
// stores what a restore to an earlier time would remove. Verify must name exactly that.
func TestARestoreToDifferentMomentsIsSeen(t *testing.T) {
	l := start(t)
	c := l.client(t, l.admin(t))
	ids := l.accepted(t, c, admission(1), admission(2), admission(3), admission(4), []byte("no HL7"))
	histories := l.histories(t, c, ids)
	if counts, amiss := l.verify(t); len(amiss) > 0 || counts.Accepted != len(ids) || counts.Entries != 2*len(ids) || counts.Objects != len(ids) {
		t.Fatalf("before anything is lost: %+v, %q", counts, amiss)
	}

	// The lake is of an earlier time: two objects do not exist yet.
	raw, _ := histories[0].Find(client.Ingestion)
	made, _ := histories[1].Find(client.Staging)
	for _, object := range []client.Step{raw, made} {
		_, err := l.s3().DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &object.Bucket, Key: &object.Key, VersionId: &object.VersionID})
		if err != nil {
			t.Fatal(err)
		}
	}
	// The catalog is of an earlier time: it does not know one message that is in the
	// lake, and one message is in neither.
	for _, history := range histories[2:4] {
		for _, step := range history.Steps {
			_, err := l.dynamodb().DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
				TableName: new(l.output(t, client.OutputCatalog)),
				Key: map[string]dynamodbtypes.AttributeValue{
					"root": &dynamodbtypes.AttributeValueMemberS{Value: history.ID},
					"sk":   &dynamodbtypes.AttributeValueMemberS{Value: string(step.Zone) + "#" + step.ID},
				},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	gone, _ := histories[3].Find(client.Ingestion)
	if _, err := l.s3().DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &gone.Bucket, Key: &gone.Key, VersionId: &gone.VersionID}); err != nil {
		t.Fatal(err)
	}

	counts, amiss := l.verify(t)
	want := []string{"no entry of " + ids[2], "no message of " + ids[2], "no message of " + ids[3], "no object of " + ids[0], "no object of " + ids[1]}
	slices.Sort(want)
	if !slices.Equal(amiss, want) {
		t.Errorf("amiss are\n%s\nwant\n%s", strings.Join(amiss, "\n"), strings.Join(want, "\n"))
	}
	if counts.Faults[operate.NoObject] != 2 || counts.Faults[operate.NoMessage] != 2 || counts.Faults[operate.NoEntry] != 1 {
		t.Errorf("%+v", counts)
	}

	// What can be made again is made again: the JSON, from the message, under the same
	// id.
	if replayed := l.replay(t, operate.Selection{IDs: []string{ids[1]}}, false); replayed[ids[1]].Err != nil || !replayed[ids[1]].Done {
		t.Fatalf("replayed %+v", replayed)
	}
	eventually(t, "the JSON is there again", func() bool {
		_, err := c.JSON(t.Context(), ids[1])
		return err == nil
	})
}
