// Package httpapi runs the HTTP APIs of the templates (API Gateway v2). It finds the
// route of a request, checks its token, turns the request into the event that API Gateway
// would make, invokes the route's function and turns the answer into a response. What API
// Gateway answers itself, such as refusals and limits, is answered here with the same
// status and body.
package httpapi

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"hl7lake/local/wire"
)

// Api has the properties of AWS::ApiGatewayV2::Api that are run here.
type Api struct {
	Name         string
	ProtocolType string // HTTP
}

// UnmarshalJSON refuses the properties that are neither run nor ignored by name.
func (a *Api) UnmarshalJSON(text []byte) error {
	type properties Api
	return wire.Properties(text, (*properties)(a), a.Ignored())
}

// Ignored are the properties that are not run here, and why not.
func (*Api) Ignored() wire.Ignored {
	return wire.Ignored{
		"Description": "it is for people who read the template",
	}
}

// Route has the properties of AWS::ApiGatewayV2::Route that are run here.
type Route struct {
	ApiId               string
	RouteKey            string // METHOD /path/{variable}, or $default
	AuthorizationType   string // JWT, or NONE where it is empty
	AuthorizerId        string
	AuthorizationScopes []string
	Target              string // integrations/<id>
}

// UnmarshalJSON refuses the properties that are neither run nor ignored by name.
func (r *Route) UnmarshalJSON(text []byte) error {
	type properties Route
	return wire.Properties(text, (*properties)(r))
}

// Integration has the properties of AWS::ApiGatewayV2::Integration that are run
// here.
type Integration struct {
	ApiId                string
	IntegrationType      string // AWS_PROXY
	IntegrationMethod    string // POST where it is given
	IntegrationUri       string // the function's ARN
	PayloadFormatVersion string // 2.0
	TimeoutInMillis      int    // 30,000 where 0
}

// UnmarshalJSON refuses the properties that are neither run nor ignored by name.
func (i *Integration) UnmarshalJSON(text []byte) error {
	type properties Integration
	return wire.Properties(text, (*properties)(i))
}

// Authorizer has the properties of AWS::ApiGatewayV2::Authorizer that are run
// here.
type Authorizer struct {
	ApiId            string
	Name             string
	AuthorizerType   string   // JWT
	IdentitySource   []string // $request.header.Authorization
	JwtConfiguration struct {
		Audience []string
		Issuer   string
	}
}

// UnmarshalJSON refuses the properties that are neither run nor ignored by name.
func (a *Authorizer) UnmarshalJSON(text []byte) error {
	type properties Authorizer
	return wire.Properties(text, (*properties)(a))
}

// Stage has the properties of AWS::ApiGatewayV2::Stage that are run here.
type Stage struct {
	ApiId     string
	StageName string // $default
}

// UnmarshalJSON refuses the properties that are neither run nor ignored by name.
func (s *Stage) UnmarshalJSON(text []byte) error {
	type properties Stage
	return wire.Properties(text, (*properties)(s), s.Ignored())
}

// Ignored are the properties that are not run here, and why not.
func (*Stage) Ignored() wire.Ignored {
	return wire.Ignored{
		"AutoDeploy":        "the API is always as the template says",
		"AccessLogSettings": "requests are counted for the bill, but not logged here",
		"RouteSettings":     "requests are not throttled here",

		"DefaultRouteSettings": "requests are not throttled here",
	}
}

// Keys returns the public keys of a token's issuer, and whether the issuer is known.
type Keys func(issuer string) (*jose.JSONWebKeySet, bool)

// Service runs an HTTP API. There is at most one for a port. Without any, it answers that
// there is nothing.
type Service struct {
	invoker   Invoker
	keys      Keys
	requested Requested
	timeScale float64

	mu  sync.RWMutex
	api *api // nil: there is none
}

// Requested is called for each request, before it is answered.
type Requested func(r *http.Request)

// Option changes how a Service works.
type Option func(*Service)

// WithRequested makes the service report requests.
func WithRequested(requested Requested) Option { return func(s *Service) { s.requested = requested } }

// WithTimeScale multiplies the time-outs of integrations.
func WithTimeScale(scale float64) Option { return func(s *Service) { s.timeScale = scale } }

// api is one API with everything that belongs to it.
type api struct {
	id           string
	staged       bool              // it has its $default stage
	routes       map[string]*route // by route key
	integrations map[string]Integration
	authorizers  map[string]Authorizer
}

// New returns a service without an API.
func New(invoker Invoker, keys Keys, options ...Option) *Service {
	s := &Service{invoker: invoker, keys: keys, requested: func(*http.Request) {}, timeScale: 1}
	for _, option := range options {
		option(s)
	}
	return s
}

// AddApi makes the API known by its id, without routes. A second one is refused.
func (s *Service) AddApi(id string, a Api) error {
	if a.ProtocolType != "HTTP" {
		return wire.UnsupportedProperty("ProtocolType", a.ProtocolType)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.api != nil {
		return wire.Unsupported("a second HTTP API")
	}
	s.api = &api{id: id, routes: map[string]*route{}, integrations: map[string]Integration{}, authorizers: map[string]Authorizer{}}
	return nil
}

// AddStage makes the API answer. Its other parts may be added before or after.
func (s *Service) AddStage(stage Stage) error {
	if stage.StageName != "$default" {
		return wire.UnsupportedProperty("StageName", stage.StageName)
	}
	return s.with(stage.ApiId, func(a *api) { a.staged = true })
}

// AddIntegration makes an integration known by its id.
func (s *Service) AddIntegration(id string, i Integration) error {
	switch {
	case i.IntegrationType != "AWS_PROXY":
		return wire.UnsupportedProperty("IntegrationType", i.IntegrationType)
	case i.PayloadFormatVersion != "2.0":
		return wire.UnsupportedProperty("PayloadFormatVersion", i.PayloadFormatVersion)
	case i.IntegrationMethod != "" && i.IntegrationMethod != http.MethodPost:
		return wire.UnsupportedProperty("IntegrationMethod", i.IntegrationMethod)
	case i.TimeoutInMillis < 0 || i.TimeoutInMillis > int(maxIntegration/time.Millisecond):
		return wire.UnsupportedProperty("TimeoutInMillis", i.TimeoutInMillis)
	case !strings.Contains(i.IntegrationUri, ":function:"):
		return wire.UnsupportedProperty("IntegrationUri", i.IntegrationUri)
	}
	return s.with(i.ApiId, func(a *api) { a.integrations[id] = i })
}

// AddAuthorizer makes an authorizer known by its id.
func (s *Service) AddAuthorizer(id string, z Authorizer) error {
	if z.AuthorizerType != "JWT" {
		return wire.UnsupportedProperty("AuthorizerType", z.AuthorizerType)
	}
	if !slices.Equal(z.IdentitySource, []string{"$request.header.Authorization"}) {
		return wire.UnsupportedProperty("IdentitySource", z.IdentitySource)
	}
	return s.with(z.ApiId, func(a *api) { a.authorizers[id] = z })
}

// AddRoute makes a route known. Its integration and authorizer may be added
// before or after it.
func (s *Service) AddRoute(r Route) error {
	if !slices.Contains([]string{"", "NONE", "JWT"}, r.AuthorizationType) {
		return wire.UnsupportedProperty("AuthorizationType", r.AuthorizationType)
	}
	parsed, err := parseRoute(r)
	if err != nil {
		return err
	}
	return s.with(r.ApiId, func(a *api) { a.routes[r.RouteKey] = parsed })
}

func (s *Service) with(id string, change func(*api)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.api == nil || s.api.id != id {
		return &wire.Error{Status: http.StatusNotFound, Code: "NotFoundException", Message: "Invalid API identifier specified " + wire.Account + ":" + id}
	}
	change(s.api)
	return nil
}

// Unsigned returns the API for a request that nobody signed for another service. The
// routes are the paths.
func (s *Service) Unsigned(*http.Request) http.Handler { return http.HandlerFunc(s.serve) }
