// Asks asl-validator about each state machine definition (Amazon States Language) that it is given.
//
// Reads [{"place", "document"}] from standard input and writes
// {"looked": number of states, "findings": [{"place", "rule", "message"}]}.
import { readFileSync } from 'node:fs'
import validate from 'asl-validator'

const findings = []
let looked = 0
for (const { place, document } of JSON.parse(readFileSync(0, 'utf8'))) {
  looked += statesIn(document)
  const { errors } = validate(document, { checkPaths: true, checkArn: true })
  for (const error of errors) {
    const message = [error.Message ?? error.message, error['Schema Error'] ?? error.path].filter(Boolean)
    findings.push({ place, rule: error['Error code'], message: message.map((each) => JSON.stringify(each)).join(' ') })
  }
}
process.stdout.write(JSON.stringify({ looked, findings }))

// statesIn counts the states of a machine and of the machines inside its states.
function statesIn(value) {
  if (value === null || typeof value !== 'object') return 0
  const own = !Array.isArray(value) && value.States !== null && typeof value.States === 'object'
    ? Object.keys(value.States).length : 0
  return Object.values(value).reduce((sum, each) => sum + statesIn(each), own)
}
