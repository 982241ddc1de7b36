// From an agent's JSON Schema to fields that a person can fill, and back to the parameters that differ from the defaults.

import { format } from './format.js'

const NUMBERS = ['integer', 'number']
const WIDE = ['list', 'map', 'json']
const PROSE = ['prompt', 'system'] // more than a line

// `models`: those that may be named in a field called model.
export function fieldsOf(schema, models = []) {
  const definitions = schema.$defs || {}
  const fields = Object.entries(schema.properties || {}).map(([name, property]) => {
    const found = field(name, resolved(property, definitions), definitions)
    return name === 'model' && models.length ? choiceOf(found, models) : found
  })
  return fields.sort((a, b) => rank(a) - rank(b)) // what is to be said first, then small ones side by side
}

// `$ref` followed, and `anyOf` with null read as "may be left empty".
function resolved(property, definitions) {
  const { $ref, ...own } = property
  const found = $ref ? { ...definitions[$ref.split('/').pop()], ...own } : own
  if (!found.anyOf) return found
  const choices = found.anyOf.filter((choice) => choice.type !== 'null')
  return choices.length === 1 ? { ...resolved(choices[0], definitions), ...found, optional: true } : { ...found, optional: true }
}

function field(name, property, definitions) {
  const told = kindOf(property, definitions)
  const kind = told === 'text' && PROSE.includes(name) ? 'prose' : told
  const inner = kind === 'map' ? resolved(property.additionalProperties, definitions) : {}
  const fallback = property.default ?? null
  return {
    name,
    kind,
    label: format.words(name),
    help: property.description || '',
    isColumns: kind === 'list' && /column|field/.test(name),
    options: (property.enum || []).map((value) => ({ value, label: format.words(value) })),
    valueOptions: (inner.enum || []).map((value) => ({ value, label: format.words(value) })),
    ...range(property),
    range: rangeSaid(property),
    fallback,
    value: shown(kind, fallback),
    fault: '',
  }
}

const rank = ({ kind }) => (kind === 'prose' ? -1 : Number(WIDE.includes(kind)))

function choiceOf(found, models) {
  const options = [{ value: '', label: `The default, ${models[0]}` }, ...models.map((value) => ({ value, label: value }))]
  return { ...found, kind: 'choice', options }
}

function kindOf(property, definitions) {
  if (property.enum) return 'choice'
  if (property.type === 'boolean') return 'switch'
  if (NUMBERS.includes(property.type)) return 'number'
  if (property.type === 'string') return 'text'
  if (property.type === 'array' && property.items?.type === 'string') return 'list'
  const values = property.type === 'object' && property.additionalProperties
  if (values && resolved(values, definitions).type === 'string') return 'map'
  return 'json'
}

function range(property) {
  return {
    min: property.minimum ?? property.exclusiveMinimum ?? null,
    max: property.maximum ?? property.exclusiveMaximum ?? null,
    step: property.type === 'integer' ? 1 : 'any',
  }
}

function rangeSaid({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }) {
  const low = minimum ?? exclusiveMinimum
  const high = maximum ?? exclusiveMaximum
  if (low === undefined && high === undefined) return ''
  const from = low === undefined ? '' : exclusiveMinimum === undefined ? `From ${format.figure(low)} ` : `Above ${format.figure(low)}, `
  const to = high === undefined ? '' : exclusiveMaximum === undefined ? `to ${format.whole(high)}` : `below ${format.figure(high)}`
  const said = (from + to).replace(/[, ]+$/, '')
  return `${said.charAt(0).toUpperCase()}${said.slice(1)}.`
}

// What stands in the field for a value.
function shown(kind, value) {
  if (kind === 'list') return (value || []).join('\n')
  if (kind === 'map') return Object.entries(value || {}).map(([key, word]) => ({ key, word }))
  if (kind === 'json') return value === null ? '' : JSON.stringify(value, null, 1)
  return value ?? (kind === 'switch' ? false : '')
}

export function fill(field, value) {
  field.value = shown(field.kind, value)
}

// The value that a field stands for. Throws where its text is none.
export function read(field) {
  const { kind, value, fallback } = field
  if (kind === 'list') return value.split('\n').map((line) => line.trim()).filter(Boolean)
  if (kind === 'map') return Object.fromEntries(value.filter((pair) => pair.key.trim()).map((pair) => [pair.key.trim(), pair.word]))
  if (kind === 'json') return value.trim() ? JSON.parse(value) : fallback
  if (kind === 'number') return value === '' || value === null ? fallback : Number(value)
  return value === '' ? fallback : value
}

export const isChanged = (field) => {
  try {
    return JSON.stringify(read(field)) !== JSON.stringify(field.fallback)
  } catch {
    return true
  }
}

const isOutside = ({ kind, value, min, max }) => kind === 'number' && value !== '' && ((min !== null && value < min) || (max !== null && value > max))

// Only what was changed: defaults are the server's business. Marks fields whose text cannot be read; null where one is.
export function parametersOf(fields) {
  const chosen = {}
  let readable = true
  for (const field of fields) {
    field.fault = ''
    try {
      if (isChanged(field)) chosen[field.name] = read(field)
      if (isOutside(field)) field.fault = field.range
    } catch {
      field.fault = 'This is not JSON.'
    }
    if (field.fault) readable = false
  }
  return readable ? chosen : null
}
