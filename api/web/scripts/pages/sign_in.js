// Sign in, or open an account.

import { post } from '../http.js'
import { session } from '../session.js'

export const signIn = () => ({
  isNew: true,
  email: '',
  password: '',
  busy: false,
  problem: null,

  init() {
    this.isNew = !localStorage.getItem('agensium.known')
  },

  get title() {
    return this.isNew ? 'Open an account' : 'Sign in'
  },

  turn() {
    this.isNew = !this.isNew
    this.problem = null
  },

  async submit() {
    this.busy = true
    this.problem = null
    try {
      const { email, password } = this
      session.start(await post(this.isNew ? '/auth/register' : '/auth/login', { email, password }))
      localStorage.setItem('agensium.known', '1')
      await this.$store.app.begin()
    } catch (error) {
      this.problem = error
    } finally {
      this.busy = false
    }
  },
})
