package client

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
)

// Problem is the lake's refusal of a request, read from problem details (RFC 9457) or
// from API Gateway's own {"message": …}.
type Problem struct {
	Status int    // HTTP status
	Code   string // what is wrong, for a program, such as not-staged; "" if API Gateway refused
	Detail string // what is wrong, for a person; never empty
}

func (p *Problem) Error() string {
	title := http.StatusText(p.Status)
	if title == p.Detail {
		return fmt.Sprintf("%d %s", p.Status, title)
	}
	return fmt.Sprintf("%d %s: %s", p.Status, title, p.Detail)
}

func (a answer) problem() *Problem {
	var body struct {
		Title   string `json:"title"`
		Detail  string `json:"detail"`
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	// An answer that is not JSON comes from something between us and the lake. All we
	// know is its status.
	_ = json.Unmarshal(a.body, &body)
	return &Problem{
		Status: a.status,
		Code:   body.Code,
		Detail: cmp.Or(body.Detail, body.Title, body.Message, http.StatusText(a.status), "an unknown status"),
	}
}
