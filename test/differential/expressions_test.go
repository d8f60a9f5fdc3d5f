package differential_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// chosenExpressions are those that random ones would hardly include: of each function, of
// paths and reserved words, and of what is refused.
func chosenExpressions() (all []expression) {
	for kind, texts := range map[string][]string{
		conditionExpression: {
			// The lake's own.
			"attribute_not_exists(pk) OR five < :one OR (s = :bed AND n < :n1)",
			"attribute_not_exists(absent) AND #status = :up",
			// Comparisons, also of more digits than a float has, and of sets.
			"n = :n1", "n < :n1", "n >= :n", "five <> :one", "s BETWEEN :be AND :z", "l[1] BETWEEN :one AND :seven",
			"five IN (:one, :three, :five)", "s IN (:a)", "ss = :ss", "nil = :nil", "yes = :t", "b > :bin", "absent <> :a",
			// Paths.
			"m.k = :v", "m.#status = :up", "#m.k = :v", "l[2].#in = :deep", "l[2].more[0] = :one", "#dotted = :a",
			"attribute_exists(l[7])", "attribute_exists(m.k.deeper)", "attribute_exists(l[0].k)", "attribute_not_exists(m.absent)",
			// Functions.
			"size(s) = :three", "size(ss) > :one", "size(m) = :three", "size(b) < :three", "size(l) BETWEEN :one AND :five", "size(absent) < :one",
			"begins_with(s, :be)", "begins_with(s, :z)", "begins_with(absent, :be)", "begins_with(b, :bin)",
			"contains(s, :be)", "contains(ss, :a)", "contains(ns, :one)", "contains(l, :seven)", "contains(absent, :a)", "contains(five, :one)",
			"attribute_type(s, :S)", "attribute_type(l, :L)", "attribute_type(s, :N)", "attribute_type(absent, :S)",
			// Precedence.
			"s = :z OR s = :z AND s = :bed", "NOT s = :z AND s = :bed", "NOT (s = :bed OR five = :one)", "(s = :bed OR s = :z) AND s = :z",
			// Refused.
			"", "s", "s = ", "(s = :bed", "s == :bed", "status = :up", "m.Status = :up", "#absent = :up", "s = :absent", "nonsense(s)",
			"size(s)", "begins_with(s)", "attribute_exists(:a)", "attribute_type(s, :one)", "begins_with(s, :one)", "s < :t",
			"s BETWEEN :z AND :a", "s = s", "s IN ()", "if_not_exists(s, :a)", "((s = :bed))",
		},
		updateExpression: {
			"SET s = :a", "SET s = five, five = s", "set five = five + :one", "SET n = n + :one", "SET five = :three - five",
			"SET five = if_not_exists(five, :one)", "SET c = if_not_exists(c, :one) + :one", "SET fresh = :a, m.fresh = :a",
			"SET l = list_append(:list, l)", "SET l = list_append(l, :list)", "SET e = list_append(if_not_exists(e, :list), :list)",
			"SET m.#status = :a", "SET l[2].q = :a", "SET l[0] = :a, l[9] = :z", "SET #dotted = :a", "SET m.q = :map", "SET l[1] = l[0]",
			"REMOVE s", "REMOVE l[0], l[1]", "REMOVE l[7], absent, m.absent", "REMOVE m.k", "REMOVE l[2].more[0]",
			"ADD five :one", "ADD fresh :one, m.c :one", "ADD ss :ssb", "ADD fresh :ns", "ADD fresh :ss",
			"DELETE ss :ssb", "DELETE ss :ss", "DELETE absent :ss", "DELETE ns :ns",
			"SET s = :a REMOVE five ADD n :one DELETE ns :ns",
			// Refused.
			"", "SET", "SET s", "SET s = :a SET five = :a", "CHANGE s = :a", "SET s = :a, s = :z", "SET m = :map REMOVE m.k", "SET s = contains(s, :a)",
			"SET s = s + :a", "SET s = s + :one", "SET l = list_append(l, :a)", "SET l = list_append(s, :list)", "SET status = :a",
			"ADD s :a", "ADD s :one", "DELETE s :one", "DELETE ns :ss", "ADD ss :ns", "ADD s s",
			"SET s = absent", "SET absent.k = :a", "SET s.k = :a", "REMOVE absent.k", "SET pk = :a", "REMOVE pk",
		},
		projectionExpression: {
			"s, five", "absent", "m.k, m.#status", "m.absent, s.k", "l[2], l[0]", "l[7]", "l[2].more[0]", "#dotted, pk", "m", "l[1], m.c, ss",
			"", "m, m.k", "s five", "status", "s,", "l[x]",
		},
	} {
		for _, text := range texts {
			all = append(all, expression{kind, text})
			if kind == conditionExpression && !strings.Contains(text, "pk") {
				all = append(all, expression{filterExpression, text})
			}
		}
	}
	return all
}

// keyConditions are what a Query may and may not ask about a key.
func keyConditions() (all []expression) {
	for kind, texts := range map[string][]string{
		keyExpression: {
			"root = :p", "root = :p AND sk = :k1", "root = :p AND sk > :k1", "root = :p AND sk <= :k2", "root = :p AND sk BETWEEN :k1 AND :k2",
			"root = :p AND begins_with(sk, :k)", "(root = :p) AND (sk < :k2)", "sk = :k1 AND root = :p", "root = :a",
			"sk = :k1", "root > :p", "root = :p OR sk = :k1", "root = :p AND sk <> :k1", "root = :p AND contains(sk, :k)",
			"root = :p AND sk IN (:k1)", "root = :p AND n = :one", "root = :one", "root = :p AND sk BETWEEN :k2 AND :k1",
			"root = :p AND NOT sk = :k1", "root = :p AND sk = :k1 AND sk = :k2", "root = sk", "",
		},
		indexExpression: {
			"#owner = :o", "#owner = :o AND received >= :t4", "#owner = :o AND received BETWEEN :t2 AND :t4", "owner = :o", "root = :p",
		},
	} {
		for _, text := range texts {
			all = append(all, expression{kind, text})
		}
	}
	return all
}

// generator makes random expressions. A seed always makes the same ones.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) generator { return generator{rand.New(rand.NewPCG(seed, 1))} }

// expressions makes n of them. DynamoDB accepts most.
func (g generator) expressions(n int) []expression {
	all := make([]expression, 0, n)
	for range n {
		switch g.IntN(5) {
		case 0:
			all = append(all, expression{conditionExpression, g.condition(2)})
		case 1:
			all = append(all, expression{filterExpression, g.condition(2)})
		case 2, 3:
			all = append(all, expression{updateExpression, g.update()})
		default:
			all = append(all, expression{projectionExpression, strings.Join(g.several(g.path, 4), ", ")})
		}
	}
	return all
}

func one[T any](g generator, of ...T) T { return of[g.IntN(len(of))] }

// several makes one to n things.
func (g generator) several(make func() string, n int) (all []string) {
	for range 1 + g.IntN(n) {
		all = append(all, make())
	}
	return all
}

func (g generator) path() string {
	return one(g, "s", "n", "five", "b", "nil", "yes", "ss", "ns", "l", "m", "absent", "l[0]", "l[1]", "l[2].#in", "l[2].more[0]", "l[7]",
		"m.k", "m.c", "m.#status", "m.absent", "#dotted", "#status", "s.k", "absent.k")
}

func (g generator) text() string   { return one(g, ":a", ":bed", ":be", ":z", ":v", ":up", ":deep") }
func (g generator) number() string { return one(g, ":one", ":three", ":five", ":seven", ":n", ":n1") }
func (g generator) comparator() string {
	return one(g, "=", "<>", "<", "<=", ">", ">=")
}

// condition makes one of at most the given depth.
func (g generator) condition(depth int) string {
	if depth > 0 {
		switch g.IntN(6) {
		case 0:
			return g.condition(depth-1) + " AND " + g.condition(depth-1)
		case 1:
			return g.condition(depth-1) + " OR " + g.condition(depth-1)
		case 2:
			return "NOT " + g.condition(0)
		case 3:
			return "(" + g.condition(0) + " OR " + g.condition(0) + ") AND " + g.condition(0)
		}
	}
	switch g.IntN(9) {
	case 0, 1:
		return fmt.Sprintf("%s %s %s", one(g, "s", "m.k", "m.#status", "l[0]", "l[2].#in", "#dotted", "absent"), g.comparator(), g.text())
	case 2:
		return fmt.Sprintf("%s %s %s", one(g, "n", "five", "m.c", "l[1]", "l[2].more[0]", "m.absent"), g.comparator(), g.number())
	case 3:
		return fmt.Sprintf("%s %s %s", g.path(), one(g, "=", "<>"), one(g, ":t", ":nil", ":ss", ":ns", ":list", ":map", ":bin", ":a", ":one"))
	case 4:
		return fmt.Sprintf("%s(%s)", one(g, "attribute_exists", "attribute_not_exists"), g.path())
	case 5:
		return fmt.Sprintf("size(%s) %s %s", g.path(), g.comparator(), g.number())
	case 6:
		return fmt.Sprintf("%s(%s, %s)", one(g, "begins_with", "contains"), g.path(), g.text())
	case 7:
		return fmt.Sprintf("%s IN (%s)", g.path(), strings.Join(g.several(g.text, 3), ", "))
	default:
		return fmt.Sprintf("attribute_type(%s, %s)", g.path(), one(g, ":S", ":N", ":L"))
	}
}

// update makes one with one or two clauses.
func (g generator) update() string {
	clauses := map[string]func() string{
		"SET":    g.assignment,
		"REMOVE": g.path,
		"ADD": func() string {
			return one(g, "five ", "ss ", "ns ", "absent ", "m.c ", "l[1] ") + one(g, ":one", ":three", ":ssb", ":ns")
		},
		"DELETE": func() string { return one(g, "ss ", "ns ", "absent ") + one(g, ":ssb", ":ns", ":ss") },
	}
	order := []string{"SET", "REMOVE", "ADD", "DELETE"}
	g.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	var text []string
	for _, clause := range order[:1+g.IntN(2)] {
		text = append(text, clause+" "+strings.Join(g.several(clauses[clause], 2), ", "))
	}
	return strings.Join(text, " ")
}

func (g generator) assignment() string {
	path := g.path()
	switch g.IntN(5) {
	case 0:
		return path + " = " + one(g, g.text(), g.number(), ":list", ":map", ":nil", ":ss")
	case 1:
		return path + " = " + g.path()
	case 2:
		number := one(g, "five", "n", "m.c", "l[1]", "absent")
		return path + " = " + number + one(g, " + ", " - ") + g.number()
	case 3:
		return fmt.Sprintf("%s = if_not_exists(%s, %s)", path, g.path(), one(g, g.text(), g.number(), ":list"))
	default:
		return fmt.Sprintf("%s = list_append(%s, :list)", path, one(g, "l", "l", "l[2].more", "absent", "s"))
	}
}
