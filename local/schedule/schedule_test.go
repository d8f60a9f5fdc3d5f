package schedule_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hl7lake/local/schedule"
	"hl7lake/local/wire"
)

const arn = "arn:aws:events:us-east-1:000000000000:rule/r"

// rule reads a rule from its template's properties.
func rule(t *testing.T, properties string) (r schedule.Rule, err error) {
	t.Helper()
	return r, json.Unmarshal([]byte(properties), &r)
}

// fired is what was sent, such as "1m0s function".
type fired struct {
	begin time.Time
	all   []string
	err   error
	text  string
}

func (f *fired) invoke(ctx context.Context, function string, payload []byte) error {
	if wire.Source(ctx) != arn {
		return errors.New("not for the rule")
	}
	f.all = append(f.all, time.Since(f.begin).String()+" "+function)
	f.text = string(payload)
	return f.err
}

// run runs a rule for an hour.
func run(t *testing.T, properties string, failure error) (f fired, log string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		f.begin, f.err = time.Now(), failure
		s := schedule.New(f.invoke, slog.New(slog.NewTextHandler(&out, nil)))
		r, err := rule(t, properties)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Add(arn, r); err != nil {
			t.Fatal(err)
		}
		s.Start()
		time.Sleep(time.Hour + time.Second)
		s.Close()
		time.Sleep(time.Hour)
		log = out.String()
	})
	return f, log
}

func TestARuleFiresAtEachPeriodUntilTheEnd(t *testing.T) {
	f, log := run(t, `{"ScheduleExpression":"rate(20 minutes)","State":"ENABLED","Targets":[{"Arn":"a","Id":"T0"},{"Arn":"b","Id":"T1"}]}`, nil)
	if diff := cmp.Diff([]string{"20m0s a", "20m0s b", "40m0s a", "40m0s b", "1h0m0s a", "1h0m0s b"}, f.all); diff != "" || log != "" {
		t.Error(diff, log)
	}
	var event struct {
		Source    string
		Resources []string
		Time      time.Time
	}
	if err := json.Unmarshal([]byte(f.text), &event); err != nil || event.Source != "aws.events" || event.Resources[0] != arn || !event.Time.Equal(f.begin.Add(time.Hour)) {
		t.Error(f.text, err)
	}
}

func TestATargetMayHaveAnInputOfItsOwn(t *testing.T) {
	f, _ := run(t, `{"ScheduleExpression":"rate(1 hour)","Targets":[{"Arn":"a","Id":"T0","Input":"{\"n\":1}"}]}`, nil)
	if len(f.all) != 1 || f.text != `{"n":1}` {
		t.Error(f.all, f.text)
	}
}

func TestADisabledRuleDoesNotFire(t *testing.T) {
	if f, _ := run(t, `{"ScheduleExpression":"rate(1 minute)","State":"DISABLED","Targets":[{"Arn":"a","Id":"T0"}]}`, nil); f.all != nil {
		t.Error(f.all)
	}
}

func TestATargetThatCannotBeReachedIsTriedAtTheNextPeriod(t *testing.T) {
	f, log := run(t, `{"ScheduleExpression":"rate(30 minutes)","Targets":[{"Arn":"a","Id":"T0"}]}`, errors.New("no such function"))
	if len(f.all) != 2 || strings.Count(log, "no such function") != 2 {
		t.Error(f.all, log)
	}
}

func TestWhatIsNotRunIsRefusedByName(t *testing.T) {
	for properties, want := range map[string]string{
		`{"ScheduleExpression":"cron(0 12 * * ? *)"}`:                                         "ScheduleExpression",
		`{"ScheduleExpression":"rate(1 minutes)"}`:                                            "ScheduleExpression",
		`{"ScheduleExpression":"rate(5 minute)"}`:                                             "ScheduleExpression",
		`{"ScheduleExpression":"rate(0 minutes)"}`:                                            "ScheduleExpression",
		`{"EventPattern":{"source":["a"]}}`:                                                   "EventPattern",
		`{"ScheduleExpression":"rate(1 hour)","State":"SOMETIMES"}`:                           "State",
		`{"ScheduleExpression":"rate(1 hour)","Targets":[{"Arn":"a","InputTransformer":{}}]}`: "InputTransformer",
	} {
		r, err := rule(t, properties)
		if err == nil {
			err = schedule.New(nil, slog.Default()).Add(arn, r)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", properties, err)
		}
	}
}
