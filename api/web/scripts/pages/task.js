// One task: watched while it goes, then its report.

import { follow } from '../follow.js'
import { format } from '../format.js'
import { post } from '../http.js'
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
      this.missing = error
    }
  },

  hear({ task, progress, current_agent }) {
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
    return ['FAILED', 'CANCELLED'].includes(this.task.status) || this.task.outcome === 'partial'
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
      const again = await post(`/tasks/${this.taskId}/retry`)
      this.$store.app.files[again.task_id] = this.$store.app.files[this.taskId]
      this.$store.app.countCredits()
      go(`/tasks/${again.task_id}`)
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
