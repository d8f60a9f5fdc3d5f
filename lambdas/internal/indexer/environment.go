package indexer

import (
	"log/slog"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"hl7lake/internal/contract"
	"hl7lake/internal/finder"
	"hl7lake/lambdas/internal/derive"
	"hl7lake/lambdas/internal/environment"
	"hl7lake/lambdas/internal/telemetry"
)

// FromEnvironment returns the Indexer that a function's environment variables describe.
func FromEnvironment(logger *slog.Logger, env environment.Variables, configuration aws.Config) (Indexer, error) {
	places, err := finder.ParsePlaces(env.TextIfAny(contract.EnvFinderPlaces))
	if err != nil {
		return Indexer{}, err
	}
	table := finder.Table{Name: env.Text(contract.EnvFinderTable), DB: dynamodb.NewFromConfig(configuration)}
	if env.TextIfAny(contract.EnvFinderDays) != "" {
		table.Days = env.Number(contract.EnvFinderDays)
	}
	newest := strings.Fields(env.Text(contract.EnvFinderKeys))[0]
	return Indexer{
		Logger:  logger,
		Metrics: telemetry.Metrics{Environment: env.Text(contract.EnvName)},
		Table:   table,
		Keys:    derive.New(newest, kms.NewFromConfig(configuration)),
		Places:  append(finder.Places(), places...),
	}, nil
}
