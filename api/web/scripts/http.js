// Everything that is asked of the API. A refusal becomes a Problem: a sentence, and what to do about it.

import { session } from './session.js'

export class Problem extends Error {
  constructor(body, status) {
    super(body.detail || 'Something went wrong.')
    this.status = status
    this.code = body.error_code || ''
    this.next = body.next_action || ''
    this.context = body.context || {}
  }
}

const UNREACHABLE = { detail: 'The server cannot be reached.', next_action: 'Check your connection; this page tries again when you do.' }

// `request` with the access token; where that is too old, once more with a new one.
export async function send(path, { method = 'GET', headers = {}, body, signal } = {}) {
  const once = async () => fetch(path, { method, headers: { ...headers, ...(await session.header()) }, body, signal, cache: 'no-store' })
  let answer
  let isRenewed = false
  try {
    answer = await once()
    isRenewed = answer.status === 401 && (await session.renew())
    if (isRenewed) answer = await once()
  } catch (error) {
    if (error.name === 'AbortError') throw error
    throw new Problem(UNREACHABLE, 0)
  }
  if (answer.status === 401 && (isRenewed || !session.isKept)) session.end() // not where the renewal was merely refused for now
  return answer
}

export async function problemOf(answer) {
  const isProblem = (answer.headers.get('content-type') || '').includes('json')
  return new Problem(isProblem ? await answer.json() : { detail: `The server answered ${answer.status}.` }, answer.status)
}

// JSON out, JSON in; null where there is none. Throws Problem.
export async function ask(method, path, body, { key, signal } = {}) {
  const headers = body === undefined ? {} : { 'Content-Type': 'application/json' }
  if (key) headers['Idempotency-Key'] = key
  const answer = await send(path, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) })
  if (!answer.ok) throw await problemOf(answer)
  return answer.status === 204 ? null : answer.json()
}

export const get = (path, options) => ask('GET', path, undefined, options)
export const post = (path, body = {}, options) => ask('POST', path, body, options)
// Not randomUUID: a page that came over plain HTTP has none.
export const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
