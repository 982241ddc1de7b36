// What language models answered, by question: their own words, which are shown as text and never as anything else.

const SHOWN = 50_000 // characters; the whole is in the files

export function answers({ report }) {
  const found = Object.values(report.agent_results).map(({ agent_id, agent_name, data }) => answerOf(agent_id, agent_name, data || {})).filter(Boolean)
  return found.length ? { list: found } : null
}

function answerOf(key, name, data) {
  const words = data.content ?? data.output
  if (words === undefined || words === null) return null
  const text = typeof words === 'string' ? words : JSON.stringify(words, null, 2)
  const by = [data.model, data.fallback && 'a fallback', data.cached && 'kept from before'].filter(Boolean).join(' · ')
  return { key, name, by, text: text.slice(0, SHOWN), isCut: text.length > SHOWN }
}

// Items of a batch as the API tells them.
export const itemOf = ({ custom_id, position, ok, answer, error }) => ({
  key: position,
  name: custom_id,
  ok,
  text: ok ? String(answer?.content ?? JSON.stringify(answer ?? {})).slice(0, 300) : error?.message || '',
})
