// The report's summary, written in a few forms of Markdown, as blocks of plain text.

export function blocksOf(markdown) {
  return (markdown || '').trim().split(/\n\n+/).map(block)
}

function block(text, index) {
  if (text.startsWith('## ')) return { key: index, kind: 'heading', text: text.slice(3) }
  const lines = text.split('\n')
  if (text.startsWith('- ')) return { key: index, kind: 'list', lines: lines.map((line) => marked(line.slice(2))) }
  if (/^1\. /.test(text)) return { key: index, kind: 'steps', lines: lines.map((line) => marked(line.replace(/^\d+\. /, ''))) }
  return { key: index, kind: 'paragraph', text }
}

// **high** Something. → {severity: 'high', text: 'Something.'}
function marked(line) {
  const found = line.match(/^\*\*(critical|high|medium|low|info)\*\* (.*)$/)
  const text = (found ? found[2] : line).replace(/`([a-z-]+)`/g, '$1')
  return { severity: found ? found[1] : '', text }
}
