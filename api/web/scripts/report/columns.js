// Every column: what it is, its figures, its shape; and what the columns have to do with each other.

import { format } from '../format.js'
import { bars } from './overview.js'

const VALUES_SHOWN = 6
const GAPS_SHOWN = 20

export function columns({ report }) {
  const profile = report.agent_results['unified-profiler']?.data
  if (!profile) return null
  return {
    profile,
    cards: profile.columns.map(card),
    types: Object.entries(profile.logical_types),
    missing: missing(profile.columns),
    heat: heat(profile.matrix),
    keys: profile.key_candidates.map((key) => key.columns.join(' + ')),
    dependencies: profile.dependencies.slice(0, 8).map((found, key) => ({ key, text: `${found.determinants.join(' + ')} → ${found.dependent}`, exact: found.exact, error: found.error })),
    limits: profile.limits,
  }
}

function card(column) {
  const shape = column.histogram.length ? histogram(column) : null
  return {
    key: column.position,
    name: column.name,
    type: column.logical_type,
    meaning: column.semantic_type ? format.plain(column.semantic_type) : '',
    grade: column.quality.grade,
    score: column.quality.score,
    missing: column.null_percent,
    outliers: column.outliers?.count || 0,
    broken: column.invalid,
    figures: figures(column),
    histogram: shape,
    values: shape ? [] : valueBars(column),
    shapes: column.patterns.slice(0, 3).map((pattern) => pattern.value),
    nothing: column.disguised_values.slice(0, 3).map((word) => `“${word.value}” × ${format.whole(word.count)}`).join(', '),
  }
}

function figures(column) {
  const { numbers, times, lengths } = column
  const found = [['Present', format.whole(column.count)], ['Missing', format.percent(column.null_percent)], ['Distinct', format.whole(column.distinct)]]
  if (numbers) found.push(['Mean', format.figure(numbers.mean)], ['Median', format.figure(numbers.median)], ['Std', format.figure(numbers.std)])
  if (times) found.push(['Earliest', day(times.earliest)], ['Latest', day(times.latest)])
  if (lengths && !numbers && !times) found.push(['Length', `${lengths.minimum}–${lengths.maximum}`], ['Entropy', `${format.number(column.entropy)} bit`])
  if (column.outliers?.count) found.push(['Outliers', format.whole(column.outliers.count)])
  if (column.invalid) found.push(['Broken', format.whole(column.invalid)])
  return found
}

const day = (text) => text.replace('T00:00:00', '').replace('T', ' ')

function valueBars(column) {
  const top = column.top_values.slice(0, VALUES_SHOWN)
  return bars(top.map((value) => [value.value, value.percent]))
}

function histogram(column) {
  const isTime = Boolean(column.times)
  const ends = column.histogram.map((bin) => `${edge(bin.low, isTime)} – ${edge(bin.high, isTime)}`)
  const fullest = column.histogram.reduce((most, bin, at) => (bin.count > column.histogram[most].count ? at : most), 0)
  return {
    kind: 'histogram',
    labels: ends,
    series: [{ name: 'rows', values: column.histogram.map((bin) => bin.count), tone: 'accent' }],
    ends: isTime ? [day(column.times.earliest).slice(0, 10), day(column.times.latest).slice(0, 10)] : [format.figure(column.numbers?.minimum), format.figure(column.numbers?.maximum)],
    summary: `Distribution of ${column.name}: most values lie in ${ends[fullest]}.`,
  }
}

// A bin of times is in seconds since 1970.
function edge(value, isTime) {
  return isTime ? new Date(value * 1000).toISOString().slice(0, 10) : format.figure(value)
}

function missing(list) {
  const gaps = list.filter((column) => column.null_percent > 0).sort((a, b) => b.null_percent - a.null_percent)
  const shown = gaps.slice(0, GAPS_SHOWN).map((column) => {
    const cells = column.count + column.nulls + column.disguised_nulls || 1
    return { key: column.position, label: column.name, value: column.null_percent, width: `${((100 * column.nulls) / cells).toFixed(1)}%`, more: `${((100 * column.disguised_nulls) / cells).toFixed(1)}%` }
  })
  return { shown, rest: gaps.length - shown.length }
}

// Pearson's r as a table: the sign by hue, the size by strength.
function heat({ columns: names, coefficients }) {
  if (names.length < 2) return null
  const rows = coefficients.map((row, i) => ({
    key: i,
    name: names[i],
    cells: row.map((r, j) => ({ key: j, said: r === null ? '–' : format.number(r), sign: r === null ? 'none' : r < 0 ? 'minus' : 'plus', strength: Math.abs(r ?? 0).toFixed(2), title: `${names[i]} and ${names[j]}` })),
  }))
  return { names, rows }
}
