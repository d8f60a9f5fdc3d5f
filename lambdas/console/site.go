package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"hl7lake/lambdas/internal/problem"
)

// The names of two files: the page, which a request that names none is for, and the
// settings, which are made here.
const (
	pageFile     = "index.html"
	settingsFile = "config.json"
)

// settings is what the page's scripts must know of this deployment: the client of the
// user pool, and where the pool's pages are, without a slash at the end.
type settings struct {
	ClientID string `json:"client_id"`
	SignIn   string `json:"sign_in"`
}

// site is the console's files, by their names, as they are answered.
type site struct {
	files   map[string]file
	headers map[string]string // of every answer
}

// file is a file in both of its forms.
type file struct {
	contentType   string
	plain, zipped form
}

// form is the bytes of a file, in base64 as Lambda wants what is not text, and their
// entity tag.
type form struct {
	body string
	tag  string
}

func newForm(content []byte) form {
	sum := sha256.Sum256(content)
	return form{body: base64.StdEncoding.EncodeToString(content), tag: `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
}

// newSite reads the files in the root of a folder and compresses them, once for all
// requests.
func newSite(folder fs.FS, s settings) (*site, error) {
	signIn, err := url.Parse(s.SignIn)
	if err != nil || signIn.Host == "" {
		return nil, fmt.Errorf("the address of the sign-in pages is not absolute")
	}
	made := &site{files: map[string]file{}, headers: headers(signIn.Scheme + "://" + signIn.Host)}
	entries, err := fs.ReadDir(folder, ".")
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		content, err := fs.ReadFile(folder, entry.Name())
		if err != nil {
			return nil, err
		}
		if err := made.add(entry.Name(), content); err != nil {
			return nil, err
		}
	}
	configuration, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return made, made.add(settingsFile, configuration)
}

func (s *site) add(name string, content []byte) error {
	contentType, known := map[string]string{
		".css": "text/css; charset=utf-8", ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
		".json": "application/json", ".svg": "image/svg+xml",
	}[path.Ext(name)]
	if !known {
		return fmt.Errorf("%s: files of this kind are not served", name)
	}
	var zipped bytes.Buffer
	w, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(content); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	s.files[name] = file{contentType: contentType, plain: newForm(content), zipped: newForm(zipped.Bytes())}
	return nil
}

// headers returns what every answer has. The page may load scripts, styles and images
// from its own origin only, run none that stands in the page itself, call its own API and
// the origin of the sign-in pages, and be in no other page's frame. Text becomes neither
// markup nor script (Trusted Types).
func headers(signIn string) map[string]string {
	return map[string]string{
		"Cache-Control": "no-cache", // a browser asks each time whether its copy is still good
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' " + signIn +
			"; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy":           "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
		"Referrer-Policy":              "no-referrer",
		"Strict-Transport-Security":    "max-age=63072000",
		"Vary":                         "Accept-Encoding",
		"X-Content-Type-Options":       "nosniff",
	}
}

// get answers a request for a file. The query is not looked at: after signing in, it has
// a code, which is for the page's scripts alone.
func (s *site) get(_ context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	name := request.PathParameters["file"]
	if name == "" {
		name = pageFile
	}
	found, there := s.files[name]
	if !there {
		return events.APIGatewayV2HTTPResponse{}, &problem.Problem{
			Status: http.StatusNotFound, Code: "not-found", Detail: "The console has no such file.", Header: s.headers,
		}
	}
	chosen, answer := found.plain, events.APIGatewayV2HTTPResponse{StatusCode: http.StatusOK, Headers: maps.Clone(s.headers)}
	if takesGzip(request.Headers["accept-encoding"]) {
		chosen = found.zipped
		answer.Headers["Content-Encoding"] = "gzip"
	}
	answer.Headers["Etag"] = chosen.tag
	if matches(request.Headers["if-none-match"], chosen.tag) {
		delete(answer.Headers, "Content-Encoding")
		answer.StatusCode = http.StatusNotModified
		return answer, nil
	}
	answer.Headers["Content-Type"] = found.contentType
	answer.Body, answer.IsBase64Encoded = chosen.body, true
	return answer, nil
}

// takesGzip reports whether an Accept-Encoding names gzip, and not as unacceptable (RFC
// 9110, 12.5.3).
func takesGzip(accepted string) bool {
	for each := range strings.SplitSeq(accepted, ",") {
		coding, parameters, err := mime.ParseMediaType(each)
		if err == nil && coding == "gzip" {
			return strings.Trim(parameters["q"], "0.") != "" || parameters["q"] == ""
		}
	}
	return false
}

// matches reports whether an If-None-Match has the tag (RFC 9110, 13.1.2).
func matches(condition, tag string) bool {
	for each := range strings.SplitSeq(condition, ",") {
		if each = strings.TrimSpace(each); each == "*" || strings.TrimPrefix(each, "W/") == tag {
			return true
		}
	}
	return false
}
