// Comma-separated text to rows (RFC 4180), as far as is asked for; enough for a look at a file.

// Of a text that was cut, the last row is left out.
export function parse(text, { separator = ',', rows = Infinity, isCut = false } = {}) {
  const found = []
  let row = []
  let cell = ''
  let quoted = false
  for (let at = 0; at < text.length && found.length < rows; at += 1) {
    const mark = text[at]
    if (quoted) {
      if (mark !== '"') cell += mark
      else if (text[at + 1] === '"') (cell += '"'), (at += 1)
      else quoted = false
    } else if (mark === '"' && cell === '') quoted = true
    else if (mark === separator) row.push(cell), (cell = '')
    else if (mark === '\n') {
      found.push([...row, cell.replace(/\r$/, '')])
      row = []
      cell = ''
    } else cell += mark
  }
  if (!isCut && found.length < rows && (cell || row.length)) found.push([...row, cell])
  return found
}
