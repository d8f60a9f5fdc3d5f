// Asks iam-policy (@cloud-copilot/iam-policy) about each policy document that it is given.
//
// Reads [{"place", "kind", "document"}] from standard input, where kind is identity, trust or resource, and writes
// {"looked": n, "findings": [{"place", "rule", "message"}]}.
import { readFileSync } from 'node:fs'
import {
  lintPolicy, lintResourcePolicy, validateIdentityPolicy, validateResourcePolicy, validateTrustPolicy
} from '@cloud-copilot/iam-policy'

const judgesOf = {
  identity: [validateIdentityPolicy, lintPolicy],
  trust: [validateTrustPolicy, lintPolicy],
  resource: [validateResourcePolicy, lintResourcePolicy]
}

const documents = JSON.parse(readFileSync(0, 'utf8'))
const findings = []
for (const { place, kind, document } of documents) {
  // The judges overlap: each says what is wrong with the syntax.
  const said = new Set(judgesOf[kind].flatMap((judge) => judge(document)).map(({ path, message }) => `${path}: ${message}`))
  for (const message of said) findings.push({ place, rule: kind, message })
}
process.stdout.write(JSON.stringify({ looked: documents.length, findings }))
