// x-view="name": a page of views/ in this element. The pages are ours and hold no data; data comes in by x-text.

const kept = new Map()

async function page(name) {
  if (!kept.has(name)) {
    const answer = await fetch(`/web/views/${name}.html`)
    const template = document.createElement('template')
    template.innerHTML = answer.ok ? await answer.text() : ''
    kept.set(name, template)
  }
  return kept.get(name).content.cloneNode(true)
}

export function installView(Alpine) {
  Alpine.directive('view', (el, { expression, modifiers }, { effect, evaluateLater }) => {
    const evaluate = evaluateLater(expression)
    let shown = null
    effect(() =>
      evaluate(async (view) => {
        if (view === shown) return
        const isFirst = !shown
        shown = view
        const content = view ? await page(view.split(':')[0]) : ''
        if (shown !== view) return // somebody went on meanwhile
        el.replaceChildren(content)
        if (modifiers.includes('main') && !isFirst) arrive(el)
      }),
    )
  })
}

// A new page begins at its top, for eyes and for screen readers.
function arrive(el) {
  scrollTo(0, 0)
  const heading = el.querySelector('h1')
  document.title = heading?.textContent ? `${heading.textContent} · Agensium` : 'Agensium'
  if (!heading) return
  heading.tabIndex = -1
  heading.focus({ preventScroll: true })
}
