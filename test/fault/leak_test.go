package fault_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"hl7lake/client"
	"hl7lake/internal/testing/canary"
	"hl7lake/local"
	"hl7lake/local/fault"
)

// evidence is something that a lake shows to others than the permitted reader of a
// message, with everything that was found in it.
type evidence map[string][]any

func (e evidence) add(what string, found ...any) { e[what] = append(e[what], found...) }

// leaks names the evidence that holds patient data.
func (e evidence) leaks() (found []string) {
	for _, what := range slices.Sorted(maps.Keys(e)) {
		for _, item := range e[what] {
			if forms := canary.Leaks(item); forms != nil {
				found = append(found, what+" ("+strings.Join(forms, ", ")+")")
				break
			}
		}
	}
	return found
}

// witness is a lake whose traffic is recorded.
type witness struct {
	*lake
	running *local.Lake
	dir     string
	log     syncBuffer // of the local services

	mu      sync.Mutex
	events  []any // what was delivered, without the bodies
	answers []answer
}

// syncBuffer is a bytes.Buffer for several goroutines.
type syncBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *syncBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(text)
}

// newWitness starts a lake with the faults of the script.
func newWitness(t *testing.T, script *script) *witness {
	t.Helper()
	w := &witness{dir: t.TempDir()}
	listening := func(p fault.Point) fault.Fault {
		request := strings.Contains("ingest messages search", script.programs[p.Function]) // it is what the sender sent
		if p.Run == "" && !request {
			w.mu.Lock()
			w.events = append(w.events, withoutBodies(p.Payload))
			w.mu.Unlock()
		}
		return script.plan(p)
	}
	w.lake, w.running = startWith(t, local.Options{
		Dir: w.dir, Log: slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}, listening)
	return w
}

// withoutBodies returns a JSON document without the values in which content may travel:
// the body of an API's request, of an SNS message, of a workflow's state. The names are
// those of the events' own formats.
func withoutBodies(text []byte) any {
	var document any
	if json.Unmarshal(text, &document) != nil {
		return string(text)
	}
	return withoutBody(document)
}

func withoutBody(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			if name == "body" || name == "Message" {
				delete(value, name)
				continue
			}
			value[name] = withoutBody(member)
		}
	case []any:
		for i := range value {
			value[i] = withoutBody(value[i])
		}
	}
	return value
}

// collect gathers everything that the lake shows.
func (w *witness) collect(ctx context.Context) (evidence, error) {
	e := evidence{}
	e.add("a log of the local services", w.log.String())
	w.mu.Lock()
	e.add("an event's attributes", w.events...)
	for _, a := range w.answers {
		e.add("an answer of the API", a)
	}
	w.mu.Unlock()
	for _, collect := range []func(context.Context, evidence) error{w.files, w.items, w.buckets, w.queues} {
		if err := collect(ctx, e); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// files are the functions' logs, and the names of all files.
func (w *witness) files(_ context.Context, e evidence) error {
	return filepath.WalkDir(w.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		e.add("a file's name", path[len(w.dir):])
		if entry.IsDir() || filepath.Ext(path) != ".log" {
			return nil
		}
		text, err := os.ReadFile(path)
		e.add("a function's log", string(text))
		return err
	})
}

// items are those of the tables, complete.
func (w *witness) items(ctx context.Context, e evidence) error {
	tables, err := w.dynamodb().ListTables(ctx, &dynamodb.ListTablesInput{})
	if err != nil {
		return err
	}
	for _, table := range tables.TableNames {
		err := scan(ctx, w.lake, table, func(item map[string]any) { e.add("an item of a table", item) })
		if err != nil {
			return err
		}
	}
	return nil
}

// buckets are the objects' keys and everything known about them except the content.
func (w *witness) buckets(ctx context.Context, e evidence) error {
	buckets, err := w.s3().ListBuckets(ctx, &s3.ListBucketsInput{})
	if err != nil {
		return err
	}
	for _, bucket := range buckets.Buckets {
		keys := map[string][]string{}
		if err := w.objects(ctx, *bucket.Name, keys); err != nil {
			return err
		}
		for key := range keys {
			head, err := w.s3().HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket.Name, Key: aws.String(key)})
			if err != nil {
				return err
			}
			e.add("an object's key", key)
			e.add("an object's metadata", head.Metadata, aws.ToString(head.ContentType), aws.ToString(head.ContentDisposition), head.TagCount)
		}
	}
	return nil
}

// queues are the letters without the bodies of the messages in them.
func (w *witness) queues(ctx context.Context, e evidence) error {
	letters, err := w.letters(ctx)
	for _, letter := range letters {
		e.add("a dead letter's attributes", letter.attributes)
		e.add("a dead letter but for its message", withoutBodies([]byte(letter.body)))
	}
	return err
}

// tell records the answer to a request.
func (w *witness) tell(a answer) answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers = append(w.answers, a)
	return a
}

// fates are what becomes of an institution's messages: the ways on which a message, or an
// error about it, leaves a trace.
func fates() map[string]func(place, int, int) fault.Fault {
	everywhere := func(program, call string) func(place, int, int) fault.Fault {
		return func(at place, _, _ int) fault.Fault {
			if at.program == program && at.call == call {
				return fault.Fault{Kind: fault.Fail}
			}
			return fault.Fault{}
		}
	}
	return map[string]func(place, int, int) fault.Fault{
		"cell-0001": func(place, int, int) fault.Fault { return fault.Fault{} },
		"cell-0002": everywhere("writer", "s3:PutObject"),
		"cell-0003": everywhere("writer", "dynamodb:UpdateItem"),
		"cell-0004": everywhere("writer", fault.Notification),
		"cell-0005": everywhere("trigger", "sns:Publish"),
		"cell-0006": everywhere("trigger", fault.Notification),
		"cell-0007": everywhere("parse", "sns:Publish"),
		"cell-0008": everywhere("prepare", fault.Invocation),
		"cell-0009": everyAttempt("ingest", "sns:Publish", fault.Fault{Kind: fault.KillAfter}),
	}
}

// sentinels send the canary's messages to every fate.
func (w *witness) sentinels(t *testing.T, script *script) {
	t.Helper()
	few := [][]byte{canary.Message(), canary.Broken()["no header"], bytes.Repeat(canary.Message(), 400)}
	all := slices.AppendSeq(few, maps.Values(canary.Broken()))
	var sending sync.WaitGroup
	for owner, fate := range fates() {
		script.play(owner, fate)
		bodies := few
		if owner == "cell-0001" {
			bodies = all
		}
		s, err := w.sender(t.Context(), owner)
		if err != nil {
			t.Fatal(err)
		}
		for _, body := range bodies {
			sending.Go(func() { w.sentinel(t, s, body) })
		}
		sending.Go(func() { w.refusals(t, s) })
	}
	sending.Wait()
}

// sentinel sends one message and asks for its history.
func (w *witness) sentinel(t *testing.T, s sender, body []byte) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	m := &message{sender: s, body: body}
	if err := w.send(ctx, m); err != nil {
		t.Errorf("%s: %v", s.owner, err)
	}
	for _, told := range m.answers {
		w.tell(told)
	}
	id, _ := m.id()
	w.tell(w.get(ctx, s, "/messages/"+id))
	for kind, value := range map[string]string{"patient": "Zeisig-mrn", "control-id": canary.ControlID} {
		search := fmt.Appendf(nil, `{"kind":%q,"value":%q,"authority":"Zeisig-authority"}`, kind, value)
		w.tell(w.request(ctx, s, http.MethodPost, "/messages/search", "application/json", search))
	}
}

// refusals send what the lake refuses.
func (w *witness) refusals(t *testing.T, s sender) {
	for contentType, body := range map[string][]byte{
		"application/json": fmt.Appendf(nil, `{"msg":"%s!","patient":%q}`, base64.StdEncoding.EncodeToString(canary.Message()), canary.Message()),
		"application/xml":  canary.Message(),
		"text/json; =":     canary.Message(),
	} {
		told := w.tell(w.request(t.Context(), s, http.MethodPost, "/er7", contentType, body))
		if told.Status < 400 || told.Status >= 500 {
			t.Errorf("%s was answered %d", contentType, told.Status)
		}
	}
	w.tell(w.get(t.Context(), s, "/messages/"+url.PathEscape(string(canary.Message()))))
	noHL7 := append([]byte("To whom it may concern: "), canary.Message()...)
	if told := w.tell(w.request(t.Context(), s, http.MethodPost, "/hl7", "application/hl7-v2", noHL7)); told.Status != http.StatusBadRequest {
		t.Errorf("text at /hl7 was answered %d", told.Status)
	}
	// An answer in HL7 names the message to its sender, so it is no leak.
	batch := append([]byte("BHS|^~\\&|\rMSH|^~\\\r"), canary.Message()...)
	switch told := w.request(t.Context(), s, http.MethodPost, "/hl7", "application/hl7-v2", batch); {
	case told.Status >= 500: // one of the fates kills ingest
		w.tell(told)
	case told.Status != http.StatusOK:
		t.Errorf("a batch at /hl7 was answered %d", told.Status)
	}
}

func TestNothingButContentHoldsPatientData(t *testing.T) {
	t.Parallel()
	script := newScript(programs(t))
	w := newWitness(t, script)
	w.sentinels(t, script)
	(&runner{running: w.running, script: script}).settle(t)
	e, err := w.collect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for what, least := range map[string]int{
		"a function's log": 6, "an event's attributes": 100, "an answer of the API": 50, "an item of a table": 50,
		"an object's key": 30, "a dead letter's attributes": 10, "a dead letter but for its message": 10,
	} {
		if len(e[what]) < least {
			t.Errorf("of %s only %d were seen: the gate has become too narrow to mean much", what, len(e[what]))
		}
	}
	for _, leak := range e.leaks() {
		t.Errorf("patient data in %s", leak)
	}
	t.Run("planted leaks are found", func(t *testing.T) { w.plant(t) })
}

// plant tests the test: it leaks in every way that a careless change might.
func (w *witness) plant(t *testing.T) {
	leak := "Zeisig-family"
	catalog, err := w.Outputs.Get(client.OutputCatalog)
	if err != nil {
		t.Fatal(err)
	}
	queues, err := w.sqs().ListQueues(t.Context(), &sqs.ListQueuesInput{})
	if err != nil {
		t.Fatal(err)
	}
	logs, err := filepath.Glob(filepath.Join(w.dir, "logs", "*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("no logs: %v", err)
	}
	for what, planted := range map[string]func() error{
		"a function's log": func() error {
			file, err := os.OpenFile(logs[0], os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(file, "{\"error\":%q}\n", strings.ToUpper(leak))
			return errors.Join(err, file.Close())
		},
		"a log of the local services": func() error {
			_, err := fmt.Fprintln(&w.log, "level=WARN msg=", base64.StdEncoding.EncodeToString([]byte("x"+leak+"x")))
			return err
		},
		"an event's attributes": func() error {
			w.events = append(w.events, withoutBodies(fmt.Appendf(nil, `{"Records":[{"Sns":{"Message":"","Subject":%q}}]}`, leak)))
			return nil
		},
		"an answer of the API": func() error { w.tell(answer{Status: 400, Body: leak}); return nil },
		"an item of a table": func() error {
			_, err := w.dynamodb().PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &catalog, Item: map[string]types.AttributeValue{
				"root": &types.AttributeValueMemberS{Value: "r"}, "sk": &types.AttributeValueMemberS{Value: "error#" + leak},
			}})
			return err
		},
		"an object's key": func() error {
			return w.put(t.Context(), &s3.PutObjectInput{Key: aws.String("staging/" + leak)})
		},
		"an object's metadata": func() error {
			return w.put(t.Context(), &s3.PutObjectInput{
				Key: aws.String("staging/x"), Metadata: map[string]string{"patient": hex.EncodeToString([]byte(leak))},
			})
		},
		"a dead letter's attributes": func() error {
			_, err := w.sqs().SendMessage(t.Context(), &sqs.SendMessageInput{
				QueueUrl: &queues.QueueUrls[0], MessageBody: aws.String("{}"),
				MessageAttributes: map[string]sqstypes.MessageAttributeValue{"ErrorMessage": {DataType: aws.String("String"), StringValue: &leak}},
			})
			return err
		},
		"a dead letter but for its message": func() error {
			_, err := w.sqs().SendMessage(t.Context(), &sqs.SendMessageInput{
				QueueUrl: &queues.QueueUrls[0], MessageBody: aws.String(`{"responsePayload":{"errorMessage":"` + leak + `"}}`),
			})
			return err
		},
		"a file's name": func() error { return os.WriteFile(filepath.Join(w.dir, leak), nil, 0o600) },
	} {
		if err := planted(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		e, err := w.collect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found := e.leaks()
		if !slices.ContainsFunc(found, func(f string) bool { return strings.HasPrefix(f, what+" (") }) {
			t.Errorf("planted in %s, found in %q", what, found)
		}
	}
}

// put puts an object into a bucket that accepts it: the lake accepts only the writer's.
func (w *witness) put(ctx context.Context, in *s3.PutObjectInput) error {
	buckets, err := w.s3().ListBuckets(ctx, &s3.ListBucketsInput{})
	if err != nil {
		return err
	}
	for _, bucket := range buckets.Buckets {
		in.Bucket = bucket.Name
		if _, err = w.s3().PutObject(ctx, in); err == nil {
			return nil
		}
	}
	return err
}
