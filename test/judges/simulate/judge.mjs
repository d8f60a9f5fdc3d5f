// Reads a list of cases as JSON on stdin and writes what iam-simulate holds of each, in their order, as JSON on stdout.
// A case is a simulation of @cloud-copilot/iam-simulate; a verdict is {allowed, error, ignored}: ignored are the
// condition keys that it left out, as they do not belong to the action.
import { text } from 'node:stream/consumers'
import { runSimulation } from '@cloud-copilot/iam-simulate'

async function judge(simulation) {
  const answer = await runSimulation(simulation, { simulationMode: 'Strict' })
  if (answer.resultType === 'error') {
    return { error: JSON.stringify(answer.errors) }
  }
  const results = answer.result ? [answer.result] : answer.results
  return {
    allowed: answer.overallResult === 'Allowed',
    ignored: results.flatMap(({ ignoredContextKeys }) => ignoredContextKeys ?? []),
  }
}

const verdicts = []
for (const simulation of JSON.parse(await text(process.stdin))) {
  verdicts.push(await judge(simulation))
}
process.stdout.write(JSON.stringify(verdicts))
