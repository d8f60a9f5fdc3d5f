package doctor_test

// This file is about services that a lake on one machine does not have.

import (
	"context"
	"testing"

	"github.com/aws/smithy-go"

	"hl7lake/operate/doctor"
)

func TestAMissingServiceIsSkippedOnThisMachineAndFailsOnAWS(t *testing.T) {
	probe := doctor.Probe{Name: "alarms", Look: func(context.Context) (doctor.Finding, error) {
		return doctor.Finding{}, &smithy.OperationError{ServiceID: "CloudWatch", OperationName: "DescribeAlarms",
			Err: &smithy.GenericAPIError{Code: "NotImplemented", Message: "monitoring: DescribeAlarms is not run by the local lake"}}
	}}
	for local, want := range map[bool]doctor.Verdict{true: doctor.Skip, false: doctor.Fail} {
		good := doctor.Examine(t.Context(), local, []doctor.Probe{probe}, func(f doctor.Finding) {
			if f.Verdict != want {
				t.Errorf("local %v: %s, want %s", local, f.Verdict, want)
			}
		})
		if good != local {
			t.Errorf("local %v: good is %v", local, good)
		}
	}
}
