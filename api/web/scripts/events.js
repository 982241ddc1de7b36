// Server-sent events over fetch, because EventSource cannot send an Authorization header.

// Every event of a stream: {event, id, data}; `heard` is called for each sign of life, a comment too.
export async function* eventsIn(body, heard = () => {}) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      heard()
      rest += value
      const open = rest.endsWith('\r') ? '\r' : '' // its \n may be the next thing to come
      const blocks = rest.slice(0, rest.length - open.length).replace(/\r\n?/g, '\n').split('\n\n')
      rest = blocks.pop() + open
      for (const block of blocks) {
        const event = eventOf(block)
        if (event) yield event
      }
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}

function eventOf(block) {
  const fields = { event: 'message', id: '', data: [] }
  for (const line of block.split('\n')) {
    const at = line.includes(':') ? line.indexOf(':') : line.length
    const name = line.slice(0, at)
    const value = line.slice(at + 1).replace(/^ /, '')
    if (name === 'data') fields.data.push(value)
    else if (name === 'event' || name === 'id') fields[name] = value
  }
  return fields.data.length ? { ...fields, data: JSON.parse(fields.data.join('\n')) } : null
}
