package iam

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind says what a policy document is attached to, which decides the elements that its
// statements must have.
type Kind int

// The kinds of policy documents.
const (
	IdentityPolicy Kind = iota // of a role: there is no Principal, because it is the role
	ResourcePolicy             // of a bucket, topic, queue or key: Principal and Resource
	TrustPolicy                // of a role, for who may assume it: Principal, but no Resource
)

// MalformedError says for what in a policy document AWS would answer
// MalformedPolicyDocument.
type MalformedError struct {
	Path   string // Statement[1].Condition.StringEquals; empty for the whole document
	Reason string
}

func (e *MalformedError) Error() string {
	return "malformed policy document: " + strings.TrimPrefix(e.Path+": "+e.Reason, ": ")
}

// Check compares a policy document with IAM's grammar (AWS Identity and Access Management
// User Guide, Grammar of the IAM JSON policy language, and IAM JSON policy elements
// reference). It requires a Version, although AWS accepts a document without one as a
// document of 2008. An error is a *MalformedError.
func Check(document []byte, kind Kind) error {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return malformed("", "it is no JSON")
	}
	if _, err := decoder.Token(); err != io.EOF {
		return malformed("", "something follows the JSON")
	}
	object, is := value.(map[string]any)
	if !is {
		return malformed("", "it is not an object")
	}
	if err := onlyElements("", object, "Version", "Id", "Statement"); err != nil {
		return err
	}
	if version := object["Version"]; version != "2012-10-17" && version != "2008-10-17" {
		return malformed("Version", "2012-10-17 is wanted")
	}
	return checkStatements(object["Statement"], kind)
}

func malformed(path, format string, args ...any) error {
	return &MalformedError{path, fmt.Sprintf(format, args...)}
}

func onlyElements(path string, object map[string]any, known ...string) error {
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if !slices.Contains(known, name) {
			return malformed(path, "there is no element %s", name)
		}
	}
	return nil
}

// checkStatements checks one statement or a list of them.
func checkStatements(value any, kind Kind) error {
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	if len(list) == 0 || value == nil {
		return malformed("Statement", "a statement is wanted")
	}
	ids := map[any]bool{}
	for i, item := range list {
		path := fmt.Sprintf("Statement[%d]", i)
		statement, is := item.(map[string]any)
		if !is {
			return malformed(path, "it is not an object")
		}
		if err := checkStatement(path, statement, kind); err != nil {
			return err
		}
		if id, has := statement["Sid"]; has && id != "" {
			if ids[id] {
				return malformed(path+".Sid", "another statement has the same")
			}
			ids[id] = true
		}
	}
	return nil
}

var (
	identitySid = regexp.MustCompile(`^[A-Za-z0-9]*$`)
	actionName  = regexp.MustCompile(`^(\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+)$`)
	resourceARN = regexp.MustCompile(`^(\*|arn:[^:]*:[^:]*:[^:]*:[^:]*:.+)$`)
)

func checkStatement(path string, s map[string]any, kind Kind) error {
	err := onlyElements(path, s, "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
	if err != nil {
		return err
	}
	if sid, isText := s["Sid"].(string); s["Sid"] != nil && (!isText || kind == IdentityPolicy && !identitySid.MatchString(sid)) {
		return malformed(path+".Sid", "letters and digits are wanted")
	}
	if s["Effect"] != "Allow" && s["Effect"] != "Deny" {
		return malformed(path+".Effect", "Allow or Deny is wanted")
	}
	if err := checkPrincipals(path, s, kind); err != nil {
		return err
	}
	if err := checkPatterns(path, s, "Action", actionName); err != nil {
		return err
	}
	if kind != TrustPolicy {
		err = checkPatterns(path, s, "Resource", resourceARN)
	} else if s["Resource"] != nil || s["NotResource"] != nil {
		err = malformed(path, "a trust policy has no Resource")
	}
	if err != nil {
		return err
	}
	return checkConditions(path+".Condition", s["Condition"])
}

// either returns the one of name and Not+name that the statement has. It must have
// exactly one.
func either(path string, s map[string]any, name string) (string, error) {
	_, has := s[name]
	_, hasNot := s["Not"+name]
	switch {
	case has && hasNot:
		return "", malformed(path, "%s and Not%[1]s exclude each other", name)
	case has:
		return name, nil
	case hasNot:
		return "Not" + name, nil
	}
	return "", malformed(path, "%s or Not%[1]s is wanted", name)
}

func checkPatterns(path string, s map[string]any, name string, pattern *regexp.Regexp) error {
	name, err := either(path, s, name)
	if err != nil {
		return err
	}
	path += "." + name
	texts, err := textsOf(path, s[name])
	for _, text := range texts {
		if err == nil && !pattern.MatchString(text) {
			err = malformed(path, "%q cannot be one", text)
		}
	}
	return err
}

// textsOf reads a text or a list of at least one text.
func textsOf(path string, value any) (found []string, err error) {
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	for _, item := range list {
		text, is := item.(string)
		if !is {
			return nil, malformed(path, "a text or a list of texts is wanted")
		}
		found = append(found, text)
	}
	if len(found) == 0 {
		return nil, malformed(path, "the list is empty")
	}
	return found, nil
}

func checkPrincipals(path string, s map[string]any, kind Kind) error {
	if kind == IdentityPolicy {
		if s["Principal"] != nil || s["NotPrincipal"] != nil {
			return malformed(path, "an identity policy has no Principal")
		}
		return nil
	}
	name, err := either(path, s, "Principal")
	if err != nil {
		return err
	}
	path += "." + name
	if s[name] == "*" {
		return nil
	}
	kinds, is := s[name].(map[string]any)
	if !is || len(kinds) == 0 {
		return malformed(path, `"*" or an object is wanted`)
	}
	if err := onlyElements(path, kinds, "AWS", "Service", "Federated", "CanonicalUser"); err != nil {
		return err
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		texts, err := textsOf(path+"."+kind, kinds[kind])
		if err != nil {
			return err
		}
		if slices.Contains(texts, "") {
			return malformed(path+"."+kind, "a principal is empty")
		}
	}
	return nil
}

// checkConditions checks an object of operators, each an object of keys, each with a
// value or a list of them.
func checkConditions(path string, value any) error {
	if value == nil {
		return nil
	}
	operators, is := value.(map[string]any)
	if !is {
		return malformed(path, "it is not an object")
	}
	for _, operator := range slices.Sorted(maps.Keys(operators)) {
		fits, known := operatorValue(operator)
		if !known {
			return malformed(path, "there is no operator %s", operator)
		}
		keys, is := operators[operator].(map[string]any)
		if !is || len(keys) == 0 {
			return malformed(path+"."+operator, "an object of condition keys is wanted")
		}
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			if err := checkConditionGrammar(path+"."+operator, key, keys[key], fits); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkConditionGrammar(path, key string, value any, fits func(string) bool) error {
	// Every key has the prefix of a service or of an identity provider.
	if service, name, has := strings.Cut(key, ":"); !has || service == "" || name == "" || strings.Contains(key, "$") {
		return malformed(path, "there is no condition key %s", key)
	}
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	for _, item := range list {
		text, isScalar := scalar(item)
		if !isScalar || !fits(text) && !strings.Contains(text, "${") {
			return malformed(path+"."+key, "the value does not fit the operator")
		}
	}
	return nil
}

// scalar is the text of a text, number or truth value.
func scalar(value any) (string, bool) {
	switch value := value.(type) {
	case string:
		return value, true
	case json.Number:
		return value.String(), true
	case bool:
		return strconv.FormatBool(value), true
	}
	return "", false
}

// operatorValue returns a function that reports whether a value fits an operator, if
// there is such an operator (AWS Identity and Access Management User Guide, IAM JSON
// policy elements: Condition operators).
func operatorValue(name string) (fits func(text string) bool, known bool) {
	base, isSet := strings.CutPrefix(name, "ForAllValues:")
	if !isSet {
		base = strings.TrimPrefix(name, "ForAnyValue:")
	}
	if base != "NullIfExists" {
		base = strings.TrimSuffix(base, "IfExists")
	}
	switch base {
	case "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
		"ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike", "BinaryEquals":
		return func(string) bool { return true }, true
	case "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals":
		return isNumber, true
	case "DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals":
		return isDate, true
	case "Bool", "Null":
		return func(text string) bool { return strings.EqualFold(text, "true") || strings.EqualFold(text, "false") }, true
	case "IpAddress", "NotIpAddress":
		return isAddress, true
	}
	return nil, false
}

func isNumber(text string) bool {
	_, err := strconv.ParseFloat(text, 64)
	return err == nil
}

// isDate reports whether text is a date in W3C's profile of ISO 8601, or seconds since
// 1970.
func isDate(text string) bool {
	for _, layout := range []string{"2006", "2006-01", time.DateOnly, "2006-01-02T15:04Z07:00", time.RFC3339} {
		if _, err := time.Parse(layout, text); err == nil {
			return true
		}
	}
	_, err := strconv.ParseInt(text, 10, 64)
	return err == nil
}

func isAddress(text string) bool {
	_, err := netip.ParsePrefix(text)
	_, alone := netip.ParseAddr(text)
	return err == nil || alone == nil
}
