package iam_test

import (
	"errors"
	"testing"

	"hl7lake/local/iam"
)

func TestAPolicyThatAWSRefusesIsMalformed(t *testing.T) {
	const (
		identity = `"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::lake/*"`
		resource = identity + `,"Principal":{"Service":"sns.amazonaws.com"}`
	)
	one := func(statement string) string { return `{"Version":"2012-10-17","Statement":[{` + statement + `}]}` }
	for name, test := range map[string]struct {
		document string
		kind     iam.Kind
		place    string // of the fault; empty where there is none
	}{
		"an identity's":                     {one(identity), iam.IdentityPolicy, ""},
		"a resource's":                      {one(resource), iam.ResourcePolicy, ""},
		"who may take a role":               {one(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}`), iam.TrustPolicy, ""},
		"one statement, no list":            {`{"Statement":{` + identity + `}}`, iam.IdentityPolicy, ""},
		"every operator's kind":             {one(identity + `,"Condition":{"ForAnyValue:StringLike":{"a":["b","c"]},"NumericLessThanIfExists":{"d":1},"Null":{"e":true}}`), iam.IdentityPolicy, ""},
		"a list":                            {`[]`, iam.AnyPolicy, ""},
		"nothing":                           {`{}`, iam.AnyPolicy, "Statement[0]"},
		"no statement":                      {`{"Statement":[]}`, iam.AnyPolicy, "Statement"},
		"another language":                  {`{"Version":"2020-01-01","Statement":[]}`, iam.AnyPolicy, "Version"},
		"an element of no policy":           {`{"Comment":"c","Statement":[]}`, iam.AnyPolicy, "Comment"},
		"an element of no statement":        {one(identity + `,"Actions":"x"`), iam.AnyPolicy, "Statement[0].Actions"},
		"no effect":                         {one(`"Action":"s3:GetObject","Resource":"*"`), iam.AnyPolicy, "Statement[0].Effect"},
		"an effect in small letters":        {one(`"Effect":"allow","Action":"s3:GetObject","Resource":"*"`), iam.AnyPolicy, "Statement[0].Effect"},
		"an action of no service":           {one(`"Effect":"Allow","Action":"GetObject","Resource":"*"`), iam.AnyPolicy, "Statement[0].Action"},
		"no action":                         {one(`"Effect":"Allow","Resource":"*"`), iam.AnyPolicy, "Statement[0].Action"},
		"actions and exceptions":            {one(identity + `,"NotAction":"s3:PutObject"`), iam.AnyPolicy, "Statement[0]"},
		"a resource that is no ARN":         {one(`"Effect":"Allow","Action":"s3:GetObject","Resource":"lake"`), iam.AnyPolicy, "Statement[0].Resource"},
		"an identity's with a principal":    {one(resource), iam.IdentityPolicy, "Statement[0].Principal"},
		"an identity's without resource":    {one(`"Effect":"Allow","Action":"s3:GetObject"`), iam.IdentityPolicy, "Statement[0].Resource"},
		"a resource's without principal":    {one(identity), iam.ResourcePolicy, "Statement[0].Principal"},
		"a trust policy with a resource":    {one(resource), iam.TrustPolicy, "Statement[0].Resource"},
		"a principal of no kind":            {one(identity + `,"Principal":{"Role":"x"}`), iam.ResourcePolicy, "Statement[0].Principal.Role"},
		"a wrapper around the operators":    {one(identity + `,"Condition":{"$jsii.map":{"Bool":{"a":"true"}}}`), iam.AnyPolicy, "Statement[0].Condition.$jsii.map"},
		"a wrapper around the keys":         {one(identity + `,"Condition":{"Bool":{"$jsii.map":{"a":"true"}}}`), iam.AnyPolicy, "Statement[0].Condition.Bool.$jsii.map"},
		"an operator that is none":          {one(identity + `,"Condition":{"StringEqual":{"a":"b"}}`), iam.AnyPolicy, "Statement[0].Condition.StringEqual"},
		"an operator for sets that is none": {one(identity + `,"Condition":{"ForAll:StringEquals":{"a":"b"}}`), iam.AnyPolicy, "Statement[0].Condition.ForAll:StringEquals"},
		"two statements of one name":        {`{"Statement":[{"Sid":"A",` + identity + `},{"Sid":"A",` + identity + `}]}`, iam.AnyPolicy, "Statement[1].Sid"},
	} {
		err := iam.Check([]byte(test.document), test.kind)
		var malformed *iam.GrammarError
		switch {
		case name == "a list":
			if !errors.As(err, &malformed) {
				t.Errorf("%s: %v", name, err)
			}
		case test.place == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.place != "" && (!errors.As(err, &malformed) || malformed.Place != test.place):
			t.Errorf("%s: %v, want a fault at %s", name, err, test.place)
		}
	}
}
