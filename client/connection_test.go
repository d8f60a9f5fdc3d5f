package client

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOutputsAreFoundInWhicheverStackHasThem(t *testing.T) {
	outputs := Outputs{
		"hl7lake-dev-core":       {"LakeBucketName": "lake", "Twice": "1"},
		"hl7lake-dev-front-door": {"ApiUrl": "https://example.org/", "Twice": "2"},
	}
	if value, err := outputs.Get("ApiUrl"); value != "https://example.org/" || err != nil {
		t.Error(value, err)
	}
	for name, stacks := range map[string][]string{"Nowhere": nil, "Twice": {"hl7lake-dev-core", "hl7lake-dev-front-door"}} {
		_, err := outputs.Get(name)
		problem, _ := errors.AsType[*OutputError](err)
		if diff := cmp.Diff(&OutputError{Name: name, Stacks: stacks}, problem); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAConnectionIsKeptForItsOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "connection.json")
	want := Connection{
		Outputs:     Outputs{"core": {"ApiUrl": "http://127.0.0.1:4000/"}},
		Endpoint:    "http://127.0.0.1:4000",
		Credentials: &Key{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"},
		Users:       []Account{{User: User{Email: "a@example.org", Read: Institutions{"x"}}, Password: "p"}},
	}
	for range 2 { // the second time, the file exists
		if err := want.Write(path); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ReadConnection(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Error(info.Mode(), err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Error("left behind:", entries, err)
	}
}

func TestAMissingConnectionIsToldFromABrokenOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "connection.json")
	if _, err := ReadConnection(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte("not JSON"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadConnection(path); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestAnAccountIsFoundByItsAddressOrItsName(t *testing.T) {
	connection := Connection{Users: []Account{{User: User{Email: "admin@a.example"}}, {User: User{Email: "reader@a.example"}}}}
	tests := map[string]string{"": "admin@a.example", "reader": "reader@a.example", "reader@a.example": "reader@a.example", "read": "", "a.example": ""}
	for name, want := range tests {
		account, ok := connection.Account(name)
		if account.Email != want || ok != (want != "") {
			t.Errorf("%q finds %q", name, account.Email)
		}
	}
}
