package dynamodb_test

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	diff "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// row is an item of the model: a catalog item with an owner and a time, or
// without (empty).
type row struct{ root, sk, owner, received string }

// model is the catalog as a map from root and sk.
type model map[[2]string]row

func (r row) item() item {
	i := item{"root": text(r.root), "sk": text(r.sk)}
	if r.owner != "" {
		i["owner"] = text(r.owner)
	}
	if r.received != "" {
		i["received"] = text(r.received)
	}
	return i
}

// rows lists the model's rows that match, in the order of the given names.
func (m model) rows(match func(row) bool, order func(row) string) string {
	rows := slices.SortedFunc(maps.Values(m), func(a, b row) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(a.root, b.root), cmp.Compare(a.sk, b.sk))
	})
	var found []string
	for _, r := range rows {
		if match(r) {
			found = append(found, r.root+"/"+r.sk)
		}
	}
	return strings.Join(found, " ")
}

func TestTheCatalogBehavesLikeAMapWithASortedIndex(t *testing.T) {
	l := start(t, allow)
	names := rapid.SampledFrom([]string{"a", "a\x00", "a\x00b", "ab", "é", "\U0001F600"})
	optional := rapid.SampledFrom([]string{"", "x", "y", "xy", "x\x01"})
	rapid.Check(t, func(t *rapid.T) {
		m := model{}
		defer l.empty(t)
		draw := func(t *rapid.T) row {
			return row{names.Draw(t, "root"), names.Draw(t, "sk"), optional.Draw(t, "owner"), optional.Draw(t, "received")}
		}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				r := draw(t)
				if _, err := l.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String("catalog"), Item: r.item()}); err != nil {
					t.Fatal(err)
				}
				m[[2]string{r.root, r.sk}] = r
			},
			"put if absent": func(t *rapid.T) {
				r := draw(t)
				_, err := l.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String("catalog"), Item: r.item(),
					ConditionExpression: aws.String("attribute_not_exists(root)")})
				_, there := m[[2]string{r.root, r.sk}]
				if refused := code(err) == "ConditionalCheckFailedException"; refused != there || err != nil && !refused {
					t.Fatalf("there: %t, got %v", there, err)
				}
				if !there {
					m[[2]string{r.root, r.sk}] = r
				}
			},
			"change owner": func(t *rapid.T) {
				r := draw(t)
				in := &sdk.UpdateItemInput{TableName: aws.String("catalog"), Key: item{"root": text(r.root), "sk": text(r.sk)},
					UpdateExpression: aws.String("REMOVE #o"), ExpressionAttributeNames: map[string]string{"#o": "owner"}}
				if r.owner != "" {
					in.UpdateExpression, in.ExpressionAttributeValues = aws.String("SET #o = :o"), item{":o": text(r.owner)}
				}
				if _, err := l.UpdateItem(t.Context(), in); err != nil {
					t.Fatal(err)
				}
				r.received = m[[2]string{r.root, r.sk}].received
				m[[2]string{r.root, r.sk}] = r
			},
			"delete": func(t *rapid.T) {
				r := draw(t)
				if _, err := l.DeleteItem(t.Context(), &sdk.DeleteItemInput{TableName: aws.String("catalog"), Key: item{"root": text(r.root), "sk": text(r.sk)}}); err != nil {
					t.Fatal(err)
				}
				delete(m, [2]string{r.root, r.sk})
			},
			"": func(t *rapid.T) {
				root, limit, forward := names.Draw(t, "root"), rapid.Int32Range(1, 4).Draw(t, "limit"), rapid.Bool().Draw(t, "forward")
				l.check(t, "root = :v", nil, root, limit, forward,
					m.rows(func(r row) bool { return r.root == root }, func(r row) string { return r.sk }))
				owner, after := rapid.SampledFrom([]string{"x", "y", "xy", "x\x01"}).Draw(t, "owner"), "x"
				l.check(t, "#o = :v AND received >= :x", aws.String("by-owner"), owner, limit, forward, m.rows(func(r row) bool {
					return r.owner == owner && r.received >= after
				}, func(r row) string { return r.received }))
			},
		})
	})
}

// check compares a Query, read page by page, with the model.
func (l lake) check(t *rapid.T, condition string, index *string, value string, limit int32, forward bool, want string) {
	in := sdk.QueryInput{TableName: aws.String("catalog"), IndexName: index, KeyConditionExpression: &condition, Limit: &limit,
		ScanIndexForward: &forward, ExpressionAttributeValues: item{":v": text(value)}}
	if index != nil {
		in.ExpressionAttributeNames = map[string]string{"#o": "owner"}
		in.ExpressionAttributeValues[":x"] = text("x")
	}
	var found []string
	pages := sdk.NewQueryPaginator(l.Client, &in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range page.Items {
			found = append(found, plain(i["root"])+"/"+plain(i["sk"]))
		}
	}
	if !forward {
		slices.Reverse(found)
	}
	if d := diff.Diff(want, strings.Join(found, " ")); d != "" {
		t.Fatalf("%s with %q (-want +got):\n%s", condition, value, d)
	}
}

// empty deletes the catalog's items.
func (l lake) empty(t *rapid.T) {
	out, err := l.Scan(t.Context(), &sdk.ScanInput{TableName: aws.String("catalog")})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range out.Items {
		if _, err := l.DeleteItem(t.Context(), &sdk.DeleteItemInput{TableName: aws.String("catalog"), Key: item{"root": i["root"], "sk": i["sk"]}}); err != nil {
			t.Fatal(err)
		}
	}
}
