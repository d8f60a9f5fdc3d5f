package e2e_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"hl7lake/client"
	"hl7lake/local"
)

// takeShare takes the share that an institution has of staging, for an hour.
func (l *lake) takeShare(t *testing.T, owner string) {
	t.Helper()
	assembly, err := local.Load("../snapshots/dev")
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range assembly.OfType("AWS::DynamoDB::Table") {
		if !strings.HasPrefix(table.LogicalID, "Shares") {
			continue
		}
		_, err := l.dynamodb().PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table.PhysicalID, Item: map[string]types.AttributeValue{
			"pk":   &types.AttributeValueMemberS{Value: "owner#" + owner},
			"full": &types.AttributeValueMemberN{Value: strconv.FormatInt(time.Now().Add(time.Hour).UnixMicro(), 10)},
		}})
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatal("staging has no table of shares")
}

// beyondShare posts messages of an institution that has taken its share of staging,
// and waits until they are at their end.
func (l *lake) beyondShare(t *testing.T) {
	t.Helper()
	const owner = "beyond-its-share"
	tokens := l.user(t, client.User{Email: owner + "@example.org", Read: client.Institutions{owner}, Write: owner})
	l.takeShare(t, owner)
	c := l.client(t, tokens)
	for name, m := range map[string]struct {
		body []byte
		end  client.Status
	}{
		"small": {admission(90), client.Staged}, "large": {document(1 << 20), client.Staged}, "no HL7": {[]byte("text of one beyond its share"), client.Errored},
	} {
		r := l.mustDo(t, er7(token(t, tokens), m.body))
		if r.status != http.StatusCreated {
			t.Fatalf("%s: answered %d %s", name, r.status, r.body)
		}
		if history := ended(t, c, r.answer(t).ID); history.Status != m.end {
			t.Errorf("%s: ended as %s, want %s", name, history.Status, m.end)
		}
	}
}

func TestWhatAnInstitutionHasBeyondItsShareIsStagedByWayOfTheQueue(t *testing.T) {
	l := start(t)
	l.beyondShare(t)
	eventually(t, "nothing is under way", func() bool {
		pending, err := l.Pending()
		if err != nil {
			t.Fatal(err)
		}
		return pending == 0
	})
	for _, grant := range l.UnusedGrants() {
		if strings.Contains(grant.String(), "Deferred") {
			t.Errorf("it went another way: nothing needed %s", grant)
		}
	}
}
