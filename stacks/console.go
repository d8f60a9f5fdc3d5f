package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"

	"hl7lake/internal/contract"
)

// consolePath is where the API serves the console. It has no slash at the end: the path
// of a route must not have one, and whether API Gateway takes {file+} for nothing is not
// documented.
const consolePath = "/console"

// addConsole defines the function that serves the console, a page for people. Anybody
// may load it without a token: it is the same for all and holds no data. What it shows it
// asks of the API's other routes, with the token of the person who signs in.
func (d FrontDoor) addConsole(base Foundation, client awscognito.UserPoolClient, domain awscognito.UserPoolDomain) {
	console := newFunction(d.Stack, "Console", base, FunctionProps{
		Package:     "lambdas/console",
		Description: "Serves the console's files",
		Memory:      256,
		Timeout:     10,
		Concurrency: 20,
		Environment: map[string]*string{
			contract.EnvConsoleClient: client.UserPoolClientId(),
			contract.EnvSignIn:        domain.BaseUrl(nil),
		},
	})
	d.http.addOpenRoutes(console, awsapigatewayv2.HttpMethod_GET, base.ReadLimit,
		"The console's files are the same for all and hold no data: a browser has no token before the page that signs its user in.",
		consolePath, consolePath+"/{file+}")
}
