// What has changed since the baseline, column by column, the farthest first.

import { format } from '../format.js'

const BARS = 14
const REASONS = 2 // one test after another says the same in its own figure

export function drift({ report }) {
  const data = report.agent_results['drift-detector']?.data
  if (!data) return null
  const found = data.columns.map(column).sort((a, b) => b.distance - a.distance)
  const most = Math.max(...found.map((one) => one.distance), 0.001)
  return {
    data,
    columns: found.map((one) => ({ ...one, width: `${((100 * one.distance) / most).toFixed(1)}%` })),
    changed: found.filter((one) => one.drifted || one.types),
    drifted: found.filter((one) => one.drifted).length,
  }
}

function column(found, key) {
  const reasons = [...new Set(found.signals.map((signal) => signal.message))]
  return {
    key,
    name: found.name,
    drifted: found.drifted,
    severity: found.severity,
    distance: found.leading_figure?.value ?? 0,
    figure: format.plain(found.leading_figure?.figure),
    types: found.type_changed ? `${found.baseline_type} → ${found.primary_type}` : '',
    reasons: reasons.slice(0, REASONS),
    more: reasons.slice(REASONS),
    notJudged: found.not_judged,
    chart: found.drifted ? chart(found) : null,
  }
}

// The two distributions beside each other, in percent of either side.
function chart(found) {
  const shares = found.bins.length ? merged(found.bins) : found.values.find((part) => part.aspect === 'value')?.shares.slice(0, BARS)
  if (!shares?.length) return null
  return {
    kind: 'pair',
    labels: shares.map((share) => share.value),
    series: [
      { name: 'baseline', values: shares.map((share) => 100 * share.baseline_share), tone: 'quiet' },
      { name: 'now', values: shares.map((share) => 100 * share.share), tone: 'accent' },
    ],
    unit: ' %',
    summary: `${found.name}: shares in the baseline and now.`,
  }
}

// Fewer, wider bins, so that both sides can be told apart.
function merged(bins) {
  const step = Math.ceil(bins.length / BARS)
  const found = []
  for (let at = 0; at < bins.length; at += step) {
    const group = bins.slice(at, at + step)
    const [first, last] = [group[0], group.at(-1)]
    const sum = (name) => group.reduce((total, bin) => total + bin[name], 0)
    found.push({ value: edges(first.above, last.up_to), baseline_share: sum('baseline_share'), share: sum('share') })
  }
  return found
}

function edges(low, high) {
  if (low === null) return `≤ ${format.figure(high)}`
  if (high === null) return `> ${format.figure(low)}`
  return low === high ? format.figure(low) : `${format.figure(low)}–${format.figure(high)}`
}
