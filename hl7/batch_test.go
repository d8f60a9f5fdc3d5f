package hl7_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hl7lake/hl7"
)

func TestTheHeaderOfABatchIsAnsweredByItsReverse(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("", 3600))
	for name, test := range map[string]struct{ header, want string }{
		"a batch":                {"BHS|^~\\&|APP|HERE|LAKE|THERE|20260301||ADT^nightly|a comment|B17|B16\r", "BHS|^~\\&|LAKE|THERE|APP|HERE|20260301120000+0100||||ID|B17\r"},
		"a file":                 {"FHS|^~\\&|APP|HERE|LAKE|THERE|20260301||f.hl7||F1\r", "FHS|^~\\&|LAKE|THERE|APP|HERE|20260301120000+0100||||ID|F1\r"},
		"no control id":          {"BHS|^~\\&|APP\r", "BHS|^~\\&|||APP||20260301120000+0100||||ID\r"},
		"other delimiters":       {"\vBHS$%~\\&$A%1.2%ISO$$$$$$$$B1\n", "BHS$%~\\&$$$A%1.2%ISO$$20260301120000+0100$$$$ID$B1\r"},
		"Latin-1":                {"BHS|^~\\&|K\xfcche|||\xd6|1\r", "BHS|^~\\&||\xd6|K\xfcche||20260301120000+0100||||ID\r"},
		"encoding chars too few": {"BHS|\r", "BHS|^~\\&|||||20260301120000+0100||||ID\r"},
		"nothing":                {"", "BHS|^~\\&|||||20260301120000+0100||||ID\r"},
	} {
		t.Run(name, func(t *testing.T) {
			got := string(hl7.ReplyHeader([]byte(test.header), "ID", at))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheTrailerOfAnAnswerHasTheDelimiterOfItsHeader(t *testing.T) {
	for header, want := range map[string]string{"BHS|^~\\&|A\r": "BTS|3\r", "FHS$%~\\&$A\r": "FTS$3\r"} {
		if got := string(hl7.ReplyTrailer([]byte(header), 3)); got != want {
			t.Errorf("%q is ended by %q", header, got)
		}
	}
}
