package operate

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/uuid"

	"hl7lake/internal/hub"
)

// SetAsideOwner is the institution under which dead letters are stored that can never be
// redriven: nobody knows whose they are. No institution may have this name, and only a
// user to whom it is granted reads them.
const SetAsideOwner = "set-aside"

// deadLetter is the kind of what is set aside: a message of SNS, or Lambda's record of a
// failed invocation, or any text that somebody put there. No connector reads it.
const deadLetter hub.Kind = "dead-letter/txt"

// setAside stores a letter in the lake, exactly as it lay in its queue, with the
// attributes and the error that put it there, and takes it out of the queue. It is a
// message of the lake then, which can be traced, read and forgotten by its id. The id is
// derived from the letter's id in the queue, so setting a letter aside again after an
// interruption makes no second copy.
func (r *redrive) setAside(ctx context.Context, message types.Message, letter DeadLetter) DeadLetter {
	id := setAsideID(*message.MessageId, letter.Since)
	err := r.route.Hub.Publish(ctx, hub.Event{
		Name: hub.Ingested, Kind: deadLetter, ID: id, Root: id, Owner: SetAsideOwner, Type: hub.UnknownType, Body: []byte(*message.Body),
	})
	if err != nil {
		letter.Outcome, letter.Err = NotSent, err
		return letter
	}
	letter.ID, letter.Root, letter.Event, letter.Owner, letter.Type = id.String(), id.String(), string(hub.Ingested), SetAsideOwner, hub.UnknownType
	letter.Outcome = SetAside
	_, err = r.queues.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &r.url, ReceiptHandle: message.ReceiptHandle})
	if err != nil {
		letter.Outcome, letter.Err = Doubled, err
	}
	return letter
}

// setAsideID is a UUIDv7 of the time at which the letter came into its queue, with the
// hash of its id there in place of random bits (RFC 9562, 5.7).
func setAsideID(messageID string, since time.Time) (id uuid.UUID) {
	sum := sha256.Sum256([]byte(messageID))
	copy(id[:], sum[:])
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(max(since.UnixMilli(), 0)))
	copy(id[:6], ms[2:])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}
