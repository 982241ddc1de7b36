// From rows to golden records: the clusters, how their fields were decided, what is left for people, and the proof.

import { format } from '../format.js'
import { bars } from './overview.js'

export function mastering({ report }) {
  const of = (id) => report.agent_results[id]?.data
  const builder = of('golden-record-builder')
  const survivor = of('survivorship-resolver')
  const clusters = builder?.clusters || survivor?.clusters
  const keys = of('key-identifier')
  if (!clusters && !keys) return null
  return {
    clusters: clusters && { ...clusters, alone: clusters.clusters - clusters.clusters_of_several_rows, width: `${((100 * clusters.clusters) / (clusters.rows || 1)).toFixed(1)}%` },
    trust: builder?.trust || null,
    decisions: decisionsOf(survivor),
    rules: bars(Object.entries(survivor?.rules || {}).sort((a, b) => b[1] - a[1]).map(([rule, n]) => [format.plain(rule), n])),
    keys: keysOf(keys),
    mappings: of('semantic-mapper')?.column_mappings || [],
    tasks: bars(Object.entries(of('stewardship-flagger')?.by_kind || {}).filter(([, n]) => n).map(([kind, n]) => [format.words(kind), n])),
    checks: (of('master-writeback-agent')?.checks || []).map((check) => ({ ...check, message: check.sentence })),
  }
}

function decisionsOf(survivor) {
  return Object.entries(survivor?.decisions || {}).map(([column, found]) => ({
    column,
    ...found,
    agreed: `${((100 * (found.decided - found.conflicts)) / (found.decided || 1)).toFixed(1)}%`,
    fought: `${((100 * found.conflicts) / (found.decided || 1)).toFixed(1)}%`,
  }))
}

function keysOf(keys) {
  if (!keys) return null
  return { primary: keys.primary_key?.columns.join(' + ') || '', confidence: keys.primary_key?.confidence, reasons: keys.primary_key?.reasons || [], entity: keys.entity_keys.map((key) => key.column) }
}

// How many records stand for how many rows, from the cross-reference: [[rows, records]], small clusters first.
export function clusterSizes(table) {
  const [header, ...rows] = table
  const at = header.findIndex((name) => /golden|entity|cluster/i.test(name) && /id/i.test(name))
  if (at < 0) return null
  const sizes = new Map()
  for (const row of rows) sizes.set(row[at], (sizes.get(row[at]) || 0) + 1)
  const counted = new Map()
  for (const size of sizes.values()) counted.set(size, (counted.get(size) || 0) + 1)
  const pairs = [...counted].sort((a, b) => a[0] - b[0])
  return { kind: 'histogram', labels: pairs.map(([size]) => format.plural(size, 'row')), series: [{ name: 'records', values: pairs.map(([, n]) => n), tone: 'accent' }], axis: true, summary: 'How many golden records stand for how many rows.' }
}
