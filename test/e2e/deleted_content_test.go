package e2e_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/client"
)

// goneContent deletes what the lake holds of two messages for good, as a rule or a person
// with the permission does, and checks that the API says so.
func (l *lake) goneContent(t *testing.T, c *client.Client) {
	t.Helper()
	for _, id := range l.accepted(t, c, admission(6), document(4<<20+1)) { // the second is too large for an answer
		l.deleteContent(t, c, id)
		l.wantGone(t, c, id)
	}
}

// deleteContent deletes the objects of a message, as they expire.
func (l *lake) deleteContent(t *testing.T, c *client.Client, id string) {
	t.Helper()
	history, err := c.History(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range history.Steps {
		_, err := l.s3().DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &step.Bucket, Key: &step.Key, VersionId: aws.String(step.VersionID)})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// wantGone checks that neither of a message's contents is there, and that its history
// still is.
func (l *lake) wantGone(t *testing.T, c *client.Client, id string) {
	t.Helper()
	_, er7 := c.ER7(t.Context(), id)
	_, line := c.JSON(t.Context(), id)
	for _, err := range []error{er7, line} {
		problem, ok := errors.AsType[*client.Problem](err)
		if !ok || problem.Status != http.StatusGone || problem.Code != "gone" {
			t.Errorf("content of %s, which is gone: %v", id, err)
		}
	}
	if history, err := c.History(t.Context(), id); err != nil || !history.Ended {
		t.Errorf("the history of %s: %+v, %v", id, history, err)
	}
}

func TestContentThatWasDeletedIsGoneAndItsHistoryRemains(t *testing.T) {
	l := start(t)
	l.goneContent(t, l.client(t, l.admin(t)))
}
