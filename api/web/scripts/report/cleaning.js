// What cleaning did: stage by stage, rule by rule, with examples before and after, and the proof that it adds up.

import { format } from '../format.js'
import { bars } from './overview.js'

const RULES_SHOWN = 30

export function cleaning({ report }) {
  const results = report.agent_results
  const chain = Object.values(results).filter((result) => Array.isArray(result.data.rules) && result.data.columns_before)
  const preview = results['cleanse-previewer']
  if (!chain.length && !preview) return null
  const stages = chain.map(stage)
  return {
    stages,
    rows: rowsOf(chain, preview),
    cells: bars(stages.filter((one) => one.cells).map((one) => [one.name, one.cells])),
    rules: stages.flatMap((one) => one.rules).filter((rule) => rule.cells || rule.rows).sort((a, b) => b.cells - a.cells).slice(0, RULES_SHOWN).map((rule, key) => ({ ...rule, key })),
    examples: stages.flatMap((one) => one.examples).map((example, key) => ({ ...example, key })),
    errors: Object.entries(preview?.data.errors || {}).map(([kind, count]) => [kind.replace('error_', ''), count]),
    checks: results['cleanse-writeback']?.data.checks || [],
  }
}

function stage({ agent_id, agent_name, summary_metrics, data }) {
  return {
    key: agent_id,
    name: agent_name,
    cells: summary_metrics.cells_changed || 0,
    aside: summary_metrics.rows_set_aside || 0,
    flagged: summary_metrics.cells_flagged || 0,
    rules: data.rules.map((rule) => ({ agent: agent_name, rule: format.plain(rule.rule), action: rule.action, cells: rule.cells || 0, rows: rule.rows ?? null, impact: rule.impact, columns: Object.keys(rule.columns || {}).join(', ') })),
    examples: data.examples.slice(0, 6).map((example) => ({ ...example, rule: format.plain(example.rule) })),
  }
}

// Rows and columns before and after the whole chain.
function rowsOf(chain, preview) {
  const [first, last] = [chain[0] ?? preview, chain.at(-1) ?? preview].map((result) => result.summary_metrics)
  const before = first.rows_before ?? 0
  const after = last.rows_after ?? before
  return {
    before,
    after,
    aside: chain.reduce((sum, result) => sum + (result.summary_metrics.rows_set_aside || 0), 0),
    cells: chain.reduce((sum, result) => sum + (result.summary_metrics.cells_changed || 0), 0),
    flagged: chain.reduce((sum, result) => sum + (result.summary_metrics.cells_flagged || 0), 0),
    columnsBefore: chain[0]?.data.columns_before.length ?? null,
    columnsAfter: chain.at(-1)?.data.columns_after.length ?? null,
    width: before ? `${((100 * after) / before).toFixed(1)}%` : '100%',
  }
}
