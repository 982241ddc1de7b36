// Who is signed in. The access token lives in this page's memory; the refresh token in this tab's storage, and works
// once: renewals wait for one another.

const KEPT = 'agensium.refresh'
const EARLY = 30_000 // renewed this long before it is too old

let access = null
let goodUntil = 0
let renewal = null
let onEnd = () => {}

// A doubled tab holds the same refresh token: whoever spends it tells the others the next.
const tabs = new BroadcastChannel(KEPT)
tabs.onmessage = ({ data }) => {
  if (sessionStorage.getItem(KEPT) === data.spent) sessionStorage.setItem(KEPT, data.fresh)
}

function keep(tokens) {
  access = tokens.access_token
  goodUntil = performance.now() + tokens.expires_in * 1000 - EARLY
  sessionStorage.setItem(KEPT, tokens.refresh_token)
}

async function exchange() {
  const refresh_token = sessionStorage.getItem(KEPT)
  if (!refresh_token) return false
  const headers = { 'Content-Type': 'application/json' }
  const answer = await fetch('/auth/refresh', { method: 'POST', headers, body: JSON.stringify({ refresh_token }) })
  if (answer.ok) {
    const tokens = await answer.json()
    keep(tokens)
    tabs.postMessage({ spent: refresh_token, fresh: tokens.refresh_token })
  }
  if (answer.ok || ![401, 422].includes(answer.status)) return answer.ok
  if (sessionStorage.getItem(KEPT) !== refresh_token) return exchange() // another tab told us the next meanwhile
  sessionStorage.removeItem(KEPT)
  return false
}

export const session = {
  // Whether somebody is signed in, should the server answer.
  get isKept() {
    return Boolean(sessionStorage.getItem(KEPT))
  },

  async isOpen() {
    return access !== null || this.renew().catch(() => false)
  },

  start(tokens) {
    keep(tokens)
  },

  // True where there is a token now; whoever asks meanwhile gets the same answer.
  async renew() {
    renewal ??= exchange().finally(() => (renewal = null))
    return renewal
  },

  async header() {
    if (access && performance.now() > goodUntil) await this.renew()
    return access ? { Authorization: `Bearer ${access}` } : {}
  },

  end() {
    access = null
    sessionStorage.removeItem(KEPT)
    onEnd()
  },

  async signOut() {
    const refresh_token = sessionStorage.getItem(KEPT)
    const headers = { 'Content-Type': 'application/json' }
    this.end()
    if (refresh_token) await fetch('/auth/logout', { method: 'POST', headers, body: JSON.stringify({ refresh_token }) })
  },

  whenEnded(callback) {
    onEnd = callback
  },
}
