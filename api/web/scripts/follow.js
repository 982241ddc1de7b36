// A task as it goes, until it has ended: by its event stream, and by polling while there is none to be had.

import { eventsIn } from './events.js'
import { problemOf, send } from './http.js'
import { hasEnded } from './states.js'

const SILENCE = 40_000 // ms; a live stream says something every 15 s
const FAILURES = 3 // in a row, then we poll
const POLLING = 30_000 // ms, then the stream is tried again
const ANSWERED = 15_000 // ms, more than the server was asked to wait
const POLL = 2_000 // ms, where the server does not say how long

// `told({task})` with the whole task, `told({progress, current_agent, items})` in between, `told({text, at})` with a
// stretch of an answer while it is written, `told({isLost})` when the connection goes and comes. Returns when the task has ended or was aborted. Throws Problem where the task is not there.
export async function follow(taskId, told, signal) {
  const state = { etag: '', lastEvent: '', ended: false }
  const look = async (wait = 0) => {
    const found = await poll(taskId, state, wait, signal)
    if (found) told({ task: found })
    if (found && hasEnded(found)) state.ended = true
  }
  const isOver = () => state.ended || signal.aborted
  while (!isOver()) {
    await listen(() => stream(taskId, state, told, look, signal), told, isOver, signal)
    const until = performance.now() + POLLING
    while (!isOver() && performance.now() < until) await patiently(() => look(20), told, state, signal)
  }
}

// By the stream, as long as there is one.
async function listen(stream, told, isOver, signal) {
  for (let failures = 0; !isOver() && failures < FAILURES; ) {
    const heard = await stream().catch(() => 'nothing')
    if (heard === 'no stream') return
    failures = heard === 'nothing' ? failures + 1 : 0
    if (isOver()) return
    if (failures) told({ isLost: true })
    await pause(500 * 2 ** failures, signal)
  }
}

// A dropped connection is waited out; a task that is not there, is not.
async function patiently(look, told, state, signal) {
  const started = performance.now()
  try {
    await look()
    told({ isLost: false })
  } catch (error) {
    if (error.status >= 400 && error.status < 500 && error.status !== 429) throw error
    if (!signal.aborted) told({ isLost: error.status !== 429 })
  }
  const rest = Math.max(state.retryAfter || POLL, 250) - (performance.now() - started)
  if (!state.ended && rest > 0) await pause(rest, signal)
}

async function stream(taskId, state, told, look, signal) {
  const silence = new AbortController()
  let timer
  const heard = () => {
    clearTimeout(timer)
    timer = setTimeout(() => silence.abort(), SILENCE)
  }
  try {
    heard()
    const headers = { Accept: 'text/event-stream', ...(state.lastEvent && { 'Last-Event-ID': state.lastEvent }) }
    const either = AbortSignal.any([signal, silence.signal])
    const answer = await send(`/tasks/${taskId}/events`, { headers, signal: either })
    if (answer.ok) told({ isLost: false })
    if (answer.status === 204) return await ended(look, state)
    if (!(answer.headers.get('content-type') || '').includes('event-stream')) return 'no stream'
    for await (const event of eventsIn(answer.body, heard)) await take(event, state, told, look)
    return 'something'
  } finally {
    clearTimeout(timer)
  }
}

async function ended(look, state) {
  await look()
  state.ended = true
  return 'something'
}

async function take({ event, id, data }, state, told, look) {
  if (id) state.lastEvent = id
  if (event === 'progress') return told(data)
  if (event === 'snapshot' || event === 'resync') {
    told({ task: data })
    return undefined
  }
  if (event === 'text') return told({ text: data.data.text || '', at: data.data.at || 0 })
  return look() // a durable event: steps, prices and times may all be others now
}

// The task where it has changed since we last looked, else null.
async function poll(taskId, state, wait, signal) {
  const headers = state.etag ? { 'If-None-Match': state.etag } : {}
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(1000 * wait + ANSWERED)])
  const answer = await send(`/tasks/${taskId}${wait && state.etag ? `?wait=${wait}` : ''}`, { headers, signal: inTime })
  state.retryAfter = 1000 * Number(answer.headers.get('retry-after') || 0)
  if (answer.status === 304) return null
  if (!answer.ok) throw await problemOf(answer)
  state.etag = answer.headers.get('etag') || ''
  return answer.json()
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
  })
}
