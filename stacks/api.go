package stacks

import (
	"encoding/json"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"

	"hl7lake/internal/contract"
)

// httpAPI is the HTTP API with its only stage. HTTP APIs accept up to 10 MB and do not
// support WAF. If you need one, put CloudFront in front of the custom domain.
type httpAPI struct {
	// HTTP is the API itself.
	HTTP       awsapigatewayv2.HttpApi
	base       Foundation
	stack      awscdk.Stack
	stage      awsapigatewayv2.CfnStage
	authorizer awsapigatewayv2.IHttpRouteAuthorizer // of every route but the open ones
	limits     map[string]any                       // by route key
}

// newHTTPAPI makes the API, without an authorizer, which needs clients that are told the
// API's address. It allows no other origin (CORS): the only page whose scripts call it is
// the console, which it serves itself. Engines are not browsers, so this does not concern
// them.
func newHTTPAPI(stack awscdk.Stack, id string, base Foundation) httpAPI {
	props := awsapigatewayv2.HttpApiProps{
		ApiName:     new("hl7lake-" + base.Name),
		Description: new("Posts HL7v2 messages and reads them back"),
	}
	if base.Domain != nil {
		props.DefaultDomainMapping = &awsapigatewayv2.DomainMappingOptions{DomainName: newDomain(stack, "Domain", *base.Domain)}
		props.DisableExecuteApiEndpoint = new(true) // it would bypass client certificates
	}
	made := httpAPI{
		HTTP:   awsapigatewayv2.NewHttpApi(stack, &id, &props),
		base:   base,
		stack:  stack,
		limits: map[string]any{},
	}
	made.stage = made.HTTP.DefaultStage().Node().DefaultChild().(awsapigatewayv2.CfnStage)
	// For the routes that other stacks add, which cannot have limits of their own.
	made.stage.SetDefaultRouteSettings(&awsapigatewayv2.CfnStage_RouteSettingsProperty{
		ThrottlingRateLimit: &base.ReadLimit.PerSecond, ThrottlingBurstLimit: &base.ReadLimit.Burst, DetailedMetricsEnabled: new(true),
	})
	made.logAccess()
	made.watch()
	return made
}

// newDomain makes the API's own name. If a trust store is given it uses mutual TLS:
// besides its token, a client must show a certificate signed by one of the store's
// authorities.
func newDomain(stack awscdk.Stack, id string, domain Domain) awsapigatewayv2.DomainName {
	props := awsapigatewayv2.DomainNameProps{
		DomainName:     &domain.Name,
		Certificate:    awscertificatemanager.Certificate_FromCertificateArn(stack, new(id+"Certificate"), &domain.CertificateARN),
		SecurityPolicy: awsapigatewayv2.SecurityPolicy_TLS_1_2,
	}
	if domain.TrustStoreBucket != "" {
		props.Mtls = &awsapigatewayv2.MTLSConfig{
			Bucket: awss3.Bucket_FromBucketName(stack, new(id+"TrustStore"), &domain.TrustStoreBucket),
			Key:    &domain.TrustStoreKey,
		}
	}
	return awsapigatewayv2.NewDomainName(stack, &id, &props)
}

// URL is where clients reach the API.
func (a httpAPI) URL() *string {
	if a.base.Domain != nil {
		return new("https://" + a.base.Domain.Name)
	}
	return a.HTTP.ApiEndpoint()
}

// addRoutes sends requests for the paths that have a token to the function, at most as
// many as the limit allows.
func (a httpAPI) addRoutes(fn Function, method awsapigatewayv2.HttpMethod, limit RateLimit, paths ...string) {
	a.route(fn, method, limit, a.authorizer, paths)
}

// addOpenRoutes does the same for what anybody may have without a token, for the reason.
func (a httpAPI) addOpenRoutes(fn Function, method awsapigatewayv2.HttpMethod, limit RateLimit, reason string, paths ...string) {
	for _, route := range a.route(fn, method, limit, awsapigatewayv2.NewHttpNoneAuthorizer(), paths) {
		accept(route, "AwsSolutions-APIG4", reason)
	}
}

func (a httpAPI) route(
	fn Function, method awsapigatewayv2.HttpMethod, limit RateLimit, authorizer awsapigatewayv2.IHttpRouteAuthorizer, paths []string,
) (made []awsapigatewayv2.HttpRoute) {
	integration := awsapigatewayv2integrations.NewHttpLambdaIntegration(fn.scope.Node().Id(), fn.Lambda, nil)
	for _, path := range paths {
		for _, route := range *a.HTTP.AddRoutes(&awsapigatewayv2.AddRoutesOptions{
			Path:        new(path),
			Methods:     &[]awsapigatewayv2.HttpMethod{method},
			Integration: integration,
			Authorizer:  authorizer,
		}) {
			a.stage.Node().AddDependency(route) // a limit for a route that does not exist yet is refused
			made = append(made, route)
		}
		// With CloudFormation's property names: for CloudFormation, the settings of
		// routes are a text that it does not interpret.
		a.limits[string(method)+" "+path] = map[string]any{
			"ThrottlingRateLimit": limit.PerSecond, "ThrottlingBurstLimit": limit.Burst, "DetailedMetricsEnabled": true,
		}
	}
	a.stage.SetRouteSettings(a.limits)
	return made
}

// addRouteOf sends requests for a path to a function of another stack, which depends on
// FrontDoor then. FrontDoor does not change: it tells the API's id in any case. The route
// demands a token, as all do. It has the limit of those that read.
func (d FrontDoor) addRouteOf(stack awscdk.Stack, fn Function, method awsapigatewayv2.HttpMethod, path string) {
	output := func(name string) *string {
		return awscdk.Fn_GetStackOutput(d.StackName(), &name, stack.Region(), nil)
	}
	id := *fn.scope.Node().Id()
	api := awsapigatewayv2.HttpApi_FromHttpApiAttributes(stack, new("Api"), &awsapigatewayv2.HttpApiAttributes{
		HttpApiId: output(contract.OutputHTTPAPI),
	})
	users := awsapigatewayv2.HttpAuthorizer_FromHttpAuthorizerAttributes(stack, new("Users"), &awsapigatewayv2.HttpAuthorizerAttributes{
		AuthorizerId: output(contract.OutputAuthorizer), AuthorizerType: new("JWT"),
	})
	awsapigatewayv2.NewHttpRoute(stack, new(id+"Route"), &awsapigatewayv2.HttpRouteProps{
		HttpApi:     api,
		RouteKey:    awsapigatewayv2.HttpRouteKey_With(&path, method),
		Integration: awsapigatewayv2integrations.NewHttpLambdaIntegration(&id, fn.Lambda, nil),
		Authorizer:  users,
	})
	stack.AddStackDependency(d.Stack, nil)
}

// logAccess logs each request: who asked for which route, and the outcome. It logs no
// path, which contains an id, no header and no body. The functions' audit records say
// which message a request was about. The time is the log event's, and durations are in
// the metrics of each route.
func (a httpAPI) logAccess() {
	logs := newLogGroup(a.stack, "AccessLogs", a.base)
	format, err := json.Marshal(map[string]string{
		"request": "$context.requestId", "ip": "$context.identity.sourceIp", "route": "$context.routeKey", "status": "$context.status",
		"user": "$context.authorizer.claims.sub", "client": "$context.authorizer.claims.client_id",
		"refusal": "$context.authorizer.error", "error": "$context.error.responseType",
	})
	if err != nil {
		panic(err) // a map of strings
	}
	a.stage.SetAccessLogSettings(&awsapigatewayv2.CfnStage_AccessLogSettingsProperty{
		DestinationArn: new(arnOf(a.stack, "logs", "log-group:"+*logs.LogGroupName())),
		Format:         new(string(format)),
	})
	throttled := logs.AddMetricFilter(new("Throttled"), &awslogs.MetricFilterOptions{
		FilterPattern:   awslogs.FilterPattern_StringValue(new("$.status"), new("="), new("429")),
		MetricNamespace: new(contract.MetricNamespace + "/" + a.base.Name), // a filter cannot add the environment as a dimension
		MetricName:      new("Throttled"),
		DefaultValue:    new(0.0),
	})
	a.base.alarm(a.stack, "ApiThrottled", alarmProps{
		Runbook: "throttles",
		Subject: "api",
		Means:   "The API refused requests because a route had too many at once, or an institution posted more than its share.",
		Metric:  throttled.Metric(summed()),
		AtLeast: 1,
	})
}

// watch makes the API's alarms.
func (a httpAPI) watch() {
	a.base.alarm(a.stack, "ApiErrors", alarmProps{
		Runbook: "api-errors",
		Means:   "More than 1 % of the requests were answered with 5xx, for ten minutes.",
		Metric: sum("100 * errors / requests", map[string]awscloudwatch.IMetric{
			"errors":   a.HTTP.MetricServerError(summed()),
			"requests": a.HTTP.MetricCount(summed()),
		}),
		AtLeast: 1,
		Periods: 2,
	})
	a.base.alarm(a.stack, "ApiLatency", alarmProps{
		Runbook: "api-latency",
		Means:   "One of a hundred requests took 5 seconds or more, for a quarter of an hour.",
		Metric:  a.HTTP.MetricLatency(statistic("p99", 5)),
		AtLeast: 5000,
		Periods: 3,
	})
}
