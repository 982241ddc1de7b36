// x-chart="config": a chart in this element, drawn when it comes into sight, in the colours of the page.
// config: {kind: 'histogram' | 'pair', labels, series: [{name, values, tone}], unit, ends, axis, summary}

import { format } from './format.js'

let library = null

// The library is fetched with the first chart that is seen.
async function chartLibrary() {
  library ??= import('/web/vendor/chart/chart.js').then(() => globalThis.Chart)
  return library
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()

function settings({ kind, labels, series, unit = '', axis = kind === 'pair' }) {
  const grid = { color: colour('line'), drawTicks: false }
  const ticks = { color: colour('ink-soft'), font: { family: 'Inter, system-ui, sans-serif', size: 11 }, maxRotation: 40, autoSkip: true }
  return {
    type: 'bar',
    data: {
      labels,
      datasets: series.map(({ name, values, tone }) => ({
        label: name,
        data: values,
        backgroundColor: colour(tone),
        hoverBackgroundColor: colour('accent-strong'),
        borderRadius: 2,
        categoryPercentage: kind === 'pair' ? 0.76 : 1,
        barPercentage: kind === 'pair' ? 1 : 0.92,
        minBarLength: 2,
      })),
    },
    options: {
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      interaction: { mode: 'index', intersect: false },
      scales: {
        x: { display: axis, grid: { display: false }, border: { color: colour('line') }, ticks },
        y: { display: axis, beginAtZero: true, grid, border: { display: false }, ticks: { ...ticks, maxTicksLimit: 5, callback: (value) => format.compact(value) + unit } },
      },
      plugins: {
        legend: { display: series.length > 1, labels: { color: colour('ink-soft'), boxWidth: 10, boxHeight: 10, font: ticks.font } },
        tooltip: { displayColors: series.length > 1, callbacks: { label: (item) => `${item.dataset.label}: ${format.figure(item.raw)}${unit}` } },
      },
    },
  }
}

export function installCharts(Alpine) {
  Alpine.directive('chart', (el, { expression }, { evaluateLater, effect, cleanup }) => {
    const evaluate = evaluateLater(expression)
    const canvas = document.createElement('canvas')
    let chart = null
    let seen = false
    let config = null

    async function draw() {
      if (!seen || !config) return
      const Chart = await chartLibrary()
      chart?.destroy()
      if (canvas.isConnected) chart = new Chart(canvas, settings(config))
    }

    canvas.setAttribute('role', 'img')
    el.replaceChildren(canvas)
    const watcher = new IntersectionObserver(([entry]) => {
      if (seen || !entry.isIntersecting) return
      seen = true
      draw()
    }, { rootMargin: '200px' })
    watcher.observe(el)
    effect(() => {
      void Alpine.store('app').isDark // another theme, other colours
      evaluate((value) => {
        config = value ? Alpine.raw(value) : null
        canvas.setAttribute('aria-label', config?.summary || '')
        draw()
      })
    })
    cleanup(() => {
      watcher.disconnect()
      chart?.destroy()
    })
  })
}
