// x-view="name": a page of views/ in this element. The pages are ours and hold no data; data comes in by x-text.

const kept = new Map()

async function page(name) {
  if (!kept.has(name)) {
    const answer = await fetch(`/web/views/${name}.html`)
    if (!answer.ok) throw new Error(`${name} was answered by ${answer.status}`)
    const template = document.createElement('template')
    template.innerHTML = await answer.text()
    kept.set(name, template)
  }
  return kept.get(name).content.cloneNode(true)
}

// In the place of a page that could not be fetched.
function apology(tryAgain) {
  const said = Object.assign(document.createElement('p'), { className: 'empty', textContent: 'This could not be fetched. ' })
  const button = Object.assign(document.createElement('button'), { type: 'button', textContent: 'Try again', onclick: tryAgain })
  said.setAttribute('role', 'alert')
  said.append(button)
  return said
}

export function installView(Alpine) {
  Alpine.directive('view', (el, { expression, modifiers }, { effect, evaluateLater }) => {
    const evaluate = evaluateLater(expression)
    let shown = null
    async function show(view, isFirst) {
      const content = view ? await page(view.split(':')[0]).catch(() => apology(() => show(view, isFirst))) : ''
      if (shown !== view) return // somebody went on meanwhile
      el.replaceChildren(content)
      if (modifiers.includes('main') && view) Alpine.nextTick(() => arrive(el, isFirst))
    }
    effect(() =>
      evaluate((view) => {
        if (view === shown) return
        const isFirst = !shown
        shown = view
        show(view, isFirst)
      }),
    )
  })
}

let awaited = null // of a page whose heading comes with its data

// A new page begins at its top, for eyes and for screen readers; the first one leaves the focus where it is.
function arrive(el, isFirst) {
  if (!isFirst) scrollTo(0, 0)
  document.title = 'Agensium'
  awaited?.disconnect()
  awaited = new MutationObserver(() => welcome(el, isFirst))
  awaited.observe(el, { childList: true, subtree: true })
  welcome(el, isFirst)
}

function welcome(el, isFirst) {
  const heading = el.querySelector('h1')
  if (!heading) return
  awaited.disconnect()
  const title = (heading.firstElementChild || heading).textContent // without the tag behind it
  document.title = title ? `${title} · Agensium` : 'Agensium'
  const isBusy = document.activeElement !== el && el.contains(document.activeElement)
  if (isFirst || isBusy) return
  heading.tabIndex = -1
  heading.focus({ preventScroll: true })
}
