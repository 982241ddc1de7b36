// The report at a glance: cards, words, alerts, where the faults lie, what to do next.

import { blocksOf } from '../prose.js'

export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info']
const TYPES_SHOWN = 12

export function overview({ report }) {
  const { by_severity, by_type } = report.issue_summary
  return {
    cards: report.executive_summary,
    blocks: blocksOf(report.analysis_summary),
    alerts: report.alerts.map((alert) => ({ ...alert, key: alert.alert_id })),
    failed: report.failed_agents,
    decisions: report.routing_decisions,
    summary: report.issue_summary,
    severities: SEVERITIES.filter((name) => by_severity[name]).map((name) => ({ name, count: by_severity[name] })),
    types: bars(Object.entries(by_type).sort((a, b) => b[1] - a[1]).slice(0, TYPES_SHOWN)),
  }
}

// [[label, value]] → bars on one scale, the longest 100 wide.
export function bars(pairs, most = Math.max(...pairs.map(([, value]) => value), 0) || 1) {
  return pairs.map(([label, value, before], index) => ({ key: index, label, value, before: before ?? null, width: wide(value, most), more: wide(Math.max((before ?? 0) - value, 0), most) }))
}

const wide = (value, most) => `${Math.max(0, Math.min(100, (100 * value) / most)).toFixed(1)}%`

// An agent's own charts.
export function chartsOf(result) {
  return (result.charts || []).map((chart, index) => {
    const most = Math.max(...chart.bars.flatMap((bar) => [bar.value, bar.before ?? 0]), 0) || 1
    return { key: index, title: chart.title, unit: chart.unit, bars: bars(chart.bars.map((bar) => [bar.label, bar.value, bar.before]), most) }
  })
}

// Every agent with its words, its single figures and its charts.
export function agents({ report }) {
  return Object.values(report.agent_results).map((result) => ({
    key: result.agent_id,
    name: result.agent_name,
    text: result.analysis_text,
    took: result.execution_time_ms,
    figures: Object.entries(result.summary_metrics).filter(([, value]) => value !== null && typeof value !== 'object'),
    charts: chartsOf(result),
    changed: Object.entries(result.overrides || {}),
  }))
}
