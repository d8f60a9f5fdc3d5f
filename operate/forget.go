package operate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/claim"
	"hl7lake/internal/hub"
	"hl7lake/internal/object"
)

// ForgetReason is the code of the reason for which a message is forgotten. The catalog
// keeps it. It is one of ForgetReasons, because free text could name a patient.
type ForgetReason string

// ForgetReasons are all codes.
func ForgetReasons() []ForgetReason {
	return []ForgetReason{"court-order", "mistake", "patient-request", "retention-over", "test-data", "wrong-patient"}
}

// Known reports whether r is one of ForgetReasons.
func (r ForgetReason) Known() bool { return slices.Contains(ForgetReasons(), r) }

// Forgotten is what became of a message that was to be forgotten.
type Forgotten struct {
	ID       string       `json:"id"`
	Owner    string       `json:"owner"`
	Reason   ForgetReason `json:"reason"`
	Objects  int          `json:"objects"`  // the number of object versions and claim checks that were deleted, or would be
	Released bool         `json:"released"` // the sender may send the same content again, as a new message
	Done     bool         `json:"done"`     // false in a dry run
}

// The errors of a message that cannot be forgotten.
var (
	// ErrReason says that a reason is not one of ForgetReasons.
	ErrReason = errors.New("there is no such reason")
	// ErrUnderWay says that a message has not ended yet: its result would still be
	// written after it was forgotten.
	ErrUnderWay = errors.New("the message is still being processed")
	// ErrForgotten says that a message was already forgotten.
	ErrForgotten = errors.New("the message was forgotten")
)

// LockedError says that an object of a message may not be deleted.
type LockedError struct {
	Key   string
	Until time.Time // the end of its retention; zero if no retention applies
	Hold  bool      // a legal hold applies
}

func (e *LockedError) Error() string {
	if e.Hold {
		return "a legal hold is on " + e.Key
	}
	return "locked until " + e.Until.UTC().Format(time.RFC3339) + ": " + e.Key
}

// Forget deletes the content of the message id for good: the message, everything that was
// made of it, and copies that wait in the claim-check bucket. It then publishes a forgotten
// event, by which connectors delete what they keep of the message: Finder, its hashes. The
// catalog keeps its entries, with the time and the reason, and without the hash of the
// control id. The sender may then send the same content again, as a new message. A dry run
// only looks.
//
// If a lock or a legal hold protects one of the message's objects, Forget deletes nothing
// and returns a *LockedError. That needs the permissions s3:GetObjectRetention and
// s3:GetObjectLegalHold; without them, S3 refuses the deletion itself. Forget never uses
// the governance bypass. If it is interrupted, it can be called again. A dead letter of
// the message stays in its queue until a redrive finds that the message was forgotten.
func (o *Operator) Forget(ctx context.Context, id string, reason ForgetReason, dry bool) (Forgotten, error) {
	return o.forget(ctx, "", id, reason, dry)
}

// ForgetOf is Forget for a message of the institution owner. Another one's message is
// unknown.
func (o *Operator) ForgetOf(ctx context.Context, owner, id string, reason ForgetReason) (Forgotten, error) {
	return o.forget(ctx, owner, id, reason, false)
}

// forget is Forget for a message of the owner, or of any for "".
func (o *Operator) forget(ctx context.Context, owner, id string, reason ForgetReason, dry bool) (Forgotten, error) {
	result := Forgotten{ID: id, Reason: reason}
	if !reason.Known() {
		return result, ErrReason
	}
	root, err := uuid.Parse(id)
	if err != nil {
		return result, ErrNoMessage
	}
	entries, err := o.catalog.History(ctx, root)
	switch {
	case err != nil:
		return result, err
	case len(entries) == 0, owner != "" && entries[0].Owner != owner:
		return result, ErrNoMessage
	}
	result.Owner = entries[0].Owner
	if !catalog.Ended(entries) {
		return result, ErrUnderWay
	}
	f := forgetting{Operator: o, root: root, entries: entries}
	if err := f.look(ctx); err != nil {
		return result, err
	}
	result.Objects = len(f.objects)
	if dry {
		return result, nil
	}
	result.Released, err = f.run(ctx, reason)
	result.Done = err == nil
	return result, err
}

// forgetting is the work of forgetting one message.
type forgetting struct {
	*Operator
	root    uuid.UUID
	entries []catalog.Entry
	objects []s3.DeleteObjectInput // the message as it was sent comes last
}

// look finds out what is to be deleted, and whether it may be.
func (f *forgetting) look(ctx context.Context) error {
	if err := f.lookAtClaimChecks(ctx); err != nil {
		return err
	}
	slices.SortStableFunc(f.entries, func(a, b catalog.Entry) int { return last(a) - last(b) })
	for _, entry := range f.entries {
		pages := s3.NewListObjectVersionsPaginator(f.Operator.objects, &s3.ListObjectVersionsInput{Bucket: &f.route.Bucket, Prefix: &entry.Key})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return fmt.Errorf("list the versions: %w", err)
			}
			for _, version := range page.Versions {
				if *version.Key != entry.Key {
					continue
				}
				if err := f.mayDelete(ctx, version); err != nil {
					return err
				}
				f.delete(f.route.Bucket, *version.Key, version.VersionId)
			}
			for _, marker := range page.DeleteMarkers {
				if *marker.Key != entry.Key {
					continue
				}
				f.delete(f.route.Bucket, *marker.Key, marker.VersionId)
			}
		}
	}
	return nil
}

// last is 1 for the message as it was sent, and 0 for what was made of it.
func last(entry catalog.Entry) int {
	if entry.Zone == catalog.Ingestion {
		return 1
	}
	return 0
}

func (f *forgetting) delete(bucket, key string, version *string) {
	f.objects = append(f.objects, s3.DeleteObjectInput{Bucket: &bucket, Key: &key, VersionId: version})
}

// lookAtClaimChecks finds the content that events of the message left in the claim-check
// bucket.
func (f *forgetting) lookAtClaimChecks(ctx context.Context) error {
	bucket := f.route.Hub.ClaimCheck.Bucket
	pages := s3.NewListObjectsV2Paginator(f.Operator.objects, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: new(f.root.String() + "/")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("list the claim checks: %w", err)
		}
		for _, object := range page.Contents {
			f.delete(bucket, *object.Key, nil)
		}
	}
	return nil
}

// mayDelete returns a *LockedError if S3 says that a version must not be deleted.
func (f *forgetting) mayDelete(ctx context.Context, version s3types.ObjectVersion) error {
	out, err := f.Operator.objects.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &f.route.Bucket, Key: version.Key, VersionId: version.VersionId})
	if err != nil {
		return fmt.Errorf("look at the object: %w", err)
	}
	locked := &LockedError{Key: *version.Key, Hold: out.ObjectLockLegalHoldStatus == s3types.ObjectLockLegalHoldStatusOn}
	if until := aws.ToTime(out.ObjectLockRetainUntilDate); time.Now().Before(until) {
		locked.Until = until
	}
	if locked.Hold || !locked.Until.IsZero() {
		return locked
	}
	return nil
}

// run deletes what look has found. It gives up the claim while the message as it was sent
// still exists, since that leads to the claim. It marks the message as forgotten after the
// deletion, and then tells the connectors. So a second call can finish after an
// interruption.
func (f *forgetting) run(ctx context.Context, reason ForgetReason) (released bool, err error) {
	keys, err := f.claimKeys(ctx)
	if err != nil {
		return false, err
	}
	sent := func(object s3.DeleteObjectInput) bool {
		return slices.ContainsFunc(f.entries, func(e catalog.Entry) bool { return e.Zone == catalog.Ingestion && e.Key == *object.Key })
	}
	for _, object := range f.objects {
		for len(keys) > 0 && sent(object) { // once is enough
			had, err := claim.GiveUp(ctx, f.tables, f.names.Received, keys[0], f.root)
			if err != nil {
				return released, err
			}
			released, keys = released || had, keys[1:]
		}
		if _, err := f.Operator.objects.DeleteObject(ctx, &object); err != nil {
			return released, fmt.Errorf("delete the object: %w", err)
		}
	}
	if err := catalog.Forget(ctx, f.tables, f.catalog.Name, f.entries, string(reason), time.Now()); err != nil {
		return released, err
	}
	return released, f.tell(ctx, reason)
}

// tell publishes the forgotten event of the message, whose entries include the message as
// it was sent. A repetition has the same id.
func (f *forgetting) tell(ctx context.Context, reason ForgetReason) error {
	raw, _ := catalog.Raw(f.entries)
	message := hub.Event{ID: f.root, Root: f.root, Owner: raw.Owner, Type: raw.Type}
	event := hub.Derive(message, hub.Connector{}, hub.Forgotten, raw.Kind())
	event.Body = []byte(reason)
	return f.route.Hub.Publish(ctx, event)
}

// claimKeys returns the keys that may hold the claim on the message's content. It returns
// none if the content is gone: the claim has then expired or was given up.
func (f *forgetting) claimKeys(ctx context.Context) ([]string, error) {
	raw, _ := catalog.Raw(f.entries)
	content, err := raw.Read(ctx, f.route.Objects, f.route.Bucket)
	switch {
	case object.IsGone(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	key, sent := claim.Keys(raw.Owner, raw.Kind(), content)
	return slices.Compact([]string{key, sent}), nil
}
