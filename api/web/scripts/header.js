// The names of a file's columns, read here, so that nobody has to type them. Only of plain text; else none.

import { parse } from './csv.js'

const TEXTS = /\.(csv|tsv)$/i

export async function columnsOf(file) {
  if (!TEXTS.test(file.name)) return []
  const text = await file.slice(0, 65_536).text()
  const first = parse(text, { separator: separatorOf(text), rows: 1 })[0] || []
  return first.map((name) => name.replace(/^\uFEFF/, '').trim()).filter(Boolean)
}

function separatorOf(text) {
  const line = text.split('\n', 1)[0]
  const counted = [',', ';', '\t', '|'].map((mark) => [line.split(mark).length, mark])
  return counted.reduce((most, next) => (next[0] > most[0] ? next : most))[1]
}
