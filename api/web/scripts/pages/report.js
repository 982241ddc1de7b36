// The report of a task, in tabs; only those that this tool has something to say in.

import { beginning, download, folderFor } from '../files.js'
import { parse } from '../csv.js'
import { get } from '../http.js'
import { go } from '../router.js'
import { answers } from '../report/answers.js'
import { cleaning } from '../report/cleaning.js'
import { columns } from '../report/columns.js'
import { drift } from '../report/drift.js'
import { clusterSizes, mastering } from '../report/mastering.js'
import { agents, overview } from '../report/overview.js'
import { trust } from '../report/trust.js'

const TABS = [
  ['overview', 'Overview', overview],
  ['answers', 'Answers', (found, task) => answers(found) || (task.items ? { list: [] } : null)],
  ['golden', 'Golden records', mastering],
  ['cleaning', 'Before and after', cleaning],
  ['columns', 'Columns', columns],
  ['drift', 'Drift', drift],
  ['trust', 'Risk and readiness', trust],
  ['issues', 'Issues', ({ report }) => (report.issues.length || report.row_level_issues.length ? { issues: report.issues } : null)],
  ['advice', 'Advice', ({ report }) => (report.recommendations.length ? { list: report.recommendations } : null)],
  ['agents', 'Agents', agents],
]
const PREVIEWED = 20 // rows
const SMALL = 5_000_000 // bytes: a cross-reference that may be read whole, for its clusters

export const report = () => ({
  loaded: false,
  problem: null,
  parts: {}, // tab → what it shows
  tabs: [],
  outputs: [],
  preview: null,
  clusterChart: null,
  search: '',
  fetching: '',

  async init() {
    try {
      const [found, { outputs }] = await Promise.all([get(`/tasks/${this.taskId}/report`), get(`/tasks/${this.taskId}/outputs`)])
      this.lay(found)
      this.outputs = outputs.sort((a, b) => rank(a) - rank(b))
      this.loaded = true
      this.look().catch(() => {}) // a preview is a courtesy
    } catch (error) {
      this.problem = error
    }
  },

  lay(found) {
    const parts = TABS.map(([id, title, make]) => [id, title, make(found, this.task)]).filter(([, , part]) => part)
    this.parts = Object.freeze(Object.fromEntries([...parts.map(([id, , part]) => [id, part]), ['all', found.report]]))
    this.tabs = [...parts.map(([id, title]) => ({ id, title })), { id: 'files', title: 'Files' }]
  },

  get tab() {
    const wanted = this.$store.app.place.tab
    return this.tabs.some((tab) => tab.id === wanted) ? wanted : 'overview'
  },
  linkTo(tab) {
    return `#/tasks/${this.taskId}/${tab.id}`
  },

  get shownColumns() {
    const wanted = this.search.trim().toLowerCase()
    const { cards } = this.parts.columns
    return wanted ? cards.filter((card) => `${card.name} ${card.type} ${card.meaning}`.toLowerCase().includes(wanted)) : cards
  },

  // The file that the tool was run for, and the clusters behind the golden records.
  async look() {
    const data = this.outputs.find((file) => file.kind === 'data' && /\.(csv|tsv)$/.test(file.name))
    if (data) this.preview = { name: data.name, ...tableOf(await beginning(this.taskId, data.name), data.name) }
    const references = this.outputs.find((file) => file.kind === 'cross_reference' && file.name.endsWith('.csv') && file.size < SMALL)
    if (references && this.parts.golden) this.clusterChart = clusterSizes(parse((await beginning(this.taskId, references.name, SMALL)).text))
  },

  async fetchFile(file, folder = null) {
    this.fetching = file.name
    try {
      await download(this.taskId, file, folder)
      this.$store.app.say(`${file.name} is downloaded.`)
    } catch (error) {
      this.$store.app.show(error)
    } finally {
      this.fetching = ''
    }
  },

  async fetchAll() {
    try {
      const folder = await folderFor(this.outputs)
      for (const file of this.outputs) await this.fetchFile(file, folder)
    } catch (error) {
      this.$store.app.show(error)
    }
  },

  // What the report proposes, filled in; with the same file where this page still has it.
  proceed(decision) {
    this.$store.app.draft = { ...decision, file: this.$store.app.files[this.taskId] }
    go('/new')
  },
})

// What people come for stands first.
const FIRST = ['data', 'report_html', 'report_xlsx', 'golden_records', 'cross_reference']
const rank = ({ kind }) => (FIRST.includes(kind) ? FIRST.indexOf(kind) : FIRST.length)

function tableOf({ text, isCut }, name) {
  const [header, ...rows] = parse(text, { separator: name.endsWith('.tsv') ? '\t' : ',', rows: PREVIEWED + 1, isCut })
  return { header: header || [], rows }
}
