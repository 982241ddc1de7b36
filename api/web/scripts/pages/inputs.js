// The files of a new task, by role, and what is said of them and of a price by use, as a part of its page.

import { format } from '../format.js'
import { columnsOf } from '../header.js'

const HINTS = {
  baseline: 'An earlier delivery of the same data, to see what has drifted since.',
  schema: 'A contract that the table must keep, as JSON or YAML.',
  cross_reference: 'The cross-reference of an earlier run, so that records keep their ids.',
  parameters: 'Options from a parameters.json, instead of the form below.',
  messages: 'A conversation as JSON, instead of the prompt below.',
  input: 'What the templates read as input, as JSON.',
}

export const inputs = {
  filesOf(role) {
    return this.files[role] || []
  },
  namesOf(role) {
    return this.filesOf(role).map((file) => file.name).join(', ')
  },
  hint: (role) => HINTS[role] || '',
  accepts: (input) => input.formats.map((format) => `.${format}`).join(','),

  // A role that takes several keeps those of other names.
  async take(role, files) {
    if (!files.length || this.busy) return
    this.forget()
    const isMany = this.tool.inputs.find((input) => input.role === role)?.many
    const names = files.map((file) => file.name)
    const kept = this.filesOf(role).filter((file) => !names.includes(file.name))
    this.files = { ...this.files, [role]: isMany ? [...kept, ...files] : files.slice(0, 1) }
    if (role === 'primary') this.columns = await columnsOf(files[0]).catch(() => [])
  },
  drop(role, event) {
    this.over = ''
    return this.take(role, [...event.dataTransfer.files])
  },
  pick(role, event) {
    const files = [...event.target.files]
    event.target.value = '' // the same file once more is a choice, too
    return this.take(role, files)
  },
  remove(role) {
    this.forget()
    this.files = Object.fromEntries(Object.entries(this.files).filter(([name]) => name !== role))
  },
  async tryExample() {
    const address = this.$store.app.about.example
    const blob = await (await fetch(address)).blob()
    await this.take('primary', [new File([blob], address.split('/').pop(), { type: 'text/csv' })])
  },

  tariffOf: (tool) => tool.agents.find((agent) => agent.tariff)?.tariff || null,
  byUse(tool) {
    const { per_call, per_thousand_tokens } = this.tariffOf(tool)
    const parts = [per_call && `${format.credits(per_call)} a call`, per_thousand_tokens && `${format.credits(per_thousand_tokens)} per 1,000 tokens`]
    return parts.filter(Boolean).join(', ')
  },
}
