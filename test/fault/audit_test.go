package fault_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"hl7lake/client"
)

// entry is an item of the catalog.
type entry struct {
	Root      string `dynamodbav:"root"`
	Zone      string `dynamodbav:"zone"`
	Owner     string `dynamodbav:"owner"`
	Key       string `dynamodbav:"key"`
	VersionID string `dynamodbav:"version_id"`
	SHA256    string `dynamodbav:"sha256"`
	Reason    string `dynamodbav:"reason_code"`
}

// claim is an item of the table of received messages: a claim on content, or the record
// of a claim that ended, under the id.
type claim struct {
	PK    string `dynamodbav:"pk"`
	ID    string `dynamodbav:"id"`
	Owner string `dynamodbav:"owner"`
}

// letter is a message of a dead-letter queue.
type letter struct {
	queue, root, id, event, body string // root, id and event are those of the hub's event
	attributes                   map[string]string
}

// contents is everything that a lake holds.
type contents struct {
	entries  map[string][]entry  // the catalog's entries, by root
	versions map[string][]string // the lake's objects, by key
	claims   map[string]claim    // by key
	letters  map[string][]letter // dead letters about a message, by root
}

// contents reads the whole lake. It changes nothing: letters return to their queues.
func (l *lake) contents(ctx context.Context) (c contents, err error) {
	c = contents{entries: map[string][]entry{}, versions: map[string][]string{}, claims: map[string]claim{}, letters: map[string][]letter{}}
	for output, read := range map[string]func(table string) error{
		client.OutputCatalog: func(table string) error {
			return scan(ctx, l, table, func(e entry) { c.entries[e.Root] = append(c.entries[e.Root], e) })
		},
		client.OutputReceived: func(table string) error {
			return scan(ctx, l, table, func(item claim) { c.claims[item.PK] = item })
		},
	} {
		table, err := l.Outputs.Get(output)
		if err != nil {
			return c, err
		}
		if err := read(table); err != nil {
			return c, err
		}
	}
	bucket, err := l.Outputs.Get(client.OutputLake)
	if err != nil {
		return c, err
	}
	if err := l.objects(ctx, bucket, c.versions); err != nil {
		return c, err
	}
	letters, err := l.letters(ctx)
	for _, letter := range letters {
		c.letters[letter.root] = append(c.letters[letter.root], letter)
	}
	return c, err
}

func scan[Item any](ctx context.Context, l *lake, table string, take func(Item)) error {
	pages := dynamodb.NewScanPaginator(l.dynamodb(), &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		var items []Item
		if err := attributevalue.UnmarshalListOfMaps(page.Items, &items); err != nil {
			return err
		}
		for _, item := range items {
			take(item)
		}
	}
	return nil
}

func (l *lake) objects(ctx context.Context, bucket string, versions map[string][]string) error {
	pages := s3.NewListObjectVersionsPaginator(l.s3(), &s3.ListObjectVersionsInput{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, version := range page.Versions {
			versions[*version.Key] = append(versions[*version.Key], aws.ToString(version.VersionId))
		}
		for _, marker := range page.DeleteMarkers {
			return fmt.Errorf("the lake has a delete marker: %s", *marker.Key)
		}
	}
	return nil
}

// letters reads every queue and leaves it as it was.
func (l *lake) letters(ctx context.Context) (all []letter, err error) {
	queues, err := l.sqs().ListQueues(ctx, &sqs.ListQueuesInput{})
	if err != nil {
		return nil, err
	}
	for _, url := range queues.QueueUrls {
		of, err := l.queue(ctx, url)
		if err != nil {
			return nil, err
		}
		all = append(all, of...)
	}
	return all, nil
}

// queue reads a queue until it is empty and then makes everything visible again.
func (l *lake) queue(ctx context.Context, url string) (all []letter, err error) {
	var receipts []*string
	for {
		out, err := l.sqs().ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &url, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"}, VisibilityTimeout: 600,
		})
		if err != nil {
			return nil, err
		}
		if len(out.Messages) == 0 {
			break
		}
		for _, m := range out.Messages {
			read := letter{queue: url[strings.LastIndexByte(url, '/')+1:], body: *m.Body, attributes: map[string]string{}}
			for name, value := range m.MessageAttributes {
				read.attributes[name] = aws.ToString(value.StringValue)
			}
			read.root, read.id, read.event = origin(*m.Body)
			all = append(all, read)
			receipts = append(receipts, m.ReceiptHandle)
		}
	}
	for _, receipt := range receipts {
		_, err := l.sqs().ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: receipt})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// notification is an SNS message as a subscriber gets it.
type notification struct {
	MessageAttributes map[string]struct{ Value string }
}

// origin returns the event and message that a dead letter is about. The letter is the SNS
// message that could not be delivered, or Lambda's record of the event that a function
// failed on.
func origin(body string) (root, id, event string) {
	var text struct {
		notification
		RequestPayload struct{ Records []struct{ Sns notification } }
	}
	if json.Unmarshal([]byte(body), &text) != nil {
		return "", "", ""
	}
	attributes := text.MessageAttributes
	if records := text.RequestPayload.Records; len(records) == 1 {
		attributes = records[0].Sns.MessageAttributes
	}
	return attributes["root"].Value, attributes["id"].Value, attributes["event"].Value
}

// verdict is what the audit says about one message.
type verdict struct {
	id       string
	problems []string // each a few words; none means good
	staged   bool     // it has its JSON
	failed   string   // the reason's code if it has none, or if an attempt had none
	dead     int      // letters about it
}

func (v *verdict) wrong(format string, arguments ...any) {
	v.problems = append(v.problems, fmt.Sprintf(format, arguments...))
}

// audit compares one message of the ledger with what the lake holds. It has one outcome,
// JSON or an error, and never an error for something that was not its fault.
func (c contents) audit(m *message) (v verdict) {
	id, problem := m.id()
	v.id = id
	if problem != "" {
		v.wrong("%s", problem)
	}
	if id == "" {
		if !m.refused() {
			v.wrong("it was neither accepted nor refused; its sender was told %v", m.told())
		}
		if _, claimed := c.claims[key(m)]; claimed {
			v.wrong("it was refused, and there is a claim on it")
		}
		return v
	}
	c.auditClaim(m, &v)
	zones := map[string][]entry{}
	for _, e := range c.entries[id] {
		zones[e.Zone] = append(zones[e.Zone], e)
		c.auditEntry(m, e, &v)
	}
	dead := map[string]bool{}
	for _, letter := range c.letters[id] {
		v.dead++
		dead[letter.event] = true
		if strings.Contains(letter.queue, "Trigger") {
			dead["outcome"] = true
		}
	}
	if n := len(zones["ingestion"]); n > 1 || n == 0 && !dead["ingested"] {
		v.wrong("the catalog has %d records of the message itself", n)
	}
	staged, failed := zones["staging"], zones["error"]
	v.staged = len(staged) > 0
	if len(failed) > 0 {
		v.failed = failed[0].Reason
	}
	switch {
	case len(staged)+len(failed) == 0 && !dead["staged"] && !dead["error"] && !dead["outcome"]:
		v.wrong("it is neither staged nor an error, nor in a dead-letter queue")
	case len(staged) > 1 || len(failed) > 1:
		v.wrong("it is staged %d times and an error %d times", len(staged), len(failed))
	case len(staged) == 1 && len(failed) == 1:
		v.wrong("it is both staged and an error (%s)", v.failed)
	case m.hl7 && len(failed) > 0:
		v.wrong("it is HL7 and was filed as an error (%s)", v.failed)
	case !m.hl7 && v.staged:
		v.wrong("it is no HL7 and was staged")
	}
	return v
}

// tally counts messages by what became of them.
type tally map[string]int

func (t tally) String() string {
	var text []string
	for _, name := range slices.Sorted(maps.Keys(t)) {
		text = append(text, fmt.Sprintf("%s %d", name, t[name]))
	}
	return strings.Join(text, ", ")
}

// audit compares a ledger with the lake. A problem names a message, or says what belongs
// to no message.
func (l *lake) audit(ctx context.Context, ledger []*message) (problems []string, counts tally, err error) {
	held, err := l.contents(ctx)
	if err != nil {
		return nil, nil, err
	}
	counts = tally{"sent": len(ledger)}
	for _, m := range ledger {
		v := held.audit(m)
		for _, problem := range v.problems {
			problems = append(problems, m.name+": "+problem)
		}
		if v.id == "" {
			counts["refused"]++
			continue
		}
		counts["stored"]++
		if v.dead > 0 && !m.mayDie {
			problems = append(problems, fmt.Sprintf("%s: there are %d dead letters about it", m.name, v.dead))
		}
		fate, status := v.fate()
		counts[fate]++
		if told := l.get(ctx, m.sender, "/messages/"+v.id); told.Status != 200 || !strings.Contains(told.Body, status) {
			problems = append(problems, fmt.Sprintf("%s: GET /messages/%s answers %d %s", m.name, v.id, told.Status, told.Body))
		}
	}
	return append(problems, held.strangers(ledger)...), counts, nil
}

// fate is what became of the message, and a part of what its reader must be told.
func (v verdict) fate() (fate, status string) {
	switch {
	case v.dead > 0:
		return "in a dead-letter queue", ""
	case v.staged:
		return "staged", `"status":"staged"`
	default:
		return "error " + v.failed, ""
	}
}

// key returns the key of the message's claim. A message of the ledger has line feeds only
// at the ends of its segments.
func key(m *message) string {
	body := m.body
	if m.hl7 {
		body = bytes.ReplaceAll(body, []byte("\n"), []byte("\r"))
	}
	sum := sha256.Sum256(append([]byte(m.sender.owner+"\x00"), body...))
	return hex.EncodeToString(sum[:])
}

func (c contents) auditClaim(m *message, v *verdict) {
	switch claim, claimed := c.claims[key(m)]; {
	case !claimed:
		v.wrong("there is no claim on it")
	case claim.ID != v.id:
		v.wrong("its claim has the id %s, its sender was told %s", claim.ID, v.id)
	}
	if _, ended := c.claims["id#"+v.id]; !ended {
		v.wrong("its claim has not come to its end")
	}
}

func (c contents) auditEntry(m *message, e entry, v *verdict) {
	if e.Owner != m.sender.owner {
		v.wrong("its record in %s belongs to %s", e.Zone, e.Owner)
	}
	versions := c.versions[e.Key]
	if len(versions) != 1 || versions[0] != e.VersionID {
		v.wrong("its object in %s has the versions %v, the catalog says %s", e.Zone, versions, e.VersionID)
	}
	if e.Zone == "staging" {
		return
	}
	kept := func(attempt int) bool {
		sum := sha256.Sum256(m.way(attempt))
		return e.SHA256 == hex.EncodeToString(sum[:])
	}
	known := false
	for attempt, told := range m.answers {
		known = known || kept(attempt)
		if told.promisesBytes() && !kept(attempt) {
			v.wrong("its object in %s is not what was sent when the answer was %d", e.Zone, told.Status)
		}
	}
	if !known {
		v.wrong("its object in %s is not what was sent", e.Zone)
	}
}

// promisesBytes reports whether the sender was told that exactly these bytes are kept.
func (a answer) promisesBytes() bool {
	return a.Status == http.StatusCreated || a.Status == http.StatusConflict && !strings.Contains(a.Body, `"detail"`)
}

// strangers lists what the lake holds and belongs to no message of the ledger.
func (c contents) strangers(ledger []*message) (problems []string) {
	ids := map[string]bool{}
	for _, m := range ledger {
		id, _ := m.id()
		ids[id] = true
	}
	known := map[string]bool{}
	for root, entries := range c.entries {
		if !ids[root] {
			problems = append(problems, "the catalog has a message that nobody was told of: "+root)
		}
		for _, e := range entries {
			known[e.Key] = true
		}
	}
	dead := map[string]bool{}
	for root, letters := range c.letters {
		for _, letter := range letters {
			dead[letter.id] = true
		}
		if !ids[root] {
			problems = append(problems, fmt.Sprintf("%s holds a letter about no message of the ledger (%s)", letters[0].queue, root))
		}
	}
	for key := range c.versions {
		id := strings.TrimSuffix(path.Base(key), path.Ext(key))
		if !known[key] && !dead[id] {
			problems = append(problems, "the lake has an object that the catalog does not know: "+key)
		}
	}
	for key, claim := range c.claims {
		id := claim.ID
		if ended, is := strings.CutPrefix(key, "id#"); is {
			id = ended
		}
		ofNoMessage := strings.HasPrefix(key, "seen#") || strings.HasPrefix(key, "owner#") // reconcile's place; an allowance
		if !ofNoMessage && !ids[id] {
			problems = append(problems, "there is a claim, or the end of one, that nobody was told of: "+id)
		}
	}
	slices.Sort(problems)
	return problems
}
