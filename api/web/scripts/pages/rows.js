// Single rows at fault: filtered by column, type, severity and text, a page at a time.

import { SEVERITIES } from '../report/overview.js'

const PAGE = 50

export const rows = () => ({
  column: '',
  type: '',
  severity: '',
  text: '',
  page: 0,

  every: [], // the same fault told by two agents is one

  init() {
    const seen = new Map(this.parts.all.row_level_issues.map((row) => [JSON.stringify(Object.values(row)), row]))
    this.every = Object.freeze([...seen.values()])
    for (const filter of ['column', 'type', 'severity', 'text']) this.$watch(filter, () => (this.page = 0))
  },

  get columns() {
    return [...new Set(this.every.map((row) => row.column))].sort()
  },
  get types() {
    return [...new Set(this.every.map((row) => row.issue_type))].sort()
  },
  get severities() {
    return SEVERITIES.filter((name) => this.every.some((row) => row.severity === name))
  },
  get found() {
    const text = this.text.trim().toLowerCase()
    return this.every.filter(
      (row) =>
        (!this.column || row.column === this.column) &&
        (!this.type || row.issue_type === this.type) &&
        (!this.severity || row.severity === this.severity) &&
        (!text || `${row.value ?? ''} ${row.message} ${row.row_index} ${row.column}`.toLowerCase().includes(text)),
    )
  },
  get pages() {
    return Math.max(1, Math.ceil(this.found.length / PAGE))
  },
  get shown() {
    return this.found.slice(this.page * PAGE, (this.page + 1) * PAGE).map((row, key) => ({ ...row, key }))
  },
  clear() {
    Object.assign(this, { column: '', type: '', severity: '', text: '' })
  },
})
