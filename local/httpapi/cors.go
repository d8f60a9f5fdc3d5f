package httpapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Cors has the properties of an API's CorsConfiguration that are run here. API Gateway
// answers preflights itself and adds the headers to all other answers (Amazon API Gateway
// Developer Guide, Configure CORS for HTTP APIs).
type Cors struct {
	AllowOrigins, AllowMethods, AllowHeaders, ExposeHeaders []string

	MaxAge int // seconds
}

// answer adds the headers for the origin of a request, if that is allowed, and reports
// whether the answer is complete: the request was a preflight. An API without a
// configuration does not answer preflights.
func (c *Cors) answer(w http.ResponseWriter, r *http.Request) (done bool) {
	origin := r.Header.Get("Origin")
	if c == nil || origin == "" {
		return false
	}
	preflight := r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
	if slices.Contains(c.AllowOrigins, origin) || slices.Contains(c.AllowOrigins, "*") {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", origin)
		h.Add("Vary", "Origin")
		list(h, "Access-Control-Expose-Headers", c.ExposeHeaders)
		if preflight {
			list(h, "Access-Control-Allow-Methods", c.AllowMethods)
			list(h, "Access-Control-Allow-Headers", c.AllowHeaders)
			if c.MaxAge != 0 {
				h.Set("Access-Control-Max-Age", strconv.Itoa(c.MaxAge))
			}
		}
	}
	if preflight {
		w.WriteHeader(http.StatusNoContent)
	}
	return preflight
}

func list(h http.Header, name string, values []string) {
	if len(values) > 0 {
		h.Set(name, strings.Join(values, ","))
	}
}
