package main

import (
	"strconv"
	"strings"

	"hl7lake/hl7"
)

// patient is a FHIR R4 Patient (https://hl7.org/fhir/R4/patient.html) with some of its
// elements.
type patient struct {
	ResourceType string       `json:"resourceType"`
	Identifier   []identifier `json:"identifier,omitempty"`
	Name         []name       `json:"name,omitempty"`
	Gender       string       `json:"gender,omitempty"`
	BirthDate    string       `json:"birthDate,omitempty"`
}

type identifier struct {
	Value    string   `json:"value"`
	Assigner *display `json:"assigner,omitempty"`
}

type display struct {
	Display string `json:"display"`
}

type name struct {
	Family string   `json:"family,omitempty"`
	Given  []string `json:"given,omitempty"`
}

// patientOf reads PID-3, PID-5, PID-7 and PID-8 (HL7 v2.5.1, 3.4.2).
func patientOf(m *hl7.Message) patient {
	p := patient{ResourceType: "Patient", Gender: genderOf(m.Get("PID-8"))}
	pid := func(path string) string {
		if text := m.Get("PID-" + path); text != hl7.Null {
			return text
		}
		return ""
	}
	for i := range m.Repetitions(hl7.Path{Segment: "PID", Field: 3}) {
		place := "3[" + strconv.Itoa(i+1) + "]"
		id := identifier{Value: pid(place + ".1")}
		if assigner := pid(place + ".4"); assigner != "" {
			id.Assigner = &display{assigner}
		}
		if id.Value != "" {
			p.Identifier = append(p.Identifier, id)
		}
	}
	if n := (name{pid("5.1"), strings.Fields(pid("5.2") + " " + pid("5.3"))}); n.Family != "" || len(n.Given) > 0 {
		p.Name = []name{n}
	}
	if born, precision, err := m.Time("PID-7"); err == nil && precision >= hl7.Day {
		p.BirthDate = born.Format("2006-01-02")
	}
	return p
}

// genderOf reads table 0001 as a code of FHIR's administrative-gender.
func genderOf(sex string) string {
	return map[string]string{"M": "male", "F": "female", "O": "other", "A": "other", "U": "unknown"}[sex]
}
