package local

import (
	"context"
	"crypto/hmac"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"hl7lake/local/wire"
)

// amzDate is how a signature's time is written.
const amzDate = "20060102T150405Z"

// isPresigned reports whether a request is signed in its query.
func isPresigned(r *http.Request) bool { return r.URL.Query().Has("X-Amz-Signature") }

// checkPresigned refuses an address that has expired, or whose signature does not match
// the credentials (Amazon S3 API Reference, Authenticating requests: Using query
// parameters). A person with a valid address needs nothing else, so it is verified in
// full.
func checkPresigned(r *http.Request, credentials aws.Credentials, now time.Time) error {
	query := r.URL.Query()
	forbidden := func(code, message string) error {
		return &wire.Error{Status: http.StatusForbidden, Code: code, Message: message}
	}
	signed, err := time.Parse(amzDate, query.Get("X-Amz-Date"))
	if err != nil {
		return wire.Errorf("AuthorizationQueryParametersError", "X-Amz-Date must be in the ISO8601 Long Format")
	}
	seconds, err := strconv.Atoi(query.Get("X-Amz-Expires"))
	if err != nil || seconds < 1 || seconds > 7*24*3600 {
		return wire.Errorf("AuthorizationQueryParametersError", "X-Amz-Expires must be between 1 and 604800 seconds")
	}
	if now.After(signed.Add(time.Duration(seconds) * time.Second)) {
		return forbidden("AccessDenied", "Request has expired")
	}
	want, err := presignature(r, query, credentials, signed)
	if err != nil || !hmac.Equal([]byte(want), []byte(query.Get("X-Amz-Signature"))) {
		return forbidden("SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
	}
	return nil
}

// presignature signs the request as the maker of the address did.
func presignature(r *http.Request, query url.Values, credentials aws.Credentials, at time.Time) (string, error) {
	unsigned := url.Values{}
	for name, values := range query {
		switch name {
		case "X-Amz-Signature", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Security-Token":
		default:
			unsigned[name] = values
		}
	}
	address := *r.URL
	address.Scheme, address.Host, address.RawQuery = "http", r.Host, unsigned.Encode()
	again, err := http.NewRequestWithContext(context.WithoutCancel(r.Context()), r.Method, address.String(), nil)
	if err != nil {
		return "", err
	}
	for name := range strings.SplitSeq(query.Get("X-Amz-SignedHeaders"), ";") {
		if name != "host" {
			again.Header[http.CanonicalHeaderKey(name)] = r.Header.Values(name)
		}
	}
	scope := strings.Split(query.Get("X-Amz-Credential"), "/") // key, date, region, service, aws4_request
	result, _, err := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).
		PresignHTTP(r.Context(), credentials, again, "UNSIGNED-PAYLOAD", scope[3], scope[2], at)
	if err != nil {
		return "", err
	}
	parsed, err := url.Parse(result)
	if err != nil {
		return "", err
	}
	return parsed.Query().Get("X-Amz-Signature"), nil
}
