// Holds the properties of each resource against AWS's own specification (@aws-cdk/aws-service-spec): none that is
// unknown, none missing that is required, each of its type and, where the specification lists them, of the values
// allowed; at any depth.
//
// Reads [{"place", "type", "document"}] from standard input and writes
// {"looked": number of properties, "findings": [{"place", "rule", "message"}]}.
import { readFileSync } from 'node:fs'
import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec'

const spec = loadAwsServiceSpecSync()
const text = { type: 'string' }
const custom = 'AWS::CloudFormation::CustomResource'

let looked = 0
const findings = []
for (const { place, type, document } of JSON.parse(readFileSync(0, 'utf8'))) {
  const isCustom = type.startsWith('Custom::') || type === custom
  const known = spec.lookup('resource', 'cloudFormationType', 'equals', isCustom ? custom : type)
  if (known.length === 0) {
    findings.push({ place, rule: 'unknown type', message: type })
    continue
  }
  // What else a custom resource has is between the template and its function.
  for (const { rule, message } of object(document ?? {}, known.only().properties, '', isCustom)) {
    findings.push({ place, rule, message: `${type}: ${message}` })
  }
}
process.stdout.write(JSON.stringify({ looked, findings }))

// object yields the faults of an object whose members are described; open objects may have others.
function* object(value, described, path, open = false) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    yield { rule: 'wrong type', message: `${path || 'the properties'} must be an object` }
    return
  }
  for (const [name, property] of Object.entries(described)) {
    if (property.required && value[name] === undefined) {
      yield { rule: 'missing property', message: `${path}${name} is required` }
    }
  }
  for (const [name, member] of Object.entries(value)) {
    looked++
    if (Object.hasOwn(described, name)) yield* judge(member, described[name].type, `${path}${name}`)
    else if (!open) yield { rule: 'unknown property', message: `${path}${name} is not known` }
  }
}

// judge yields the faults of a value that should be of a type. CloudFormation takes "5" for 5 and "true" for true, and
// numbers and booleans for text, so this does too.
function* judge(value, type, path) {
  const wrong = (what) => ({ rule: 'wrong type', message: `${path} must be ${what}, and is ${JSON.stringify(value)}` })
  const isScalar = ['string', 'number', 'boolean'].includes(typeof value)
  switch (type.type) {
    case 'json':
      return
    case 'ref':
      yield* object(value, spec.get('typeDefinition', type.reference.$ref).properties, `${path}.`)
      return
    case 'tag':
      yield* object(value, { Key: { required: true, type: text }, Value: { required: true, type: text } }, `${path}.`)
      return
    case 'array':
      if (!Array.isArray(value)) yield wrong('a list')
      else for (const [i, each] of value.entries()) yield* judge(each, type.element, `${path}[${i}]`)
      return
    case 'map':
      if (value === null || typeof value !== 'object' || Array.isArray(value)) yield wrong('a map')
      else for (const [name, each] of Object.entries(value)) yield* judge(each, type.element, `${path}.${name}`)
      return
    case 'union': {
      const verdicts = type.types.map((each) => [...judge(value, each, path)])
      yield* verdicts.reduce((best, each) => (each.length < best.length ? each : best))
      return
    }
    case 'boolean':
      if (!['true', 'false'].includes(String(value)) || !isScalar) yield wrong('true or false')
      return
    case 'integer':
    case 'number':
      if (!isNumber(value, type.type)) yield wrong(type.type === 'integer' ? 'an integer' : 'a number')
      else yield* allowed(value, type, path)
      return
    case 'string':
    case 'date-time':
      if (!isScalar) yield wrong('text')
      else yield* allowed(value, type, path)
      return
    default:
      throw new Error(`the specification has a type that this judge does not know: ${type.type}`)
  }
}

function isNumber(value, kind) {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && (kind === 'integer' ? Number.isInteger(number) : Number.isFinite(number))
}

function* allowed(value, type, path) {
  if (type.allowedValues && !type.allowedValues.some((each) => String(each) === String(value))) {
    yield { rule: 'value not allowed', message: `${path} is ${value}, not one of ${type.allowedValues.join(', ')}` }
  }
}
