// Keys for programs: made, shown once, revoked.

import { ask, get, post } from '../http.js'

export const account = () => ({
  keys: [],
  name: '',
  scope: 'manage',
  scopes: { read: 'only look', run: 'run tasks', manage: 'everything' },
  made: null,
  loaded: false,

  init() {
    this.load()
  },

  async load() {
    await this.attempt(async () => {
      this.keys = (await get('/auth/api-keys')).api_keys
      this.loaded = true
    })
  },

  async make() {
    await this.attempt(async () => {
      this.made = await post('/auth/api-keys', { name: this.name, scope: this.scope })
      this.name = ''
      await this.load()
    })
  },

  async revoke(key) {
    await this.attempt(async () => {
      await ask('DELETE', `/auth/api-keys/${key.id}`)
      if (this.made?.id === key.id) this.made = null
      await this.load()
    })
  },

  async attempt(what) {
    try {
      await what()
    } catch (error) {
      this.$store.app.show(error)
    }
  },
})
