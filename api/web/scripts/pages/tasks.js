// My tasks, newest first, a page at a time.

import { get } from '../http.js'
import { stateSaid, stateTone } from '../states.js'

export const tasks = () => ({
  list: [],
  next: null,
  status: '',
  loaded: false,

  init() {
    this.load()
  },

  async load(cursor = '') {
    const query = new URLSearchParams({ limit: '25', ...(this.status && { status: this.status }), ...(cursor && { cursor }) })
    try {
      const page = await get(`/tasks?${query}`)
      this.list = cursor ? [...this.list, ...page.tasks] : page.tasks
      this.next = page.next
      this.loaded = true
    } catch (error) {
      this.$store.app.show(error)
    }
  },

  said: stateSaid,
  tone: stateTone,

  more() {
    return this.load(this.next)
  },
})
