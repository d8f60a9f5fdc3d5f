package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"hl7lake/lambdas/internal/problem"
)

const signIn = "https://sign-in.hospital.test"

// whole is the console as it is served.
func whole(t *testing.T) *site {
	t.Helper()
	files, err := fs.Sub(static, "static")
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSite(files, settings{ClientID: "the-client", SignIn: signIn})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask requests a file, with headers as API Gateway passes them, by pairs.
func ask(t *testing.T, s *site, file string, header ...string) (events.APIGatewayV2HTTPResponse, error) {
	t.Helper()
	request := events.APIGatewayV2HTTPRequest{Headers: map[string]string{}}
	if file != "" {
		request.PathParameters = map[string]string{"file": file}
	}
	for i := 0; i < len(header); i += 2 {
		request.Headers[header[i]] = header[i+1]
	}
	return s.get(t.Context(), request)
}

// body returns the bytes of an answer.
func body(t *testing.T, answer events.APIGatewayV2HTTPResponse) []byte {
	t.Helper()
	decoded, err := base64.StdEncoding.DecodeString(answer.Body)
	if err != nil || !answer.IsBase64Encoded {
		t.Fatalf("the body is not base64: %v", err)
	}
	return decoded
}

func TestEachFileIsServedAsItIs(t *testing.T) {
	s := whole(t)
	types := map[string]string{"html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
	entries, err := static.ReadDir("static")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		want, err := static.ReadFile("static/" + entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		plain, err := ask(t, s, entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		_, kind, _ := strings.Cut(entry.Name(), ".")
		if got := body(t, plain); !bytes.Equal(got, want) || plain.Headers["Content-Type"] != types[kind] || plain.Headers["Content-Encoding"] != "" {
			t.Errorf("%s: %d bytes with %v", entry.Name(), len(got), plain.Headers)
		}
		zipped, err := ask(t, s, entry.Name(), "accept-encoding", "br, gzip;q=0.8")
		if err != nil {
			t.Fatal(err)
		}
		r, err := gzip.NewReader(bytes.NewReader(body(t, zipped)))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) || zipped.Headers["Content-Encoding"] != "gzip" {
			t.Errorf("%s: %d bytes, %v with %v", entry.Name(), len(got), err, zipped.Headers)
		}
		if plain.Headers["Etag"] == zipped.Headers["Etag"] {
			t.Errorf("%s: two forms have one entity tag", entry.Name())
		}
	}
}

func TestTheSettingsNameTheClientAndItsPages(t *testing.T) {
	answer, err := ask(t, whole(t), settingsFile)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal(body(t, answer), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"client_id": "the-client", "sign_in": signIn}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNoNameIsThePage(t *testing.T) {
	s := whole(t)
	page, err := ask(t, s, "")
	if err != nil {
		t.Fatal(err)
	}
	named, err := ask(t, s, "index.html")
	if diff := cmp.Diff(named, page); err != nil || diff != "" {
		t.Errorf("%v (-named +page):\n%s", err, diff)
	}
}

func TestWhatIsNoFileIsNotFound(t *testing.T) {
	s := whole(t)
	for _, name := range []string{"none.js", ".", "/", "..", "../main.go", "static/main.js", "main.js/", "MAIN.JS", "static"} {
		_, err := ask(t, s, name)
		var refused *problem.Problem
		if !errors.As(err, &refused) || refused.Status != http.StatusNotFound || refused.Header["Content-Security-Policy"] == "" {
			t.Errorf("%s: %+v", name, err)
		}
	}
}

func TestABrowserThatHasTheFileIsToldSo(t *testing.T) {
	s := whole(t)
	for _, encoding := range []string{"", "gzip"} {
		first, err := ask(t, s, "main.js", "accept-encoding", encoding)
		if err != nil {
			t.Fatal(err)
		}
		tag := first.Headers["Etag"]
		for condition, want := range map[string]int{
			tag: 304, "W/" + tag: 304, `"other", ` + tag: 304, "*": 304, `"other"`: 200, "": 200, strings.Trim(tag, `"`): 200,
		} {
			again, err := ask(t, s, "main.js", "accept-encoding", encoding, "if-none-match", condition)
			if err != nil || again.StatusCode != want || again.Headers["Etag"] != tag {
				t.Errorf("%s: %d, %v with %v", condition, again.StatusCode, err, again.Headers)
			}
			if want == 304 && (again.Body != "" || again.Headers["Content-Type"] != "" || again.Headers["Content-Security-Policy"] == "") {
				t.Errorf("%s: the answer without a body has %v", condition, again)
			}
		}
	}
}

func TestGzipIsForThoseWhoTakeIt(t *testing.T) {
	for accepted, want := range map[string]bool{
		"gzip": true, "deflate, gzip": true, "GZIP": true, "gzip;q=0.001": true, "gzip; q=1": true,
		"": false, "br": false, "gzip;q=0": false, "gzip;q=0.000": false, "x-gzip-not": false, "identity": false,
	} {
		if got := takesGzip(accepted); got != want {
			t.Errorf("%q: %v", accepted, got)
		}
	}
}

func TestAPageRunsNothingButTheConsolesOwnScripts(t *testing.T) {
	answer, err := ask(t, whole(t), "")
	if err != nil {
		t.Fatal(err)
	}
	policy := answer.Headers["Content-Security-Policy"]
	for _, directive := range []string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self' " + signIn, "form-action 'none'",
		"frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'",
	} {
		if !strings.Contains("; "+policy+"; ", "; "+directive+"; ") {
			t.Errorf("the policy has no %s: %s", directive, policy)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
		t.Errorf("the policy allows too much: %s", policy)
	}
	for name, want := range map[string]string{
		"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Vary": "Accept-Encoding",
	} {
		if got := answer.Headers[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// TestTheFilesMakeNoMarkupOfText reads the console's own files for what its policy
// forbids, and for what would leave something in the browser.
func TestTheFilesMakeNoMarkupOfText(t *testing.T) {
	forbidden := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|localStorage|indexedDB|document\.cookie|` +
		`console\.(?:log|debug|info|warn|error)|style=|<script>|\bon\w+="|javascript:|https?://(?:www\.w3\.org/2000/svg)?`)
	entries, err := static.ReadDir("static")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		text, err := static.ReadFile("static/" + entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range forbidden.FindAll(text, -1) {
			if string(found) != "http://www.w3.org/2000/svg" { // the name of SVG
				t.Errorf("%s has %s", entry.Name(), found)
			}
		}
	}
}

func TestEachFileThatAnotherNamesIsThere(t *testing.T) {
	s := whole(t)
	named := regexp.MustCompile(`(?:from |import\()'\./([^']+)'|(?:src|href)="/console/([^"]+)"|fetch\('/console/([^']+)'`)
	found := 0
	entries, err := static.ReadDir("static")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		text, err := static.ReadFile("static/" + entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range named.FindAllStringSubmatch(string(text), -1) {
			found++
			if name := match[1] + match[2] + match[3]; s.files[name].contentType == "" {
				t.Errorf("%s names %s, which is not there", entry.Name(), name)
			}
		}
	}
	if found < len(entries) {
		t.Errorf("%d names in %d files: not all are found", found, len(entries))
	}
}

func TestTheConsoleIsSmall(t *testing.T) {
	const most = 200_000
	total := 0
	for _, f := range whole(t).files {
		total += base64.StdEncoding.DecodedLen(len(f.plain.body))
	}
	if total > most {
		t.Errorf("the files have %d bytes, want at most %d", total, most)
	}
}

func TestAnAddressThatIsNotAbsoluteEndsTheStart(t *testing.T) {
	for _, address := range []string{"", "sign-in", "/sign-in", "https://", "%"} {
		if _, err := newSite(fstest.MapFS{}, settings{SignIn: address}); err == nil {
			t.Errorf("%q is taken", address)
		}
	}
	if _, err := newSite(fstest.MapFS{"a.exe": {}}, settings{SignIn: signIn}); err == nil {
		t.Error("a file of an unknown kind is served")
	}
}
