package s3_test

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/local/store"
)

// full names the variable that has the test run in a process whose files cannot
// grow beyond a limit, as on a disk that is full.
const full = "S3_TEST_FULL"

func TestAContentThatTheDiskHasNoRoomForIsRefusedAndLeavesNothing(t *testing.T) {
	if os.Getenv(full) == "" {
		command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		command.Env = append(os.Environ(), full+"=1")
		if output, err := command.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, output)
		}
		return
	}
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	l := serve(t, t.TempDir(), store.Durable, allow)
	first := l.put(t, "lake", "kept", "kept")
	limit(t, syscall.Rlimit{Cur: 1 << 20, Max: before.Max})
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
	limit(t, before)
	if second := l.put(t, "lake", "kept", strings.Repeat("x", 2<<20)); second == first {
		t.Error("once there is room, the write is no new version")
	}
}

func limit(t *testing.T, size syscall.Rlimit) {
	t.Helper()
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &size); err != nil {
		t.Fatal(err)
	}
}
