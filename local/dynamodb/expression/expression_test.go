package expression_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/local/dynamodb/attribute"
	"hl7lake/local/dynamodb/expression"
	"hl7lake/local/wire"
)

// The item and the values that the tests' expressions are about.
const (
	sample = `{"s":{"S":"bed"},"n":{"N":"12345678901234567890"},"five":{"N":"5"},"b":{"B":"AAE="},"nil":{"NULL":true},"yes":{"BOOL":true},
		"ss":{"SS":["a","b"]},"ns":{"NS":["1","2"]},"l":{"L":[{"S":"x"},{"N":"7"},{"M":{"in":{"S":"deep"}}}]},
		"m":{"M":{"k":{"S":"v"},"status":{"S":"up"},"c":{"N":"1"}}}}`
	values = `{":a":{"S":"a"},":bed":{"S":"bed"},":be":{"S":"be"},":z":{"S":"z"},":n":{"N":"12345678901234567890"},":n1":{"N":"12345678901234567891"},
		":one":{"N":"1"},":three":{"N":"3"},":five":{"N":"5.0"},":seven":{"N":"7"},":bin":{"B":"AA=="},":t":{"BOOL":true},":nil":{"NULL":true},
		":S":{"S":"S"},":L":{"S":"L"},":what":{"S":"what"},":v":{"S":"v"},":up":{"S":"up"},":deep":{"S":"deep"},
		":ss":{"SS":["b","a"]},":ssb":{"SS":["b","c"]},":ns":{"NS":["2","3"]},":list":{"L":[{"S":"new"}]},":map":{"M":{"q":{"S":"r"}}}}`
)

func names() map[string]string {
	return map[string]string{"#status": "status", "#dotted": "a.b", "#m": "m", "#n": "n"}
}

func read[T any](t testing.TB, text string) (into T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &into); err != nil {
		t.Fatal(err)
	}
	return into
}

func item(t testing.TB) attribute.Item { return read[attribute.Item](t, sample) }

// scope defines all names and values, and does not check whether all were used.
func scope(t testing.TB) *expression.Scope {
	t.Helper()
	s, err := expression.NewScope(names(), read[map[string]attribute.Value](t, values))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConditions(t *testing.T) {
	for text, want := range map[string]bool{
		"s = :bed":                              true,
		"s <> :bed":                             false,
		"s = :five":                             false,
		"missing1 = :bed":                       false,
		"missing1 <> :bed":                      true,
		"five = :five":                          true, // 5 and 5.0 are one number
		"n = :n1":                               false,
		"n < :n1":                               true, // beyond a float's digits
		"s < :five":                             false,
		"NOT s < :five":                         true,
		"s >= :be and s <= :z":                  true,
		"s = :z or s = :bed":                    true,
		"s = :z OR s = :z AND s = :bed":         false,
		"(s = :bed OR s = :z) AND s = :z":       false,
		"NOT s = :z AND s = :bed":               true,
		"s BETWEEN :be AND :z":                  true,
		"s BETWEEN :be AND :z AND s = :z":       false,
		"l[1] BETWEEN :one AND :seven":          true,
		"size(l) BETWEEN :one AND :five":        true,
		"s IN (:a, :bed)":                       true,
		"s IN (:a)":                             false,
		"nil = :nil":                            true,
		"yes = :t":                              true,
		"ss = :ss":                              true, // sets have no order
		"attribute_exists(nil)":                 true,
		"attribute_exists(l[3])":                false,
		"attribute_not_exists(m.absent)":        true,
		"attribute_not_exists(s.k)":             true,
		"attribute_type(s, :S)":                 true,
		"attribute_type(s, :L)":                 false,
		"attribute_type(absent, :L)":            false,
		"begins_with(s, :be)":                   true,
		"begins_with(absent, :be)":              false,
		"begins_with(five, :be)":                false,
		"begins_with(b, :bin)":                  true,
		"contains(s, :be)":                      true,
		"contains(ss, :a)":                      true,
		"contains(ss, :one)":                    false,
		"contains(ns, :one)":                    true,
		"contains(l, :seven)":                   true,
		"contains(absent, :a)":                  false,
		"contains(five, :five)":                 false,
		"size(s) = :three":                      true,
		"size(l) = :three":                      true,
		"size(five) = :one":                     false,
		"size(absent) <> :one":                  true,
		"m.#status = :up":                       true,
		"#m.k = :v":                             true,
		"l[2].#in2 = :deep":                     true,
		" s=:bed\n\tAND(  five=:five ) ":        true,
		"attribute_not_exists(s) OR NOT yes=:t": false,
	} {
		s, err := expression.NewScope(map[string]string{"#status": "status", "#m": "m", "#in2": "in"}, read[map[string]attribute.Value](t, values))
		if err != nil {
			t.Fatal(err)
		}
		condition, err := s.Condition("ConditionExpression", &text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := condition.Holds(item(t)); got != want {
			t.Errorf("%s is %t", text, got)
		}
	}
}

func TestAConditionOnAnItemThatIsNotThere(t *testing.T) {
	for text, want := range map[string]bool{"attribute_not_exists(s)": true, "s <> :a": true, "s = :a": false, "size(s) > :one": false} {
		condition, err := scope(t).Condition("ConditionExpression", &text)
		if err != nil {
			t.Fatal(err)
		}
		if got := condition.Holds(nil); got != want {
			t.Errorf("%s is %t", text, got)
		}
	}
}

func TestExpressionsThatDynamoDBWouldRefuseAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "The expression can not be empty;",
		"s":                               `Syntax error; token: "<EOF>", near: "s"`,
		"s = :bed s = :z":                 `Syntax error; token: "s", near: ":bed s"`,
		"s = ":                            `token: "<EOF>"`,
		"(s = :bed":                       `token: "<EOF>"`,
		"s = :bed)":                       `token: ")"`,
		"s == :bed":                       `token: "="`,
		"s = 'bed'":                       `token: "'"`,
		"l[x] = :a":                       `token: "x"`,
		"l[99999999999999999999] = :a":    `Syntax error`,
		"s ! :a":                          `token: "!"`,
		"((s = :bed))":                    "redundant parentheses",
		"status = :up":                    "Attribute name is a reserved keyword; reserved keyword: status",
		"m.Status = :up":                  "reserved keyword: Status",
		"#absent = :up":                   "attribute name: #absent",
		"s = :absent":                     "attribute value: :absent",
		"nonsense(s)":                     "Invalid function name; function: nonsense",
		"Begins_With(s, :a)":              "Invalid function name",
		"if_not_exists(s, :a)":            "not allowed in a condition expression; function: if_not_exists",
		"s = begins_with(s, :a)":          "not allowed to be used this way",
		"size(s)":                         "Syntax error",
		"begins_with(s)":                  "Incorrect number of operands",
		"attribute_exists(s, s)":          "Incorrect number of operands",
		"attribute_exists(:a)":            "requires a document path",
		"attribute_exists()":              "Syntax error",
		"attribute_type(s, :what)":        "Invalid attribute type name",
		"attribute_type(s, :one)":         "Incorrect operand type",
		"begins_with(s, :one)":            "operator or function: begins_with, operand type: N",
		"s < :t":                          "operator or function: <, operand type: BOOL",
		"s BETWEEN :z AND :a":             "upper bound to be greater than",
		"s BETWEEN :a AND :one":           "same data type",
		"s BETWEEN :a OR :z":              `token: "OR"`,
		"s = s":                           "must be distinct",
		"s IN ()":                         "Syntax error",
		strings.Repeat("s = :a OR ", 500): "maximum allowed size",
	} {
		_, err := scope(t).Condition("ConditionExpression", &text)
		answer := wire.AsError(err)
		if err == nil || answer.Code != "ValidationException" || !strings.HasPrefix(answer.Message, "Invalid ConditionExpression: ") || !strings.Contains(answer.Message, want) {
			t.Errorf("%q gives %v, want %s", text, err, want)
		}
	}
}

func TestIndexesAreThoseOfTheListAsItWas(t *testing.T) {
	for text, want := range map[string]string{
		"SET l[0] = :a, l[9] = :z, l[5] = :v":  `{"L":[{"S":"a"},{"N":"7"},{"M":{"in":{"S":"deep"}}},{"S":"v"},{"S":"z"}]}`,
		"REMOVE l[0], l[1]":                    `{"L":[{"M":{"in":{"S":"deep"}}}]}`,
		"REMOVE l[0] SET l[1] = :a, l[3] = :z": `{"L":[{"S":"a"},{"M":{"in":{"S":"deep"}}},{"S":"z"}]}`,
		"SET l[0] = l[1], l[1] = l[0]":         `{"L":[{"N":"7"},{"S":"x"},{"M":{"in":{"S":"deep"}}}]}`,
	} {
		update, err := scope(t).Update(&text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		after, err := update.Apply(item(t))
		if diff := cmp.Diff(read[attribute.Value](t, want), after["l"]); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", text, err, diff)
		}
	}
}

// The wanted items are the updated attributes afterwards.
func TestUpdates(t *testing.T) {
	for text, want := range map[string]string{
		"SET s = :a":                                          `{"s":{"S":"a"}}`,
		"SET fresh = :a, m.fresh = :a":                        `{"fresh":{"S":"a"},"m":{"M":{"fresh":{"S":"a"}}}}`,
		"SET s = five, five = s":                              `{"s":{"N":"5"},"five":{"S":"bed"}}`, // both of the item as it was
		"set five = five + :one":                              `{"five":{"N":"6"}}`,
		"SET n = n + :one":                                    `{"n":{"N":"12345678901234567891"}}`,
		"SET five = :three - five":                            `{"five":{"N":"-2"}}`,
		"SET five = if_not_exists(five, :one)":                `{"five":{"N":"5"}}`,
		"SET c = if_not_exists(c, :one) + :one":               `{"c":{"N":"2"}}`,
		"SET l = list_append(:list, l)":                       `{"l":{"L":[{"S":"new"},{"S":"x"},{"N":"7"},{"M":{"in":{"S":"deep"}}}]}}`,
		"SET e = list_append(if_not_exists(e, :list), :list)": `{"e":{"L":[{"S":"new"},{"S":"new"}]}}`,
		"SET m.#status = :a":                                  `{"m":{"M":{"status":{"S":"a"}}}}`,
		"SET l[2].q = :a":                                     `{"l":{"L":[{"M":{"q":{"S":"a"}}}]}}`,
		"REMOVE s":                                            `{}`,
		"REMOVE l[7], absent, m.absent":                       `{}`,
		"REMOVE m.k":                                          `{}`,
		"ADD five :one":                                       `{"five":{"N":"6"}}`,
		"ADD fresh :one, m.c :one":                            `{"fresh":{"N":"1"},"m":{"M":{"c":{"N":"2"}}}}`,
		"ADD ss :ssb":                                         `{"ss":{"SS":["a","b","c"]}}`,
		"ADD fresh :ns":                                       `{"fresh":{"NS":["2","3"]}}`,
		"DELETE ss :ssb":                                      `{"ss":{"SS":["a"]}}`,
		"DELETE ss :ss":                                       `{}`, // an empty set is not stored
		"DELETE absent :ss":                                   `{}`,
		"SET s = :a REMOVE five ADD n :one DELETE ns :ns":     `{"s":{"S":"a"},"n":{"N":"12345678901234567891"},"ns":{"NS":["1"]}}`,
		"SET #dotted = :a":                                    `{"a.b":{"S":"a"}}`,
	} {
		update, err := scope(t).Update(&text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		before := item(t)
		after, err := update.Apply(before)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(read[attribute.Item](t, want), update.Changed(after)); diff != "" {
			t.Errorf("%s leaves something else (-want +got):\n%s", text, diff)
		}
		if diff := cmp.Diff(item(t), before); diff != "" {
			t.Errorf("%s changed the item that it was given:\n%s", text, diff)
		}
	}
}

func TestAnUpdateLeavesTheRestAlone(t *testing.T) {
	text := "SET s = :a REMOVE l[1], nil"
	update, err := scope(t).Update(&text)
	if err != nil {
		t.Fatal(err)
	}
	got, err := update.Apply(item(t))
	if err != nil {
		t.Fatal(err)
	}
	want := item(t)
	want["s"] = attribute.Value{Kind: attribute.String, Text: "a"}
	delete(want, "nil")
	list := want["l"]
	list.List = append(list.List[:1:1], list.List[2])
	want["l"] = list
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the rest changed (-want +got):\n%s", diff)
	}
}

func TestUpdatesThatDynamoDBWouldRefuseAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "can not be empty",
		"SET":                           "Syntax error",
		"SET s":                         "Syntax error",
		"SET s = :a,":                   "Syntax error",
		"SET s = :a SET five = :a":      `The "SET" section can only be used once`,
		"CHANGE s = :a":                 `token: "CHANGE"`,
		"SET s = :a, s = :z":            "Two document paths overlap",
		"SET m = :a REMOVE m.k":         "Two document paths overlap",
		"SET m.k = :a, m[0] = :a":       "Two document paths conflict",
		"SET s = contains(s, :a)":       "not allowed in an update expression",
		"SET s = s + :a":                "operator or function: +, operand type: S",
		"SET l = list_append(l,:a)":     "operator or function: list_append, operand type: S",
		"SET l = if_not_exists(:a, :a)": "requires a document path",
		"SET status = :a":               "reserved keyword: status",
		"ADD s :a":                      "operator: ADD, operand type: S",
		"DELETE s :one":                 "operator: DELETE, operand type: N",
		"ADD s s":                       "Syntax error",
	} {
		if _, err := scope(t).Update(&text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want %s", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"SET s = absent":                "refers to an attribute that does not exist",
		"SET absent.k = :a":             "document path provided in the update expression is invalid",
		"SET s.k = :a":                  "document path provided in the update expression is invalid",
		"SET m[0] = :a":                 "document path provided in the update expression is invalid",
		"REMOVE absent.k":               "document path provided in the update expression is invalid",
		"REMOVE s.k":                    "document path provided in the update expression is invalid",
		"SET s = s + :one":              "incorrect data type",
		"SET l = list_append(s, :list)": "incorrect data type",
		"ADD s :one":                    "incorrect data type",
		"ADD ss :ns":                    "incorrect data type",
		"DELETE ns :ss":                 "incorrect data type",
	} {
		update, err := scope(t).Update(&text)
		if err != nil {
			t.Errorf("%q is refused before it is applied: %v", text, err)
			continue
		}
		if _, err := update.Apply(item(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want %s", text, err, want)
		}
	}
}

func TestProjections(t *testing.T) {
	for text, want := range map[string]string{
		"s, five":        `{"s":{"S":"bed"},"five":{"N":"5"}}`,
		"absent":         `{}`,
		"m.k, m.#status": `{"m":{"M":{"k":{"S":"v"},"status":{"S":"up"}}}}`,
		"m.absent, s.k":  `{}`,
		"l[2], l[0]":     `{"l":{"L":[{"S":"x"},{"M":{"in":{"S":"deep"}}}]}}`,
		"l[7]":           `{}`,
	} {
		projection, err := scope(t).Projection(&text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(read[attribute.Item](t, want), projection.Of(item(t))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	for text, want := range map[string]string{"m, m.k": "overlap", "s five": "Syntax error", ":a": "Syntax error", "contains(s)": "Syntax error"} {
		if _, err := scope(t).Projection(&text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want %s", text, err, want)
		}
	}
}

func TestKeyConditions(t *testing.T) {
	for text, want := range map[string]string{
		"s = :a":                 "",
		"s = :a AND five > :one": ">",
		"(s = :a) AND (five BETWEEN :one AND :three)": "BETWEEN",
		"begins_with(five, :a) AND s = :a":            "begins_with",
	} {
		got, err := scope(t).KeyCondition(text, "s", "five")
		if err != nil || got.Operator != want || got.Partition.Text != "a" {
			t.Errorf("%s is %+v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"five = :one":              "Query condition missed key schema element: s",
		"s = :a AND l = :a":        "Query condition missed key schema element: five",
		"s > :a":                   "Query key condition not supported",
		"s = :a OR five = :one":    "Invalid operator used in KeyConditionExpression: OR",
		"s = :a AND NOT five=:one": "Invalid operator used in KeyConditionExpression: NOT",
		"s = :a AND five <> :one":  "Invalid operator used in KeyConditionExpression: <>",
		"s = :a AND five IN(:one)": "Invalid operator used in KeyConditionExpression: IN",
		"s = :a AND s = :a":        "one condition per key",
		"s = five":                 "Multiple attribute names",
		"m.k = :a":                 "not supported",
	} {
		if _, err := scope(t).KeyCondition(text, "s", "five"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want %s", text, err, want)
		}
	}
}

func TestEveryPlaceholderHasToBeUsed(t *testing.T) {
	text := "#s = :v"
	for _, test := range []struct {
		names  map[string]string
		values string
		text   *string
		want   string
	}{
		{map[string]string{"#s": "s"}, `{":v":{"S":"x"}}`, &text, ""},
		{map[string]string{"#s": "s", "#t": "t"}, `{":v":{"S":"x"}}`, &text, "ExpressionAttributeNames unused in expressions: keys: {#t}"},
		{map[string]string{"#s": "s"}, `{":v":{"S":"x"},":w":{"S":"x"}}`, &text, "ExpressionAttributeValues unused in expressions: keys: {:w}"},
		{map[string]string{"#s": "s"}, `null`, nil, "ExpressionAttributeNames can only be specified when using expressions"},
		{map[string]string{"s": "s"}, `null`, nil, "ExpressionAttributeNames contains invalid key"},
		{nil, `{"v":{"S":"x"}}`, nil, "ExpressionAttributeValues contains invalid key"},
		{nil, `{}`, nil, "must not be empty"},
	} {
		s, err := expression.NewScope(test.names, read[map[string]attribute.Value](t, test.values))
		if err == nil {
			if _, err = s.Condition("ConditionExpression", test.text); err == nil {
				err = s.Done()
			}
		}
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, %s gives %v, want %s", test.names, test.values, err, test.want)
		}
	}
}

func FuzzNoExpressionPanics(f *testing.F) {
	for _, seed := range []string{
		"s = :bed AND (l[2].k <> :a OR NOT size(m) > :one)", "SET l[0] = list_append(l, :list) REMOVE m.k ADD five :one DELETE ss :ss",
		"m.k, l[2], #dotted", "s BETWEEN :a AND :z", "s IN (:a,:z", "((((", "SET a=", "#", ":", "l[",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if condition, err := scope(t).Condition("FilterExpression", &text); err == nil {
			condition.Holds(item(t))
			condition.Roots()
		}
		if update, err := scope(t).Update(&text); err == nil {
			if after, err := update.Apply(item(t)); err == nil {
				update.Changed(after)
			}
		}
		if projection, err := scope(t).Projection(&text); err == nil {
			projection.Of(item(t))
		}
		_, _ = scope(t).KeyCondition(text, "s", "five")
	})
}
