// One task: watched while it goes, then its report.

import { downloadItems } from '../files.js'
import { follow } from '../follow.js'
import { format } from '../format.js'
import { get, newKey, post } from '../http.js'
import { go } from '../router.js'
import { itemOf } from '../report/answers.js'
import { hasEnded, stateSaid, stateTone } from '../states.js'

const ITEMS_SHOWN = 20

export const task = () => ({
  task: null,
  progress: 0,
  current: null,
  missing: null,
  busy: false,
  now: Date.now(),
  taskId: '',
  retryKey: newKey(), // the same one until an answer has come, so that one retry is made
  text: '', // of an answer that is being written; never markup
  items: [], // of a batch, the first of those that are finished
  looking: false, // at items, soon
  isLost: false, // no connection just now; tried again all the time
  leaving: null,
  ticking: 0,

  init() {
    this.taskId = this.$store.app.place.id
    this.leaving = new AbortController()
    this.ticking = setInterval(() => (this.now = Date.now()), 1000)
    this.watch()
  },

  destroy() {
    this.leaving.abort()
    clearInterval(this.ticking)
  },

  async watch() {
    try {
      await follow(this.taskId, (told) => this.hear(told), this.leaving.signal)
    } catch (error) {
      this.isLost = false
      this.missing = error
    }
  },

  hear({ isLost, ...news }) {
    this.isLost = Boolean(isLost)
    if (news.text !== undefined) this.write(news)
    else if (isLost === undefined) this.learn(news)
  },

  // What begins at 0 begins the answer, anew where there was one before; whoever comes late has missed the beginning.
  write({ text, at }) {
    if (at === 0) this.text = text
    else this.text = (this.text || '… ') + text
  },

  learn({ task, progress, current_agent, items }) {
    const before = this.task?.status
    if (task) this.task = task
    else if (items && this.task) this.task.items = items
    if (this.task?.items) this.lookAtItems()
    this.progress = Math.max(this.progress, task ? task.progress : progress)
    this.current = task ? task.current_agent : current_agent
    if (task && before !== task.status) this.arriveAt(task, before)
  },

  arriveAt(task, before) {
    this.$store.app.say(`${this.$store.app.toolName(task.tool_id)}: ${this.said}.`)
    if (hasEnded(task)) {
      clearInterval(this.ticking)
      if (before) this.$store.app.countCredits().catch(() => {})
    }
  },

  // At most once in two seconds, and once more after the last news.
  async lookAtItems() {
    if (this.items.length === ITEMS_SHOWN || this.looking) return
    this.looking = true
    await new Promise((resolve) => setTimeout(resolve, this.items.length ? 2000 : 200))
    this.looking = false
    const found = await get(`/tasks/${this.taskId}/items?limit=${ITEMS_SHOWN}`).catch(() => null)
    if (found && !this.leaving.signal.aborted) this.items = found.items.map(itemOf)
  },
  get answered() {
    return this.task.items.ok + this.task.items.failed
  },
  async fetchItems() {
    await this.attempt(() => downloadItems(this.taskId))
  },

  get ended() {
    return hasEnded(this.task)
  },
  get said() {
    return stateSaid(this.task)
  },
  get tone() {
    return stateTone(this.task)
  },
  get hasReport() {
    return this.ended && this.task.steps.some((step) => step.state === 'delivered')
  },
  get canRetry() {
    const { queued_at, status, outcome } = this.task
    return Boolean(queued_at) && (['FAILED', 'CANCELLED'].includes(status) || outcome === 'partial')
  },
  get delivered() {
    return this.task.steps.filter((step) => step.state === 'delivered').length
  },

  // A pending step of a task that works may be the one whose turn just came.
  stateOf(step) {
    return step.state === 'pending' && !this.ended && step.agent_id === this.current ? 'running' : step.state
  },
  tookOf(step) {
    if (step.duration_ms !== null) return format.milliseconds(step.duration_ms)
    if (this.stateOf(step) === 'running' && step.started_at) return format.seconds(Math.max(0, (this.now - new Date(step.started_at)) / 1000))
    return ''
  },
  get elapsed() {
    const { started_at, finished_at } = this.task
    return started_at ? format.seconds(Math.max(0, ((finished_at ? new Date(finished_at) : this.now) - new Date(started_at)) / 1000)) : ''
  },
  get left() {
    const eta = this.task.eta
    if (!eta) return ''
    const range = eta.high > eta.low ? ` (${format.seconds(eta.low)} to ${format.seconds(eta.high)})` : ''
    return `About ${format.seconds(eta.likely)} to go${range}`
  },

  async cancel() {
    await this.attempt(async () => this.hear({ task: await post(`/tasks/${this.taskId}/cancel`) }))
  },

  async retry() {
    await this.attempt(async () => {
      const again = await this.again()
      this.$store.app.files[again] = this.$store.app.files[this.taskId]
      this.$store.app.countCredits()
      go(`/tasks/${again}`)
    })
  },

  // The id of the task that repeats this one: a new one, or the one that does already.
  async again() {
    try {
      return (await post(`/tasks/${this.taskId}/retry`, {}, { key: this.retryKey })).task_id
    } catch (error) {
      if (error.status >= 400 && error.status < 500) this.retryKey = newKey()
      if (error.context?.retry_id) return error.context.retry_id
      throw error
    }
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
