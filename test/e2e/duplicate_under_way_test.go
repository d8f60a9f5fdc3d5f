package e2e_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
)

// meet sends a message while another request with the same message is under way. Once the
// other has ended, the message is a duplicate, and its id is known before the catalog has
// it.
func (l *lake) meet(t *testing.T, tokens client.TokenSource, body []byte) {
	t.Helper()
	id := uuid.Must(uuid.NewV7()).String()
	l.claim(t, body, id, time.Now().Add(time.Minute))
	table := l.output(t, client.OutputReceived)
	var other sync.WaitGroup
	other.Go(func() {
		time.Sleep(500 * time.Millisecond) // the second request waits for this one
		_, err := l.dynamodb().PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "id#" + id}, "owner": &types.AttributeValueMemberS{Value: scenario.Institution},
		}})
		if err != nil {
			t.Error(err)
		}
	})
	if r := l.mustDo(t, er7(token(t, tokens), body)); r.status != http.StatusConflict || r.answer(t).ID != id {
		t.Errorf("while another is under way: answered %d %s", r.status, r.body)
	}
	other.Wait()
	history, err := l.client(t, tokens).History(t.Context(), id)
	if err != nil || history.Status != client.Accepted {
		t.Errorf("accepted a moment ago: %s, %v", history.Status, err)
	}
}
