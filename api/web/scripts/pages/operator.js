// What an operator sees of the house: now, over a day, what failed, and whether the books are right.

import { get, post } from '../http.js'
import { stateSaid, stateTone } from '../states.js'

const EVERY = 2000 // ms between looks at what is going on
const WINDOWS = [1, 24, 168]
const TABS = [
  { id: 'now', title: 'Now' },
  { id: 'loads', title: 'Customers and tools' },
  { id: 'failures', title: 'Failures' },
  { id: 'tasks', title: 'Tasks' },
  { id: 'proof', title: 'Proof' },
]
const COUNTED = { queued: 'Waiting', queued_later: 'Waiting for their time', admitted: 'Admitted', processing: 'Working', created: 'Not started' }

export const operator = () => ({
  tabs: TABS,
  windows: WINDOWS,
  hours: 24,
  overview: null,
  loads: null,
  failures: null,
  tasks: [],
  next: null,
  filter: { status: '', email: '', error_code: '' },
  asked: null, // of a bulk retry: what its dry run was asked, and nothing else is then done
  replays: null,
  proofs: [],
  busy: false,
  timer: 0,
  turn: 0, // of looking: whatever still waits for an answer from an earlier one does not go on

  init() {
    this.$watch('$store.app.place', () => this.look())
    this.$watch('hours', () => (this.replays = null))
    this.look()
  },
  destroy() {
    this.turn += 1
    clearTimeout(this.timer)
  },

  get tab() {
    const wanted = this.$store.app.place.id
    return TABS.some((tab) => tab.id === wanted) ? wanted : 'now'
  },
  get counts() {
    return Object.entries(COUNTED).map(([name, label]) => ({ name, label, count: this.overview?.tasks[name] || 0 }))
  },
  windowSaid: (hours) => (hours === 1 ? 'the last hour' : hours === 24 ? 'the last day' : 'the last week'),
  said: stateSaid,
  tone: stateTone,

  // What this tab shows; of what is going on, again and again while it is seen.
  look() {
    this.turn += 1
    clearTimeout(this.timer)
    if (this.$store.app.place.view !== 'operator') return undefined
    return { now: () => this.watch(), loads: () => this.attempt(() => this.lookAtLoads()), failures: () => this.attempt(() => this.lookAtFailures()), tasks: () => this.lookAtTasks(), proof: () => undefined }[this.tab]()
  },
  async watch(turn = this.turn) {
    if (!document.hidden) await this.attempt(async () => (this.overview = await get('/admin/overview')))
    if (turn === this.turn) this.timer = setTimeout(() => this.watch(turn), EVERY)
  },
  async lookAtLoads() {
    this.loads = await get(`/admin/loads?hours=${this.hours}`)
  },
  async lookAtFailures() {
    this.failures = (await get(`/admin/failures?hours=${this.hours}`)).failures.map((one) => ({ ...one, key: `${one.error_code} ${one.tool_id}` }))
  },
  lookAtTasks(cursor = '') {
    const asked = Object.entries({ ...this.filter, cursor, limit: '25' }).filter(([, value]) => value)
    return this.attempt(async () => {
      const page = await get(`/admin/tasks?${new URLSearchParams(asked)}`)
      this.tasks = cursor ? [...this.tasks, ...page.tasks] : page.tasks
      this.next = page.next
    })
  },

  // Bulk retry: first what it would do, then, asked again, done.
  choose({ error_code, tool_id }) {
    this.asked = { error_code, tool_id, since: new Date(Date.now() - this.hours * 3_600_000).toISOString() }
    this.replays = null
    return this.replay(true)
  },
  replay(isDry) {
    return this.attempt(async () => {
      this.replays = await post('/admin/replay', { ...this.asked, dry_run: isDry })
      this.$store.app.say(`${this.replays.made} tasks ${isDry ? 'would be' : 'are'} retried.`)
      if (!isDry) await this.lookAtFailures()
    })
  },

  prove(what) {
    return this.attempt(async () => {
      const proof = await get(`/admin/verify/${what}`)
      this.proofs = [proof, ...this.proofs.filter((one) => one.what !== what)]
    })
  },

  async attempt(what) {
    this.busy = true
    try {
      await what()
    } catch (error) {
      this.$store.app.show(error)
    } finally {
      this.busy = false
    }
  },
})
