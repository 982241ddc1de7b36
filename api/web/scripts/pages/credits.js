// The balance and the ledger behind it.

import { get } from '../http.js'

const SIGN = { GRANT: '+', HOLD: '−', RELEASE: '+', CAPTURE: '' }
const SAID = {
  GRANT: 'Granted',
  HOLD: 'Set aside for a task',
  CAPTURE: 'Charged from what was set aside',
  RELEASE: 'Given back',
}

export const credits = () => ({
  entries: [],
  next: null,
  loaded: false,

  init() {
    this.load()
  },

  async load(cursor = '') {
    try {
      const page = await get(`/credits/entries?limit=50${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)
      this.entries = cursor ? [...this.entries, ...page.entries] : page.entries
      this.next = page.next
      this.loaded = true
      await this.$store.app.countCredits()
    } catch (error) {
      this.$store.app.show(error)
    }
  },

  more() {
    return this.load(this.next)
  },

  said: (entry) => SAID[entry.kind] || entry.kind,
  sign: (entry) => SIGN[entry.kind] ?? '',
})
