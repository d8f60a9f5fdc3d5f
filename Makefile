# The loops of a day's work, by name. Each line is one that .ci/run has as well; test/docs holds the two together.
# `make` alone lists them. Nothing here is needed: the commands work by themselves.

.PHONY: help demo test vet race lint synth snapshots fuzz ci

help:
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

demo: ## a throw-away lake, three users, some messages
	go run ./cmd/lake demo

test: ## all tests, as the README has it
	go test ./...

vet: ## format, vet, modules in order
	unformatted=$$(gofmt -l $$(git ls-files '*.go')) && echo "$$unformatted" && [ -z "$$unformatted" ]
	go vet ./...
	go mod tidy -diff

race: ## races, in what runs side by side
	go test -race ./local/... ./lambdas/... ./edge/...

lint: ## linters and layers (golangci-lint 2.15.0)
	golangci-lint run ./...

synth: ## both environments' templates, as they would be deployed, into cdk.out/
	npm ci
	for environment in dev prod; do \
		npx cdk synth --quiet --strict -c env="$$environment" -c placeholders=allow -o "cdk.out/$$environment" || exit 1; done

snapshots: ## write test/snapshots anew, for a change of the stacks
	go test ./test -update

fuzz: ## a quarter of a minute for each target of hl7 and of MLLP's frames
	for target in FuzzMarks FuzzParse FuzzJSON FuzzFromJSON FuzzReader FuzzReply FuzzSet; do \
		go test ./hl7 -run '^$$' -fuzz "^$$target\$$" -fuzztime 12s || exit 1; done
	go test ./edge/mllp -run '^$$' -fuzz '^FuzzReader$$' -fuzztime 12s

ci: ## all that is asked of a change: twenty minutes at most
	.ci/run
