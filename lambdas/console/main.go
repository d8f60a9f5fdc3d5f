// Command console is the Lambda function behind GET /console: it serves the files of the
// console, a page for people. The page's scripts sign a person in with the user pool's
// pages and ask the API's other routes for what they show. This function knows no user
// and no message.
package main

import (
	"embed"
	"io/fs"

	"github.com/aws/aws-lambda-go/lambda"

	"hl7lake/internal/contract"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/problem"
)

//go:embed static
var static embed.FS

func main() {
	logger, env, _ := function.Start()
	files, err := fs.Sub(static, "static")
	if err != nil {
		function.Exit(logger, err)
	}
	served, err := newSite(files, settings{ClientID: env.Text(contract.EnvConsoleClient), SignIn: env.Text(contract.EnvSignIn)})
	if err != nil {
		function.Exit(logger, err)
	}
	lambda.Start(problem.Answer(logger, served.get))
}
