package fault_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hl7lake/client"
)

// hostileRequest is bytes for a connection, and how they are sent.
type hostileRequest struct {
	name string
	text []byte
	// slow sends the text in parts with pauses. cut closes the connection after it, so
	// that there need be no answer.
	slow, cut bool
	// status is the expected status; zero means any except 5xx.
	status int
	// followed is a message that must be staged or an error in the end.
	followed bool
}

// attacker makes hostile requests.
type attacker struct {
	*rand.Rand
	host, token, id string // of the lake, of a permitted user, of a message
}

// one selects one of the values.
func one[T any](a *attacker, values ...T) T { return values[a.IntN(len(values))] }

// noise returns n random bytes.
func (a *attacker) noise(n int) []byte {
	text := make([]byte, n)
	for i := range text {
		text[i] = byte(a.Uint32())
	}
	return text
}

// garbled returns text with a few bytes changed, removed or doubled.
func (a *attacker) garbled(text string) string {
	bytes := []byte(text)
	for range 1 + a.IntN(4) {
		if len(bytes) == 0 {
			break
		}
		at := a.IntN(len(bytes))
		switch a.IntN(3) {
		case 0:
			bytes[at] = byte(a.Uint32())
		case 1:
			bytes = slices.Delete(bytes, at, min(at+1+a.IntN(8), len(bytes)))
		default:
			bytes = slices.Insert(bytes, at, bytes[at:min(at+8, len(bytes))]...)
		}
	}
	return string(bytes)
}

// headerSafe returns text without the bytes that end a header's line.
func headerSafe(text string) string {
	return strings.NewReplacer("\r", "", "\n", "", "\x00", "").Replace(text)
}

// http writes a request as it is given, right or wrong.
func (a *attacker) http(method, target string, headers []string, body []byte) []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", method, target, a.host)
	for _, header := range headers {
		text.WriteString(header + "\r\n")
	}
	if body != nil {
		fmt.Fprintf(&text, "Content-Length: %d\r\n", len(body))
	}
	text.WriteString("\r\n")
	text.Write(body)
	return text.Bytes()
}

func (a *attacker) authorization() string { return "Authorization: Bearer " + a.token }

const admission = "MSH|^~\\&|APP|HERE|LAKE|THERE|20260102030405||ADT^A01|1|T|2.5.1\rPID|1||1^^^HERE^MR||Sample^Sue\r"

// next makes the next request.
func (a *attacker) next() hostileRequest {
	kinds := []func() hostileRequest{
		a.badJSON, a.badBase64, a.badContentType, a.badBody, a.badToken, a.badMethod, a.badPath, a.badID,
		a.manyHeaders, a.badHeader, a.badLength, a.cutOff, a.slowBody, a.badProtocol, a.notHTTP, a.pretender,
		a.worstCase, a.amplified, a.ambiguousJSON,
	}
	return kinds[a.IntN(len(kinds))]()
}

func (a *attacker) post(name, contentType string, body []byte) hostileRequest {
	return hostileRequest{name: name, text: a.http("POST", "/er7", []string{a.authorization(), "Content-Type: " + headerSafe(contentType)}, body)}
}

func (a *attacker) badJSON() hostileRequest {
	whole := `{"msg":"` + base64.StdEncoding.EncodeToString([]byte(admission)) + `","encoding":"utf-8"}`
	body := one(a,
		a.garbled(whole), whole[:a.IntN(len(whole))], strings.Repeat("[", 1+a.IntN(100_000)), strings.Repeat(`{"msg":`, 10_000),
		`{"msg":null}`, `{"msg":{"$ref":"#"}}`, `{"msg":1e999}`, `{"msg":"","msg":"QQ=="}`, `{"MSG":"QQ=="}`, `null`, `"`, `0`,
		`{"msg":"QQ==","encoding":"`+strings.Repeat("x", 100_000)+`"}`, `{"msg":"QQ==","encoding":["utf-8"]}`, "\xef\xbb\xbf"+whole, whole+whole,
		`{"msg":"QQ==","encoding":"\u0000"}`, `{"msg":"QQ==","encoding":"utf-8\r\nX: y"}`, `{"__proto__":{},"msg":"QQ=="}`,
	)
	return a.post("bad JSON", "application/json", []byte(body))
}

func (a *attacker) badBase64() hostileRequest {
	text := one(a, "!!!!", "QQ", "Q===", "QQ==QQ==", "QQ =\\n=", strings.Repeat("=", 1000), "\\ud800", "_-_-", a.garbled("TVNIfF5+XFwm"))
	return a.post("bad base64", "application/json", []byte(`{"msg":"`+text+`"}`))
}

func (a *attacker) badContentType() hostileRequest {
	contentType := one(a,
		"", ";", "/", "application/", "text/plain; charset", "text/plain; charset=\"", "text/plain; charset=utf-8; charset=latin1",
		"application/hl7-v2; charset="+strings.Repeat("a", 5000), "application/hl7-v2; charset=../../etc", "application/json; charset=\xff\xfe",
		"multipart/form-data; boundary=x", "application/x-www-form-urlencoded", string(a.noise(30)), "application/hl7-v2; charset*=utf-8''%00",
		"APPLICATION/JSON", "application/hl7-v2, application/json", strings.Repeat("a/b;", 2000),
	)
	return a.post("odd content type", contentType, []byte(admission+fmt.Sprint(a.Uint64())))
}

func (a *attacker) badBody() hostileRequest {
	return a.post("odd body", one(a, "application/hl7-v2", "text/plain", "text/plain; charset=utf-16", "application/hl7-v2; charset=shift_jis"), one(a,
		nil, []byte{}, []byte("\x00"), []byte("\r"), []byte("\xff\xfe"), a.noise(a.IntN(2000)), []byte("MSH"), []byte("MSH|"), []byte("MSH\r\r\r|"),
		[]byte(a.garbled(admission)), []byte("\x0b"+a.garbled(admission)+"\x1c\r"), bytes.Repeat([]byte("|"), 1+a.IntN(50_000)),
		bytes.Repeat([]byte("MSH|^~\\&|\r"), 1+a.IntN(2_000)), []byte("MSH|||||||||||||"), []byte("MSHÿÿÿÿ"), bytes.Repeat([]byte("&^~\\"), 10_000),
	))
}

// worstCase returns a body of one thing repeated, which would take minutes in a function
// that starts again for each part. It is accepted, and must end like any other.
func (a *attacker) worstCase() hostileRequest {
	head := fmt.Sprintf("MSH|^~\\&|A|B|C|D|2026||ADT^A01|%d|T|2.5.1", a.Uint64())
	n := one(a, 1_000, 16_000, 65_000, 200_000)
	r := a.post("a worst case", "application/hl7-v2", []byte(one(a,
		head+"||||||"+strings.Repeat("~", n)+"\rPID|1||\xfc\r", head+"||||||8859/1"+strings.Repeat("~8859/1", n/8)+"\rPID|1||\x1b$B\xfc\r",
		head+"\rPID|1||"+strings.Repeat("x~", n/2), head+"\rPID|1||"+strings.Repeat("^", n), head+"\rOBX|1|ST|||"+strings.Repeat("a&", n/2),
		head+"\rNTE|1||"+strings.Repeat("\\X", n/2), head+"\rNTE|1||"+strings.Repeat("\\X41\\", n/5), head+"\r"+strings.Repeat("OBX|1\r", n/6),
		head+strings.Repeat("|", n), head+"\r"+strings.Repeat("\n", n), strings.Repeat(" ", n)+head, head+"\rPID|1||"+strings.Repeat("\n|", n/2)+"\r",
	)))
	r.followed = true
	return r
}

// amplified returns a body whose JSON would be many times its size.
func (a *attacker) amplified() hostileRequest {
	head := fmt.Sprintf("MSH|^~\\&|A|B|C|D|2026||ADT^A01|%d|T|2.5.1\r", a.Uint64())
	n := one(a, 1_000, 50_000, 500_000)
	r := a.post("an amplified body", "application/hl7-v2", []byte(head+one(a,
		"NTE|1||"+strings.Repeat(`\.sp255\`, n/8), "NTE|1||"+strings.Repeat(`\.sk200\`, n/8), strings.Repeat("A\r", n/2),
		"PID|"+strings.Repeat("~", n)+"x", "PID|1||"+strings.Repeat("\x01", n), "PID|1||"+strings.Repeat("~a", n/2),
	)))
	r.followed = true
	return r
}

// ambiguousJSON can be read in two ways, and gets a 400.
func (a *attacker) ambiguousJSON() hostileRequest {
	msg := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s%d", admission, a.Uint64()))
	body := one(a,
		`{"msg":"`+msg+`","MSG":"QQ=="}`, `{"MSG":"`+msg+`"}`, `{"msg":"`+msg+`","msg":"QQ=="}`, `{"msg":"`+msg+`","m\u0073g":"QQ=="}`,
		`{"m\u017fg":"`+msg+`"}`, `{"msg":"`+msg+`","encoding":"utf-8","Encoding":"latin1"}`, `{"msg":"`+msg+`","encoding":"utf-8","encoding":"utf-8"}`,
	)
	r := a.post("ambiguous JSON", "application/json", []byte(body))
	r.status = http.StatusBadRequest
	return r
}

func (a *attacker) badToken() hostileRequest {
	parts := strings.Split(a.token, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	token := one(a,
		a.garbled(a.token), parts[0]+"."+parts[1]+".", none+"."+parts[1]+".", parts[1]+"."+parts[0]+"."+parts[2], "..", ".", "a.b.c",
		strings.Repeat("a", 8000), a.token+a.token, a.token[:a.IntN(len(a.token))], "null", base64.StdEncoding.EncodeToString(a.noise(200)),
		parts[0]+"."+base64.RawURLEncoding.EncodeToString([]byte(`{"custom:write":"everybody","exp":99999999999}`))+"."+parts[2],
	)
	scheme := one(a, "Bearer ", "bearer ", "", "Basic ", "Bearer  ", "Bearer\t")
	headers := []string{"Authorization: " + headerSafe(scheme+token), "Content-Type: application/hl7-v2"}
	if a.IntN(8) == 0 {
		headers = append(headers, headers[0])
	}
	return hostileRequest{name: "mangled token", text: a.http("POST", "/er7", headers, []byte(admission))}
}

func (a *attacker) badMethod() hostileRequest {
	method := one(a, "GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD", "PROPFIND", "post", "P", strings.Repeat("M", 2000), "GET\x00", "CONNECT")
	target := one(a, "/er7", "/messages/"+a.id, "/", "*", "/messages")
	return hostileRequest{name: "wrong method", text: a.http(method, target, []string{a.authorization()}, one(a, nil, []byte(admission)))}
}

func (a *attacker) badPath() hostileRequest {
	path := one(a,
		"/../../etc/passwd", "/er7/../er7", "//er7", "/er7/", "/ER7", "/er7?x=%zz", "/er7;a=b", "/%2e%2e/%2e%2e/etc/passwd", "/er7%00", "/messages/../er7",
		"/messages/"+a.id+"/../../er7", "/messages/"+a.id+"/../"+a.id, "/messages/"+a.id+"/er7/", "/messages/"+a.id+"/xml", "/messages//er7", "/.well-known/jwks.json",
		"/_lambda/x/2018-06-01/runtime/invocation/next", "/2015-03-31/functions/ingest/invocations", "http://169.254.169.254/latest/meta-data", "/"+strings.Repeat("a/", 4000),
		"/messages/"+strings.Repeat("%41", 2000), "/er7?"+strings.Repeat("a=b&", 5000), "/\xff\xfe", "/messages/"+url.PathEscape(string(a.noise(20))), "er7", "", "/ er7",
		"/bucket/key?X-Amz-Credential=a/b/c/d/e", "/?X-Amz-Credential=a/20260101/us-east-1/s3/aws4_request&X-Amz-Signature=0",
	)
	return hostileRequest{name: "odd path", text: a.http(one(a, "GET", "POST"), path, []string{a.authorization(), "Content-Type: application/hl7-v2"}, one(a, nil, []byte(admission)))}
}

func (a *attacker) badID() hostileRequest {
	id := one(a,
		a.garbled(a.id), strings.ToUpper(a.id), a.id+a.id, "00000000-0000-7000-8000-000000000000", "{"+a.id+"}", "urn:uuid:"+a.id, "1", "'%20OR%201=1", "$ne", a.id+"%00",
		a.id+"%2Fer7", a.id+"%23", "id%23"+a.id, a.id[:8], strings.Repeat("0", 36), "%F0%9F%92%A9",
	)
	return hostileRequest{name: "odd id", text: a.http("GET", "/messages/"+strings.ReplaceAll(headerSafe(id), " ", "%20")+one(a, "", "/er7", "/json"), []string{a.authorization()}, nil)}
}

func (a *attacker) manyHeaders() hostileRequest {
	headers := []string{a.authorization(), "Content-Type: application/hl7-v2"}
	for n := range one(a, 10, 100, 1000, 5000) {
		headers = append(headers, fmt.Sprintf("X-%d: %s", n, strings.Repeat("v", one(a, 0, 1, 20, 200))))
	}
	return hostileRequest{name: "many headers", text: a.http("POST", "/er7", headers, []byte(admission))}
}

func (a *attacker) badHeader() hostileRequest {
	header := one(a,
		"X: "+strings.Repeat("v", 2_000_000), "X-Amz-Target: DynamoDB_20120810.Scan", "X-Amzn-Trace-Id: Root=1-00000000-000000000000000000000000", "no colon", ": empty", "X\x00: y",
		"X: \xff\xfe\x80", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip", "Expect: 100-continue", "Expect: the unexpected", "Content-Encoding: gzip", "Upgrade: h2c",
		"Host: elsewhere", "X-Forwarded-For: 1.2.3.4", "Range: bytes=0-", "If-None-Match: *", " folded: yes", "Cookie: "+strings.Repeat("a=b; ", 2000),
	)
	return hostileRequest{name: "odd header", text: a.http(one(a, "GET", "POST"), one(a, "/er7", "/messages/"+a.id), []string{a.authorization(), "Content-Type: application/hl7-v2", header}, []byte(admission)), cut: strings.HasPrefix(header, "Transfer")}
}

func (a *attacker) badLength() hostileRequest {
	length := one(a, "-1", "0", "1", "99999999999", "9223372036854775808", "abc", "1, 2", "+5", "0x10", "")
	text := a.http("POST", "/er7", []string{a.authorization(), "Content-Type: application/hl7-v2", "Content-Length: " + length}, nil)
	return hostileRequest{name: "wrong length", text: append(text, admission...), cut: true}
}

func (a *attacker) cutOff() hostileRequest {
	text := a.http("POST", "/er7", []string{a.authorization(), "Content-Type: application/hl7-v2"}, []byte(admission))
	return hostileRequest{name: "truncated", text: text[:a.IntN(len(text))], cut: true}
}

func (a *attacker) slowBody() hostileRequest {
	r := a.post("slow body", "application/hl7-v2", fmt.Appendf(nil, "%s%d", admission, a.Uint64()))
	r.slow = true
	return r
}

func (a *attacker) badProtocol() hostileRequest {
	line := one(a, "GET /er7 HTTP/9.9", "GET /er7", "GET", "GET  /er7 HTTP/1.1", "GET /er7 HTTP/1.1 x", "GET /er7 http/1.1", "PRI * HTTP/2.0", "\x16\x03\x01\x02", "GET /er7 HTTP/1.0")
	return hostileRequest{name: "odd protocol", text: []byte(line + "\r\nHost: " + a.host + "\r\n\r\n"), cut: true}
}

func (a *attacker) notHTTP() hostileRequest {
	return hostileRequest{name: "no HTTP", text: one(a, a.noise(1+a.IntN(4000)), []byte("\x0b"+admission+"\x1c\r"), []byte("\r\n\r\n"), bytes.Repeat([]byte("\n"), 5000)), cut: true}
}

// pretender calls a service in somebody's name, or the Runtime API in a function's name.
func (a *attacker) pretender() hostileRequest {
	credential := one(a, "AKIA/20260101/us-east-1/dynamodb/aws4_request", "ASIA/20260101/us-east-1/sns/aws4_request", "x/x/x/s3/aws4_request", "x/x/x/nowhere/aws4_request", "////")
	headers := []string{"Authorization: AWS4-HMAC-SHA256 Credential=" + credential + ", SignedHeaders=host, Signature=0", "X-Amz-Target: DynamoDB_20120810.Scan"}
	return hostileRequest{name: "a pretended caller", text: a.http("POST", one(a, "/", "/lake/key", "/_lambda/"+a.id+"/2018-06-01/runtime/invocation/x/response"), headers, []byte("{}"))}
}

// hang is how long an answer may take on a busy machine.
const hang = 20 * time.Second

// send sends the request on a connection of its own. The status is 0 if the lake closed
// the connection without an answer.
func (r hostileRequest) send(ctx context.Context, host string) (status int, body string, err error) {
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", host)
	if err != nil {
		return 0, "", err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(hang)); err != nil {
		return 0, "", err
	}
	parts := [][]byte{r.text}
	if r.slow {
		parts = slices.Collect(slices.Chunk(r.text, len(r.text)/4+1))
	}
	for _, part := range parts {
		if _, err := connection.Write(part); err != nil {
			break // refused while it was sent, which the answer explains
		}
		if r.slow {
			time.Sleep(20 * time.Millisecond)
		}
	}
	if r.cut {
		_ = connection.(*net.TCPConn).CloseWrite() // the lake may have closed it already
	}
	answer, err := finalResponse(bufio.NewReader(connection), r.method())
	if err != nil {
		if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
			return 0, "", fmt.Errorf("no answer in %v", hang)
		}
		return 0, "", nil
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body) // the lake may cut off a client that goes on sending what was refused
	if answer.StatusCode == http.StatusServiceUnavailable && answer.Header.Get("Retry-After") == "" {
		err = errors.New("503 without Retry-After")
	}
	return answer.StatusCode, string(text), err
}

// finalResponse reads the answer that comes after those that only say to continue.
func finalResponse(from *bufio.Reader, method string) (*http.Response, error) {
	for {
		answer, err := http.ReadResponse(from, &http.Request{Method: method})
		if err != nil || answer.StatusCode >= 200 {
			return answer, err
		}
	}
}

func (r hostileRequest) method() string {
	method, _, _ := strings.Cut(string(r.text[:min(10, len(r.text))]), " ")
	return method
}

// posts says that the same content may be under way already, which is the only reason for
// a 503.
func (r hostileRequest) posts() bool { return bytes.HasPrefix(r.text, []byte("POST /er7 ")) }

func TestHostileRequestsAreRefusedAndNeverBreakTheLake(t *testing.T) {
	t.Parallel()
	l, _ := start(t, nil)
	s, err := l.sender(t.Context(), "cell-0001")
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	told := l.post(t.Context(), s, []byte(admission))
	host := strings.TrimPrefix(l.Endpoint, "http://")
	attacker := &attacker{rand.New(rand.NewPCG(*seed, 4)), host, token, told.ID}
	counts, byName := map[int]int{}, map[string]map[int]int{}
	var accepted []string
	var mu sync.Mutex
	var sending sync.WaitGroup
	slots := make(chan struct{}, 16)
	for n := range *hostile {
		r := attacker.next()
		slots <- struct{}{}
		sending.Go(func() {
			defer func() { <-slots }()
			status, body, err := r.send(t.Context(), host)
			for status == http.StatusTooManyRequests && r.posts() && r.status != 0 { // the answer to the request itself comes later
				time.Sleep(resendAfter)
				status, body, err = r.send(t.Context(), host)
			}
			mu.Lock()
			defer mu.Unlock()
			counts[status]++
			if byName[r.name] == nil {
				byName[r.name] = map[int]int{}
			}
			byName[r.name][status]++
			var receipt struct{ ID string }
			if r.followed && status == http.StatusCreated && json.Unmarshal([]byte(body), &receipt) == nil {
				accepted = append(accepted, receipt.ID)
			}
			if r.status != 0 && status != r.status {
				t.Errorf("request %d of seed %d, %s: %d, want %d", n, *seed, r.name, status, r.status)
			}
			refused := status == http.StatusNotImplemented || status == http.StatusHTTPVersionNotSupported // by net/http: a head that it does not read
			broken := status >= 500 && !refused && (status != http.StatusServiceUnavailable || !r.posts())
			if err != nil || broken || strings.Contains(body, "goroutine ") || strings.Contains(body, ".go:") {
				t.Errorf("request %d of seed %d, %s: %d %.200q %v\n%.300q", n, *seed, r.name, status, body, err, r.text)
			}
		})
	}
	sending.Wait()
	t.Logf("answers by status (0: the connection was closed): %v", counts)
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		t.Logf("%-20s %v", name, byName[name])
	}
	l.comeToAnEnd(t, s, accepted)
	if after := l.postInTurn(t.Context(), s, []byte(admission)); after.Status != http.StatusConflict || after.ID != told.ID {
		t.Errorf("afterwards a message sent before is answered %+v", after)
	}
}

// comeToAnEnd waits until each accepted message is JSON or an error, and checks that none
// is in a dead-letter queue.
func (l *lake) comeToAnEnd(t *testing.T, s sender, ids []string) {
	t.Helper()
	if len(ids) == 0 {
		t.Error("no worst case was accepted")
	}
	ends := map[client.Status]int{}
	for _, id := range ids {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		history, _ := s.lake.Wait(ctx, id) // an error is an end, too
		cancel()
		if ends[history.Status]++; history.Status != client.Staged && history.Status != client.Errored {
			t.Errorf("%s is still %s", id, history.Status)
		}
	}
	letters, err := l.letters(t.Context())
	if err != nil || len(letters) > 0 {
		t.Errorf("%d dead letters, %v", len(letters), err)
	}
	t.Logf("%d worst cases came to an end: %v", len(ids), ends)
}
