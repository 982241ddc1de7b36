// Files up and files down, both through the API, so that nothing leaves this origin.

import { Problem, problemOf, send } from './http.js'
import { session } from './session.js'

const STREAMED_ABOVE = 64 * 2 ** 20 // bytes; a larger file is written to disk as it comes, where the browser can

// One file to its role; `onProgress` gets 0..1. Throws Problem.
export async function upload(taskId, role, file, onProgress) {
  const path = `/tasks/${taskId}/inputs/${encodeURIComponent(role)}?filename=${encodeURIComponent(file.name)}`
  const headers = await session.header()
  const { status, text } = await put(path, headers, file, onProgress)
  if (status === 401 && (await session.renew())) return upload(taskId, role, file, onProgress)
  const body = parsed(text)
  if (status < 200 || status >= 300) throw new Problem(body, status)
  return body
}

// XMLHttpRequest, because fetch tells nothing of what has been sent.
function put(path, headers, file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('PUT', path)
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
    request.setRequestHeader('Content-Type', file.type || 'application/octet-stream')
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total)
    request.onload = () => resolve({ status: request.status, text: request.responseText })
    request.onerror = () => reject(new Problem({ detail: 'The upload was interrupted.', next_action: 'Try again.' }, 0))
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

// To the customer's disk, under its own name.
export async function download(taskId, { name, size }) {
  if (size > STREAMED_ABOVE && window.showSaveFilePicker) return stream(taskId, name)
  const answer = await send(addressOf(taskId, name))
  if (!answer.ok) throw await problemOf(answer)
  const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(await answer.blob()), download: name })
  document.body.append(link)
  link.click()
  link.remove()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

async function stream(taskId, name) {
  const handle = await window.showSaveFilePicker({ suggestedName: name })
  const answer = await send(addressOf(taskId, name))
  if (!answer.ok) throw await problemOf(answer)
  await answer.body.pipeTo(await handle.createWritable())
}

// The first bytes of a text file, for a look at it.
export async function beginning(taskId, name, bytes = 65_536) {
  const answer = await send(addressOf(taskId, name), { headers: { Range: `bytes=0-${bytes - 1}` } })
  if (!answer.ok) throw await problemOf(answer)
  const text = await answer.text()
  return { text, whole: answer.status === 200 || text.length < bytes }
}
