// What was ingested, and a question to it. What is found is a customer's own text, shown as text.

import { get, post } from '../http.js'

export const search = () => ({
  collections: [],
  name: '',
  query: '',
  hits: null,
  loaded: false,
  busy: false,

  async init() {
    try {
      this.collections = (await get('/collections?limit=100')).collections
      this.name = (this.active[0] || { name: '' }).name
      this.loaded = true
    } catch (error) {
      this.$store.app.show(error)
    }
  },

  // A collection that is ingested into anew is found in meanwhile.
  get active() {
    return this.collections.filter((collection) => collection.chunk_count)
  },

  async look() {
    if (!this.query.trim() || !this.name) return
    this.busy = true
    try {
      this.hits = (await post(`/collections/${this.name}/search`, { query: this.query.trim(), limit: 10 })).hits
      this.$store.app.say(`${this.hits.length} found.`)
    } catch (error) {
      this.$store.app.show(error)
    } finally {
      this.busy = false
    }
  },

  toneOf: ({ status }) => ({ active: 'good', failed: 'bad' })[status] || 'warning',
})
