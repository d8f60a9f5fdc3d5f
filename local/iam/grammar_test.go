package iam_test

import (
	"errors"
	"strings"
	"testing"

	"hl7lake/local/iam"
)

func TestAWellFormedDocumentIsTaken(t *testing.T) {
	for name, test := range map[string]struct {
		kind      iam.Kind
		statement string
	}{
		"an identity's":       {iam.IdentityPolicy, `{"Sid":"Put1","Effect":"Allow","Action":["s3:Put*","*"],"Resource":["arn:aws:s3:::lake/*","*"]}`},
		"a bucket's":          {iam.ResourcePolicy, `{"Sid":"no plain text","Effect":"Deny","Principal":"*","NotAction":"s3:*","NotResource":"arn:aws:s3:::a","Condition":{"Bool":{"aws:SecureTransport":false}}}`},
		"a role's trust":      {iam.TrustPolicy, `{"Effect":"Allow","Principal":{"Service":["a.amazonaws.com"],"Federated":"x"},"Action":"sts:AssumeRole"}`},
		"two statements":      {iam.IdentityPolicy, `{"Sid":"","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"","Effect":"Deny","Action":"*","Resource":"*"}`},
		"every sort of value": {iam.IdentityPolicy, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForAnyValue:StringLikeIfExists":{"a:b":["x*",1,true]},"DateLessThan":{"aws:CurrentTime":["2030-01-01","2030-01-01T00:00:00Z","1893456000"]},"NumericEqualsIfExists":{"s3:max-keys":10},"IpAddress":{"aws:SourceIp":["10.0.0.0/8","::1"]},"Null":{"kms:EncryptionContext:aws:s3:arn":"true"},"NumericLessThan":{"s3:max-keys":"${aws:PrincipalTag/n}"}}}`},
	} {
		if err := iam.Check([]byte(`{"Version":"2012-10-17","Id":"x","Statement":[`+test.statement+`]}`), test.kind); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := iam.Check([]byte(`{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`), iam.IdentityPolicy); err != nil {
		t.Errorf("a statement that is in no list: %v", err)
	}
}

func TestAMalformedDocumentIsRefusedWithThePlace(t *testing.T) {
	const grant = `"Effect":"Allow","Action":"s3:GetObject","Resource":"*"`
	condition := func(text string) string {
		return `{"Version":"2012-10-17","Statement":[{` + grant + `,"Condition":` + text + `}]}`
	}
	one := func(text string) string { return `{"Version":"2012-10-17","Statement":[` + text + `]}` }
	for name, test := range map[string]struct {
		kind           iam.Kind
		document, want string
	}{
		"no JSON":                   {0, `{"Version`, "no JSON"},
		"two documents":             {0, one(`{`+grant+`}`) + `{}`, "follows"},
		"a list":                    {0, `[]`, "not an object"},
		"an unknown element":        {0, `{"Version":"2012-10-17","Statements":[]}`, "no element Statements"},
		"no version":                {0, `{"Statement":[{` + grant + `}]}`, "Version: 2012-10-17 is wanted"},
		"a version of its own":      {0, `{"Version":"2024-01-01","Statement":[{` + grant + `}]}`, "Version"},
		"no statement":              {0, `{"Version":"2012-10-17"}`, "Statement: a statement is wanted"},
		"an empty list":             {0, one(``), "Statement: a statement is wanted"},
		"a text for a statement":    {0, one(`"allow"`), "Statement[0]: it is not an object"},
		"a misspelt element":        {0, one(`{` + grant + `},{` + grant + `,"Conditions":{}}`), "Statement[1]: there is no element Conditions"},
		"an element in other case":  {0, one(`{` + grant + `,"sid":"x"}`), "no element sid"},
		"a Sid with spaces":         {0, one(`{` + grant + `,"Sid":"a b"}`), "Statement[0].Sid"},
		"the same Sid twice":        {0, one(`{` + grant + `,"Sid":"a"},{` + grant + `,"Sid":"a"}`), "Statement[1].Sid"},
		"no effect":                 {0, one(`{"Action":"*","Resource":"*"}`), "Statement[0].Effect"},
		"an effect in other case":   {0, one(`{"Effect":"allow","Action":"*","Resource":"*"}`), "Statement[0].Effect"},
		"no action":                 {0, one(`{"Effect":"Allow","Resource":"*"}`), "Action or NotAction is wanted"},
		"both actions":              {0, one(`{` + grant + `,"NotAction":"*"}`), "exclude each other"},
		"no action in the list":     {0, one(`{"Effect":"Allow","Action":[],"Resource":"*"}`), "Statement[0].Action: the list is empty"},
		"an action of no service":   {0, one(`{"Effect":"Allow","Action":"GetObject","Resource":"*"}`), `"GetObject"`},
		"a number for an action":    {0, one(`{"Effect":"Allow","Action":7,"Resource":"*"}`), "Statement[0].Action"},
		"no resource":               {0, one(`{"Effect":"Allow","Action":"*"}`), "Resource or NotResource is wanted"},
		"a resource that is no ARN": {0, one(`{"Effect":"Allow","Action":"*","Resource":"lake/*"}`), `"lake/*"`},
		"an ARN that is too short":  {0, one(`{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3"}`), "Statement[0].Resource"},
		"whose identity":            {0, one(`{` + grant + `,"Principal":"*"}`), "no Principal"},
		"a bucket's for nobody":     {iam.ResourcePolicy, one(`{` + grant + `}`), "Principal or NotPrincipal is wanted"},
		"a bucket's for no resource": {
			iam.ResourcePolicy, one(`{"Effect":"Deny","Principal":"*","Action":"s3:*"}`), "Resource or NotResource is wanted",
		},
		"a principal of no kind":     {iam.ResourcePolicy, one(`{` + grant + `,"Principal":"arn:aws:iam::1:root"}`), "Statement[0].Principal"},
		"a principal of a new kind":  {iam.ResourcePolicy, one(`{` + grant + `,"Principal":{"Services":"x"}}`), "no element Services"},
		"no principal in the list":   {iam.ResourcePolicy, one(`{` + grant + `,"Principal":{"AWS":[]}}`), "Statement[0].Principal.AWS"},
		"an empty principal":         {iam.ResourcePolicy, one(`{` + grant + `,"Principal":{"AWS":""}}`), "Statement[0].Principal.AWS"},
		"a trust in a resource":      {iam.TrustPolicy, one(`{` + grant + `,"Principal":"*"}`), "no Resource"},
		"a trust in nobody":          {iam.TrustPolicy, one(`{"Effect":"Allow","Action":"sts:AssumeRole"}`), "Principal"},
		"an operator that is not":    {0, condition(`{"StringEqual":{"aws:SourceArn":"x"}}`), "Statement[0].Condition: there is no operator StringEqual"},
		"two set operators":          {0, condition(`{"ForAllValues:ForAnyValue:StringLike":{"aws:TagKeys":"x"}}`), "no operator ForAllValues:"},
		"NullIfExists":               {0, condition(`{"NullIfExists":{"aws:SourceArn":"true"}}`), "no operator NullIfExists"},
		"jsii's wrapper":             {0, condition(`{"$jsii.map":{"StringEquals":{"aws:SourceArn":"x"}}}`), "no operator $jsii.map"},
		"jsii's wrapper one deeper":  {0, condition(`{"StringEquals":{"$jsii.map":{"aws:SourceArn":"x"}}}`), "no condition key $jsii.map"},
		"a key of no service":        {0, condition(`{"StringEquals":{"SourceArn":"x"}}`), "no condition key SourceArn"},
		"an operator without keys":   {0, condition(`{"StringEquals":{}}`), "Condition.StringEquals"},
		"an operator with a text":    {0, condition(`{"StringEquals":"x"}`), "Condition.StringEquals"},
		"a condition that is a list": {0, condition(`[]`), "Condition: it is not an object"},
		"an object for a value":      {0, condition(`{"StringEquals":{"aws:SourceArn":{"x":1}}}`), "Condition.StringEquals.aws:SourceArn"},
		"a truth value that is none": {0, condition(`{"Bool":{"aws:SecureTransport":"no"}}`), "Condition.Bool"},
		"a number that is none":      {0, condition(`{"NumericEquals":{"s3:max-keys":"few"}}`), "Condition.NumericEquals"},
		"a date that is none":        {0, condition(`{"DateEquals":{"aws:CurrentTime":"soon"}}`), "Condition.DateEquals"},
		"an address that is none":    {0, condition(`{"IpAddress":{"aws:SourceIp":"10.0.0"}}`), "Condition.IpAddress"},
	} {
		t.Run(name, func(t *testing.T) {
			err := iam.Check([]byte(test.document), test.kind)
			if _, is := errors.AsType[*iam.MalformedError](err); !is || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
