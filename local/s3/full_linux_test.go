package s3_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/internal/testing/fulldisk"
	"hl7lake/local/store"
)

func TestAContentThatTheDiskHasNoRoomForIsRefusedAndLeavesNothing(t *testing.T) {
	if !fulldisk.Alone(t) {
		return
	}
	l := serve(t, t.TempDir(), store.Durable, allow)
	first := l.put(t, "lake", "kept", "kept")
	makeRoom := fulldisk.Fill(t, 1<<20)
	for _, key := range []string{"kept", "new"} {
		_, err := l.PutObject(t.Context(), &sdk.PutObjectInput{
			Bucket: aws.String("lake"), Key: &key, Body: strings.NewReader(strings.Repeat("x", 2<<20)),
		})
		if code(err) != "InternalError" || !strings.Contains(err.Error(), "make room") {
			t.Errorf("put %s: %v", key, err)
		}
	}
	if content, err := l.get(t, "lake", "kept", ""); err != nil || content != "kept" {
		t.Errorf("what was there: %q, %v", content, err)
	}
	if _, err := l.get(t, "lake", "new", ""); code(err) != "NoSuchKey" || l.file(t, "lake", "new") != "(none)" {
		t.Errorf("what was refused: %v, and the file %.9s", err, l.file(t, "lake", "new"))
	}
	if files := l.contents(t); files != 1 {
		t.Errorf("%d contents are kept, want the one", files)
	}
	makeRoom()
	if second := l.put(t, "lake", "kept", strings.Repeat("x", 2<<20)); second == first {
		t.Error("once there is room, the write is no new version")
	}
}
