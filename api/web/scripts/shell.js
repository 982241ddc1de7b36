// What every page shares: who is signed in, where we are, how much is left, light or dark, and one notice.

import { get } from './http.js'
import { placeOf } from './router.js'
import { session } from './session.js'

const THEME = 'agensium.theme'
const SILENT = { message: 'The server does not answer just now.', next: 'You are still signed in.' }
const dark = matchMedia('(prefers-color-scheme: dark)')

export const shell = {
  about: { signup_credits: 0, example: null, version: '' },
  ready: false,
  stuck: null, // why we do not know who is signed in, where we should
  user: null,
  balance: null,
  tools: [],
  place: placeOf(location.hash),
  notice: null,
  said: '', // to those who listen rather than look
  theme: localStorage.getItem(THEME) || 'auto',
  isDark: false,
  draft: null, // what a report proposes as the next task
  files: {}, // of this visit, by task: a next step may want the same file again

  async init() {
    this.paint()
    dark.addEventListener('change', () => this.paint())
    addEventListener('hashchange', () => this.move())
    session.whenEnded(() => this.left())
    this.about = await get('/web/about').catch(() => this.about)
    await this.begin()
    this.ready = true
  },

  // Whoever is signed in comes in. Where that fails for now, they stay signed in and may try again.
  async begin() {
    try {
      if (await session.isOpen()) await this.enter()
      this.stuck = !this.user && session.isKept ? SILENT : null
    } catch (error) {
      this.stuck = session.isKept ? error : null
    }
  },

  async enter() {
    const [user, { tools }] = await Promise.all([get('/auth/me'), get('/tools')])
    this.tools = tools
    this.user = user
    this.countCredits()
  },

  // Nothing waits for it: without an answer the last one stands.
  async countCredits() {
    const found = await get('/credits').catch(() => null)
    if (found) this.balance = found.balance
  },

  signOut() {
    return session.signOut().catch(() => {})
  },

  left() {
    this.user = null
    this.balance = null
    this.files = {}
  },

  move() {
    this.place = placeOf(location.hash)
    this.notice = null
  },

  // Which view stands in <main>: another task is another view, another tab of a task is not.
  get view() {
    if (!this.ready) return ''
    if (!this.user) return this.stuck ? 'stuck' : 'sign_in'
    return this.place.view === 'task' ? `task:${this.place.id}` : this.place.view
  },

  get isAdmin() {
    return this.user?.role === 'admin'
  },

  toolName(id) {
    return this.tools.find((tool) => tool.tool_id === id)?.name || id
  },

  say(sentence) {
    this.said = sentence
  },

  // A Problem in plain sight; anything else is our own fault and goes to the console.
  show(error) {
    if (error.name === 'AbortError') return
    this.notice = { message: error.message, next: error.next || '', code: error.code || '' }
    if (error.status === undefined) console.error(error)
  },

  paint() {
    this.isDark = this.theme === 'dark' || (this.theme === 'auto' && dark.matches)
    document.documentElement.dataset.theme = this.isDark ? 'dark' : 'light'
  },

  switchTheme() {
    this.theme = this.isDark ? 'light' : 'dark'
    localStorage.setItem(THEME, this.theme)
    this.paint()
  },
}
