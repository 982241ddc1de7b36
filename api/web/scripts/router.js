// Where we are is the part after #, so that a link, the back button and a reload all mean the same place.

const PLACES = [
  ['new', /^\/?$/],
  ['new', /^\/new$/],
  ['tasks', /^\/tasks$/],
  ['task', /^\/tasks\/([\w-]+)(?:\/(\w+))?$/],
  ['search', /^\/search$/],
  ['credits', /^\/credits$/],
  ['account', /^\/account$/],
  ['operator', /^\/operator(?:\/(\w+))?$/],
]

export function placeOf(hash) {
  const path = hash.replace(/^#/, '')
  for (const [view, shape] of PLACES) {
    const match = path.match(shape)
    if (match) return { view, id: match[1] || '', tab: match[2] || '' }
  }
  return { view: 'nowhere', id: '', tab: '' }
}

export function go(path) {
  location.hash = path
}
