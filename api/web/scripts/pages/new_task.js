// A new task: a file, a tool, its options, what it will cost, and off it goes.

import { upload } from '../files.js'
import { fieldsOf, fill, parametersOf } from '../forms.js'
import { ask, newKey, post, Problem } from '../http.js'
import { go } from '../router.js'
import { inputs } from './inputs.js'
import { options } from './options.js'

export const newTask = () => ({
  tool: null,
  agents: [], // of the tool: {…agent, chosen, fields, open}
  files: {}, // role → [File], of all tools that were looked at
  columns: [],
  over: '', // the role a file is held over
  taskId: null,
  quote: null,
  mayRun: false, // asked to start, and no answer came
  sent: {}, // number of the file → 0..1
  busy: '',
  leaving: null,

  init() {
    this.leaving = new AbortController()
    const { draft, tools } = this.$store.app
    const wanted = tools.find((tool) => tool.tool_id === draft?.tool_id)
    this.choose(wanted || tools.find((tool) => tool.available))
    if (draft) this.follow(draft)
    this.$store.app.draft = null
  },

  // What is under way ends, and cleans up after itself.
  destroy() {
    this.leaving.abort()
    this.forget()
  },

  choose(tool) {
    this.forget()
    this.tool = tool
    this.agents = tool.agents.map((agent) => ({ ...agent, chosen: true, fields: fieldsOf(agent.parameters, tool.models) }))
    for (const field of this.agents.flatMap((agent) => agent.fields)) if (field.name === 'stream') field.value = true // somebody looks
  },

  // What a report has proposed: agents, parameters, and the file where we still hold it.
  follow({ agents, parameters, file }) {
    for (const agent of this.agents) {
      agent.chosen = !agents?.length || agents.includes(agent.agent_id)
      for (const field of agent.fields) {
        const value = parameters?.[agent.agent_id]?.[field.name]
        if (value !== undefined) fill(field, value)
      }
    }
    if (file) this.take('primary', [file])
  },

  // files

  // The file that the tool works on; null where it needs none.
  get main() {
    return this.tool.inputs.find((input) => input.role === 'primary') || this.tool.inputs.find((input) => input.required) || null
  },
  get further() {
    return this.tool.inputs.filter((input) => input.role !== this.main?.role)
  },
  get mainFiles() {
    return this.main ? this.filesOf(this.main.role) : []
  },
  get given() {
    return this.tool.inputs.flatMap(({ role }) => this.filesOf(role).map((file) => [role, file]))
  },

  // agents and their price

  total: (tool) => tool.agents.reduce((sum, agent) => sum + agent.price, 0),
  lacks(agent) {
    const own = this.further.map((input) => input.role)
    return agent.roles.filter((role) => own.includes(role) && !this.filesOf(role).length)
  },
  runs(agent) {
    return agent.chosen && !this.lacks(agent).length
  },
  get columnNames() {
    return [...new Set(this.columns)]
  },
  get price() {
    return this.agents.filter((agent) => this.runs(agent)).reduce((sum, agent) => sum + agent.price, 0)
  },
  get chosenAgents() {
    return this.agents.filter((agent) => this.runs(agent))
  },
  get isReady() {
    return (!this.main || this.mainFiles.length) && this.chosenAgents.length && !this.busy
  },
  // Its agents are one whole: none is chosen or left out.
  get isWhole() {
    return this.tool.agents.some((agent) => agent.tariff)
  },
  ...inputs,
  ...options,

  // A task that was made for a quote is of no use once something was changed.
  forget() {
    if (this.busy) return
    if (this.taskId && !this.mayRun) ask('DELETE', `/tasks/${this.taskId}`).catch(() => {})
    this.taskId = null
    this.mayRun = false
    this.quote = null
    this.sent = {}
  },

  asked() {
    const isSubset = this.agents.some((agent) => !agent.chosen)
    const parameters = {}
    for (const agent of this.chosenAgents) {
      const chosen = parametersOf(agent.fields)
      if (!chosen) throw new Problem({ detail: `An option of ${agent.agent_name} cannot be read.`, next_action: 'Mend what is marked.' }, 422)
      if (Object.keys(chosen).length) parameters[agent.agent_id] = chosen
    }
    return { tool_id: this.tool.tool_id, parameters, agents: isSubset ? this.chosenAgents.map((agent) => agent.agent_id) : [] }
  },

  // Upload and ask what it would cost; nothing is held yet.
  async check() {
    const { signal } = this.leaving
    await this.attempt('Uploading', async () => {
      const taskId = (await post('/tasks', this.asked(), { key: newKey() })).task_id
      this.taskId = taskId
      for (const [at, [role, file]] of this.given.entries()) {
        await upload(taskId, role, file, (share) => (this.sent = { ...this.sent, [at]: share }), signal)
        this.sent = { ...this.sent, [at]: 1 }
      }
      this.busy = 'Checking'
      this.quote = await post(`/tasks/${taskId}/quote`, {}, { signal })
      this.$store.app.say(`${this.given.length ? 'The file has arrived. ' : ''}The price is shown.`)
    })
    // Not before the frame in which the button comes into sight: what is hidden takes no focus.
    if (this.quote) this.$nextTick(() => requestAnimationFrame(() => this.$refs.start?.focus()))
  },

  async start() {
    const taskId = this.taskId
    await this.attempt('Starting', async () => {
      const before = this.mayRun
      this.mayRun = true // leaving this page must not delete it
      await post(`/tasks/${taskId}/process`, {}, { key: taskId }).catch((error) => {
        this.mayRun = before || !(error.status >= 400 && error.status < 500)
        throw error
      })
      this.$store.app.files[taskId] = this.filesOf('primary')[0]
      this.$store.app.countCredits()
      if (!this.leaving.signal.aborted) go(`/tasks/${taskId}`)
    })
  },

  get uploaded() {
    const shares = Object.values(this.sent)
    return shares.length ? shares.reduce((sum, share) => sum + share, 0) / this.given.length : 0
  },

  async attempt(doing, what) {
    this.busy = doing
    this.$store.app.notice = null
    try {
      await what()
    } catch (error) {
      this.busy = ''
      if (doing === 'Uploading') this.forget()
      this.$store.app.show(error)
    } finally {
      this.busy = ''
    }
  },
})
