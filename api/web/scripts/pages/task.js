// One task: watched while it goes, then its report.

import { follow } from '../follow.js'
import { format } from '../format.js'
import { newKey, post } from '../http.js'
import { go } from '../router.js'
import { hasEnded, stateSaid, stateTone } from '../states.js'

export const task = () => ({
  task: null,
  progress: 0,
  current: null,
  missing: null,
  busy: false,
  now: Date.now(),
  taskId: '',
  retryKey: newKey(), // the same one until an answer has come, so that one retry is made
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
    if (isLost === undefined) this.learn(news)
  },

  learn({ task, progress, current_agent }) {
    const before = this.task?.status
    if (task) this.task = task
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
