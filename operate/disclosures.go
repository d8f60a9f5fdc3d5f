package operate

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"path"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/google/uuid"

	"hl7lake/client"
)

// Question selects disclosures: those to which all its fields apply.
type Question struct {
	ID   string    // the message's id; "" means any
	User string    // the subject of a user, or the ARN of a caller; "" means anyone
	From time.Time // at or after; zero means from the beginning
	To   time.Time // before; zero means until now
}

// Disclosure is one reading of a message's content or history.
type Disclosure struct {
	Time  time.Time `json:"time"`
	By    string    `json:"by"`              // api or s3
	Who   string    `json:"who"`             // the subject of a user, or the ARN of a caller
	Reads string    `json:"reads,omitempty"` // the institution that the reader may read
	ID    string    `json:"id"`              // the message's id
	Part  string    `json:"part"`            // history, or the content: er7, json, content, view, value; for S3, the object's key
}

// fits reports whether d is one of the disclosures asked for. keys are the keys of the
// message's objects, if the question is about one message.
func (q Question) fits(d Disclosure) bool {
	return (q.ID == "" || d.ID == q.ID) && (q.User == "" || d.Who == q.User) &&
		!d.Time.Before(q.From) && (q.To.IsZero() || d.Time.Before(q.To))
}

// auditLine is the line that the function messages writes to its log for each reading.
type auditLine struct {
	Time    time.Time `json:"timestamp"`
	Audit   bool      `json:"audit"`
	Action  string    `json:"action"`
	Outcome string    `json:"outcome"`
	Who     string    `json:"who"`
	Reads   string    `json:"reads"`
	ID      string    `json:"id"`
	Part    string    `json:"part"`
}

// readOf returns the disclosure that a log line records. It reports false if there is
// none: a refused reading disclosed nothing.
func readOf(line []byte) (Disclosure, bool) {
	var l auditLine
	if json.Unmarshal(line, &l) != nil || !l.Audit || l.Action != "read" || l.Outcome != "done" {
		return Disclosure{}, false
	}
	return Disclosure{Time: l.Time, By: "api", Who: l.Who, Reads: l.Reads, ID: l.ID, Part: l.Part}, true
}

// DisclosuresIn answers the question from the log lines of the function messages, for
// example of a lake on this machine.
func DisclosuresIn(lines iter.Seq[[]byte], q Question) iter.Seq[Disclosure] {
	return func(yield func(Disclosure) bool) {
		for line := range lines {
			if d, is := readOf(line); is && q.fits(d) && !yield(d) {
				return
			}
		}
	}
}

// Disclosures tells who read what, oldest first within each source. The sources are the
// audit records of the function messages, for readings through the API, and the trail,
// for readings of S3 itself except those that the lake's own functions made for somebody.
// It calls report with each disclosure; an error from report ends the search. Other
// errors are those of logs that cannot be read. Log records are kept as long as the
// environment keeps logs. The trail's records arrive some minutes late.
func (o *Operator) Disclosures(ctx context.Context, q Question, report func(Disclosure) error) error {
	reads, err := o.outputs.Get(client.OutputReadsLog)
	if err != nil {
		return err
	}
	trail, err := o.outputs.Get(client.OutputTrailLog)
	if err != nil {
		return err
	}
	tell := func(d Disclosure, is bool) error {
		if !is || !q.fits(d) {
			return nil
		}
		return report(d)
	}
	err = o.records(ctx, reads, `{ $.audit IS TRUE && $.action = "read" && $.outcome = "done" }`, q, func(line []byte) error {
		return tell(readOf(line))
	})
	if err != nil {
		return err
	}
	keys, err := o.keysOf(ctx, q.ID)
	if err != nil {
		return err
	}
	return o.records(ctx, trail, `{ $.eventName = "GetObject" }`, q, func(line []byte) error {
		return tell(o.fetchOf(line, q.ID, keys))
	})
}

// keysOf returns the keys of a message's objects, since not all of them contain its id.
// It returns nil if the question is about any message.
func (o *Operator) keysOf(ctx context.Context, id string) (map[string]bool, error) {
	root, err := uuid.Parse(id)
	if err != nil {
		return nil, nil //nolint:nilerr // no message is asked for
	}
	entries, err := o.catalog.History(ctx, root)
	keys := map[string]bool{}
	for _, entry := range entries {
		keys[entry.Key] = true
	}
	return keys, err
}

// fetchOf returns the disclosure that a record of the trail tells of: somebody other than
// the lake's functions got an object of the lake (AWS CloudTrail User Guide, record
// contents). Its id is the message's if the question names one, else the object's.
func (o *Operator) fetchOf(line []byte, id string, keys map[string]bool) (Disclosure, bool) {
	var record struct {
		EventTime    time.Time `json:"eventTime"`
		ErrorCode    string    `json:"errorCode"`
		UserIdentity struct {
			ARN string `json:"arn"`
		} `json:"userIdentity"`
		RequestParameters struct {
			BucketName string `json:"bucketName"`
			Key        string `json:"key"`
		} `json:"requestParameters"`
	}
	switch err := json.Unmarshal(line, &record); {
	case err != nil, record.ErrorCode != "", record.RequestParameters.BucketName != o.route.Bucket,
		keys != nil && !keys[record.RequestParameters.Key],
		strings.Contains(record.UserIdentity.ARN, ":assumed-role/"+o.names.Queues) && !strings.Contains(record.UserIdentity.ARN, "Identities"):
		return Disclosure{}, false
	}
	key := record.RequestParameters.Key
	if keys == nil {
		id, _, _ = strings.Cut(path.Base(key), ".")
	}
	return Disclosure{Time: record.EventTime, By: "s3", Who: record.UserIdentity.ARN, ID: id, Part: key}, true
}

// records calls look with each line of a log group that matches the filter, within the
// given time.
func (o *Operator) records(ctx context.Context, group, filter string, q Question, look func(line []byte) error) error {
	in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group, FilterPattern: &filter}
	if !q.From.IsZero() {
		in.StartTime = aws.Int64(q.From.UnixMilli())
	}
	if !q.To.IsZero() {
		in.EndTime = aws.Int64(q.To.UnixMilli())
	}
	for pages := cloudwatchlogs.NewFilterLogEventsPaginator(o.logs, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("read the log: %w", err)
		}
		for _, event := range page.Events {
			if err := look([]byte(aws.ToString(event.Message))); err != nil {
				return err
			}
		}
	}
	return nil
}
