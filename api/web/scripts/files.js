// Files up and files down, both through the API, so that nothing leaves this origin.

import { Problem, problemOf, send } from './http.js'
import { session } from './session.js'

const BUSY = 2_000 // ms
const STREAMED_ABOVE = 64 * 2 ** 20 // bytes; a larger file is written to disk as it comes, where the browser can

// One file to its role; `onProgress` gets 0..1. Throws Problem.
export async function upload(taskId, role, file, onProgress, signal) {
  const path = `/tasks/${taskId}/inputs/${encodeURIComponent(role)}?filename=${encodeURIComponent(file.name)}`
  const headers = await session.header()
  const { status, text } = await put(path, headers, file, onProgress, signal)
  if (status === 401 && (await session.renew())) return upload(taskId, role, file, onProgress, signal)
  if (status === 429) {
    await new Promise((resolve) => setTimeout(resolve, BUSY)) // many files: as fast as one customer may
    return upload(taskId, role, file, onProgress, signal)
  }
  const body = parsed(text)
  if (status < 200 || status >= 300) throw new Problem(body, status)
  return body
}

// XMLHttpRequest, because fetch tells nothing of what has been sent.
function put(path, headers, file, onProgress, signal) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const request = new XMLHttpRequest()
    request.open('PUT', path)
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
    request.setRequestHeader('Content-Type', file.type || 'application/octet-stream')
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total)
    request.onload = () => resolve({ status: request.status, text: request.responseText })
    request.onerror = () => reject(new Problem({ detail: 'The upload was interrupted.', next_action: 'Try again.' }, 0))
    request.onabort = () => reject(signal.reason)
    signal.addEventListener('abort', () => request.abort(), { once: true })
    request.send(file)
  })
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return { detail: 'The upload was refused.' }
  }
}

const addressOf = (taskId, name) => `/tasks/${taskId}/outputs/${encodeURIComponent(name)}`

// Where several files go, if one of them is too large for this page's memory: a folder, chosen once, because a browser
// lets us ask only right after a click. Null where there is no need, or no such browser: then they go to the downloads.
export async function folderFor(files) {
  const isLarge = files.some(({ size }) => size > STREAMED_ABOVE)
  return isLarge && window.showDirectoryPicker ? window.showDirectoryPicker({ mode: 'readwrite' }) : null
}

// To the customer's disk, under its own name.
export async function download(taskId, { name, size }, folder = null) {
  if (folder) return stream(taskId, name, await folder.getFileHandle(name, { create: true }))
  const mayAsk = window.showSaveFilePicker && navigator.userActivation?.isActive
  if (size > STREAMED_ABOVE && mayAsk) return stream(taskId, name, await window.showSaveFilePicker({ suggestedName: name }))
  return save(await send(addressOf(taskId, name)), name)
}

// The finished items of a batch so far, a line each.
export async function downloadItems(taskId) {
  const answer = await send(`/tasks/${taskId}/items`, { headers: { Accept: 'application/x-ndjson' } })
  return save(answer, 'answers-so-far.jsonl')
}

async function save(answer, name) {
  if (!answer.ok) throw await problemOf(answer)
  const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(await answer.blob()), download: name })
  document.body.append(link)
  link.click()
  link.remove()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

async function stream(taskId, name, handle) {
  const answer = await send(addressOf(taskId, name))
  if (!answer.ok) throw await problemOf(answer)
  await answer.body.pipeTo(await handle.createWritable())
}

// The first bytes of a text file, for a look at it, and whether there is more behind them.
export async function beginning(taskId, name, bytes = 65_536) {
  const answer = await send(addressOf(taskId, name), { headers: { Range: `bytes=0-${bytes - 1}` } })
  if (!answer.ok) throw await problemOf(answer)
  const [, last, size] = (answer.headers.get('content-range') || '').match(/-(\d+)\/(\d+)$/) || []
  return { text: await answer.text(), isCut: answer.status === 206 && Number(last) + 1 < Number(size) }
}
