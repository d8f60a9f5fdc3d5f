// Package sample makes the messages that benchmarks use, the same for this package and
// for those it is compared with. The people in them are invented.
package sample

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
)

// A Message is a sample and its name.
type Message struct {
	Name string // can be a file name, such as "adt-1kb"
	Data []byte
}

// All returns an admission of 1 KB, a laboratory report of 10 KB, and a report of 1 MB
// that carries a document in base64.
func All() []Message {
	return []Message{{"adt-1kb", ADT()}, {"oru-10kb", ORU()}, {"document-1mb", Document(1 << 20)}}
}

const admission = `MSH|^~\&|WARDS|NORTHFIELD^2.16.840.1.113883.19.1^ISO|LAKE|NORTHFIELD|20260314091542.120+0100||ADT^A01^ADT_A01|NF0000481|P|2.5.1|||AL|NE||UNICODE UTF-8
EVN|A01|20260314091500|||N204^Placeholder^Nora^^^^^^NORTHFIELD
PID|1||900100223^^^NORTHFIELD^MR~99-1002-3^^^FICTIONLAND^NI||Testperson^Tilda^Q^^Ms^^L||19710820|F|||12 Sample Street^Apt. 3^Exampleton^^00001^XX^H||^PRN^PH^^^555^0100143~^WPN^PH^^^555^0100987||en^English|M^Married|||||||||Exampleton
PD1||||D0117^Mockford^Max^^^Dr
NK1|1|Testperson^Theo^^^Mr|SPO^Spouse^HL70063|12 Sample Street^^Exampleton^^00001|^PRN^PH^^^555^0100143||C^Emergency contact
PV1|1|I|3WEST^312^B^NORTHFIELD^^^^^Main \T\ East||||D0117^Mockford^Max^^^Dr|D0220^Fakes^Frida^^^Dr||MED||||7|||D0117^Mockford^Max^^^Dr|IP|V7740021^^^NORTHFIELD^VN|||||||||||||||||||||||||20260314084000
AL1|1|DA^Drug allergy|PEN^Penicillin^L|SV^Severe|Hives~Swelling
DG1|1||J18.9^Pneumonia, unspecified^I10|||A
GT1|1||Testperson^Tilda^Q||12 Sample Street^^Exampleton^^00001^XX^H|^PRN^PH^^^555^0100143|||||SE
`

const report = `MSH|^~\&|ANALYZER|NORTHFIELD^2.16.840.1.113883.19.1^ISO|LAKE|NORTHFIELD|20260314101200||ORU^R01^ORU_R01|NF0000482|P|2.5.1
PID|1||900100223^^^NORTHFIELD^MR||Testperson^Tilda^Q^^Ms^^L||19710820|F|||12 Sample Street^^Exampleton^^00001^XX^H
PV1|1|I|3WEST^312^B^NORTHFIELD
ORC|RE|ORD4471^WARDS|LAB9902^ANALYZER||CM||||20260314084500|||D0117^Mockford^Max^^^Dr
OBR|1|ORD4471^WARDS|LAB9902^ANALYZER|24323-8^Comprehensive metabolic panel^LN|||20260314085000|||||||||D0117^Mockford^Max^^^Dr||||||20260314100900||LAB|F
`

// ADT returns an admission of about 1 KB.
func ADT() []byte { return er7(admission) }

// ORU returns a report of about 10 KB: a hundred results, every tenth with a note.
func ORU() []byte {
	var b strings.Builder
	b.WriteString(report)
	for i := 1; b.Len() < 10<<10; i++ {
		fmt.Fprintf(&b, "OBX|%d|NM|%d-%d^Analyte %d^LN||%d.%d|mmol/L^millimole per liter^UCUM|3.5-5.1|N|||F|||20260314100%d\n", i, 1000+i*7, i%10, i, i%9, i%7, i%10)
		if i%10 == 0 {
			fmt.Fprintf(&b, "NTE|1|L|Checked twice \\T\\ released; no comment on analyte %d.\n", i)
		}
	}
	return er7(b.String())
}

// Document returns a report of that many bytes. Nearly all of them are one base64 value.
func Document(size int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	head := report + "OBX|1|ED|18842-5^Discharge summary^LN||^APPLICATION^PDF^Base64^"
	tail := "||||||F\n"
	content := make([]byte, (size-len(head)-len(tail))/4*3)
	for i := range content {
		content[i] = byte(random.Uint32())
	}
	return er7(head + base64.StdEncoding.EncodeToString(content) + tail)
}

func er7(lines string) []byte { return bytes.ReplaceAll([]byte(lines), []byte("\n"), []byte("\r")) }
