package local

import (
	"encoding/json"
	"path/filepath"

	"hl7lake/local/cloudwatchlogs"
	"hl7lake/local/iam"
	"hl7lake/local/kms"
)

// logGroups are those of the templates, and with each the file of the function that logs to it.
func (l *Lake) logGroups() ([]cloudwatchlogs.Group, error) {
	files := map[string]string{}
	for _, f := range l.lambda.Functions() {
		files[f.LogGroup()] = l.logs.path(f.FunctionName)
	}
	var groups []cloudwatchlogs.Group
	for _, r := range l.assembly.OfType("AWS::Logs::LogGroup") {
		var properties struct{ RetentionInDays int }
		text, err := r.JSON()
		if err == nil {
			err = json.Unmarshal(text, &properties)
		}
		if err != nil {
			return nil, r.Fail("", err)
		}
		groups = append(groups, cloudwatchlogs.Group{Name: r.PhysicalID, File: files[r.PhysicalID], Retention: properties.RetentionInDays})
		delete(files, r.PhysicalID)
	}
	for name, file := range files { // Lambda makes the group of a function whose template names none
		groups = append(groups, cloudwatchlogs.Group{Name: name, File: file})
	}
	return groups, nil
}

// kmsKeys are those of the templates, by their ids. Their policies decide who may ask about them.
func (l *Lake) kmsKeys() (map[string]kms.Key, error) {
	keys := map[string]kms.Key{}
	for _, r := range l.assembly.OfType("AWS::KMS::Key") {
		var key struct {
			kms.Key
			KeyPolicy iam.Document
		}
		text, err := r.JSON()
		if err == nil {
			err = json.Unmarshal(text, &key)
		}
		if err == nil {
			err = l.policies.AttachToResource(r.Attributes["Arn"], key.KeyPolicy)
		}
		if err != nil {
			return nil, r.Fail("", err)
		}
		keys[r.PhysicalID] = key.Key
	}
	return keys, nil
}

// path is the file of a function's output.
func (l *logFolder) path(functionName string) string {
	return filepath.Join(l.dir, functionName+".log")
}
