package s3

import (
	"net/http"
	"slices"
	"strings"
)

// CorsConfiguration says which origins' scripts a browser lets read answers of the
// bucket.
type CorsConfiguration struct{ CorsRules []CorsRule }

// CorsRule is one rule. Its other members are for preflights, which a presigned address
// does not need. They are not answered here.
type CorsRule struct{ AllowedMethods, AllowedOrigins []string }

// allow adds the headers of the first rule that fits the request, if any (Amazon S3 User
// Guide, Using cross-origin resource sharing).
func (c *CorsConfiguration) allow(w http.ResponseWriter, r *http.Request) {
	origin := r.Header.Get("Origin")
	if c == nil || origin == "" {
		return
	}
	for _, rule := range c.CorsRules {
		for _, allowed := range rule.AllowedOrigins {
			if (allowed == "*" || allowed == origin) && slices.Contains(rule.AllowedMethods, r.Method) {
				w.Header().Set("Access-Control-Allow-Origin", allowed)
				w.Header().Set("Access-Control-Allow-Methods", strings.Join(rule.AllowedMethods, ", "))
				w.Header().Add("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method")
				return
			}
		}
	}
}
