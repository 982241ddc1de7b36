// What the fields of an agent's options do, as a part of the page of a new task: it forgets its quote after each change.

import { isChanged } from '../forms.js'

export const options = {
  changed: (agent) => agent.fields.filter((field) => isChanged(field)).length,
  hasColumn: (field, name) => field.value.split('\n').includes(name),
  addColumn(field, name) {
    const lines = field.value.split('\n').filter(Boolean)
    field.value = (lines.includes(name) ? lines.filter((line) => line !== name) : [...lines, name]).join('\n')
    this.forget()
  },
  addPair(field) {
    field.value.push({ key: '', word: field.valueOptions[0]?.value ?? '' })
  },
  removePair(field, index) {
    field.value.splice(index, 1)
    this.forget()
  },
}
