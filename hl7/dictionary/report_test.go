package dictionary_test

// This file is about one laboratory report, validated as a whole.

import (
	"testing"

	"hl7lake/hl7"
	"hl7lake/hl7/dictionary"
)

// result251 is a result of v2.5.1 as laboratories send it. It has identifiers with
// assigning authorities, LOINC and SNOMED CT codes with local ones, many of the data
// types that OBX-2 can name, and timing, specimen, notes and a document.
const result251 = `MSH|^~\&|LAB^2.16.840.1.113883.3.72.5.20^ISO|NORTH^2.16.840.1.113883.3.72.5.21^ISO|EHR|CLINIC|20260314093015.123+0100||ORU^R01^ORU_R01|2026031400001|P|2.5.1|||AL|NE|USA|UNICODE UTF-8|en-US^English^ISO639||LRI_Common_Component^^2.16.840.1.113883.9.16^ISO
SFT|Example Laboratory Systems^L^^^^EXAMPLE&2.16.840.1.113883.3.987.1&ISO^XX^^^1234|5.2.1|Resulter|8f3c-77||20260101
PID|1||900712^^^NORTH&2.16.840.1.113883.3.72.5.30.2&ISO^MR~123-45-6789^^^USA&2.16.840.1.113883.4.1&ISO^SS||Testperson^Tilda^Anna^Jr^Dr^^L^^^^^^^MD||198502030815|F||2106-3^White^HL70005^W^White^L|12 Example Street^Suite 4^Springfield^IL^62701^USA^H^^17167||^PRN^PH^^1^217^5550142^^~^NET^Internet^tilda@example.org|^WPN^PH^^1^217^5550143|en^English^ISO639|M^Married^HL70002||||||2186-5^Not Hispanic or Latino^HL70189||N|||||||N
NTE|1|L|Fasting since midnight|RE^Remark^HL70364
PV1|1|O|OUT^1^A^NORTH&2.16.840.1.113883.3.72.5.21&ISO||||7700123456^Referrer^Rita^^^Dr^^^NPI&2.16.840.1.113883.4.6&ISO^L^^^NPI|||MED|||||||||V100230^^^NORTH&2.16.840.1.113883.3.72.5.30.2&ISO^VN|||||||||||||||||||||||||202603140815
ORC|RE|ORD-778812^EHR^2.16.840.1.113883.3.72.5.24^ISO|R-99-1133^LAB^2.16.840.1.113883.3.72.5.25^ISO|GRP-1^EHR^2.16.840.1.113883.3.72.5.24^ISO||||||||7700123456^Referrer^Rita^^^Dr^^^NPI&2.16.840.1.113883.4.6&ISO^L^^^NPI||^WPN^PH^^1^217^5550100
OBR|1|ORD-778812^EHR^2.16.840.1.113883.3.72.5.24^ISO|R-99-1133^LAB^2.16.840.1.113883.3.72.5.25^ISO|24331-1^Lipid 1996 panel - Serum or Plasma^LN^345789^Lipid Panel^99USI^2.40|||20260314081500+0100||||G|||||7700123456^Referrer^Rita^^^Dr^^^NPI&2.16.840.1.113883.4.6&ISO^L^^^NPI||||||20260314092800+0100||CH|F||||||I10^Essential (primary) hypertension^I10C
NTE|1|L|Values were confirmed by a second measurement.
TQ1|1||||||202603140800||R^Routine^HL70485
OBX|1|NM|2093-3^Cholesterol [Mass/volume] in Serum or Plasma^LN^CHOL^Cholesterol^99USI^2.40||196|mg/dL^milligram per deciliter^UCUM|Recommended: <200; Moderate risk: 200-239; High risk: >240|N|||F|||20260314081500+0100|||||20260314091000+0100||||Example Laboratory^L^^^^CLIA&2.16.840.1.113883.4.7&ISO^XX^^^05D0642827|3434 Laboratory Loop^^Springfield^IL^62702^USA^B|9876543210^Pathologist^Paul^^^^^^NPI&2.16.840.1.113883.4.6&ISO^L^^^NPI
OBX|2|SN|5792-7^Glucose [Mass/volume] in Urine by Test strip^LN||>^1000|mg/dL^^UCUM||HH|||C|||20260314081500+0100
OBX|3|CWE|625-4^Bacteria identified in Stool by Culture^LN|1|27268008^Salmonella^SCT^SALM^Salmonella species^L^20250731^1.2|||A|||F|||20260314081500+0100
OBX|4|CE|883-9^ABO group [Type] in Blood^LN||112144000^Blood group A^SCT||||||F
OBX|5|ST|5778-6^Color of Urine^LN||yellow||yellow, straw, amber||||F
OBX|6|TX|22634-0^Pathology report gross observation^LN||Two fragments of tissue, the larger of which measures 1.2 x 0.8 x 0.4 cm.||||||F
OBX|7|FT|22637-3^Pathology report final diagnosis^LN||Benign.\.br\No further action.||||||F
OBX|8|DT|8665-2^Last menstrual period start date^LN||20260301||||||F
OBX|9|TS|33882-2^Collection date of Specimen^LN||202603140815||||||F
OBX|10|TM|49049-0^Collection time of Unspecified specimen^LN||0815||||||F
OBX|11|ED|11502-2^Laboratory report^LN||^application^pdf^Base64^JVBERi0xLjQK||||||F
SPM|1|SP-1&EHR&2.16.840.1.113883.3.72.5.24&ISO^R-99-1133-1&LAB&2.16.840.1.113883.3.72.5.25&ISO||119297000^Blood specimen^SCT^BLD^Blood^HL70487|||||||P^Patient^HL70369||||||202603140815^202603140817|202603140900|||||||1
`

func TestALaboratoryReportOfV251HasNoStrictFinding(t *testing.T) {
	m, err := hl7.Parse([]byte(result251))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range dictionary.Of(m.Version()).Validate(m, dictionary.Strict) {
		t.Error(f)
	}
}
