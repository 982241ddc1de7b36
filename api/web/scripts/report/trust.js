// May this data be used? Privacy risk, readiness, tests and governance.

import { format } from '../format.js'

export function trust({ report }) {
  const of = (id) => report.agent_results[id]?.data
  const [risk, ready, tests, governance] = ['score-risk', 'readiness-rater', 'test-coverage-agent', 'governance-checker'].map(of)
  if (!risk && !ready && !tests && !governance) return null
  const parts = { risk: risk && riskOf(risk), ready: ready && readyOf(ready), tests: tests && testsOf(tests), governance: governance && governanceOf(governance) }
  return { ...parts, scores: scoresOf({ risk, ready, tests, governance }) }
}

function scoresOf({ risk, ready, tests, governance }) {
  const scores = []
  if (ready) scores.push(dial('Readiness', ready.score, format.plain(ready.readiness), true))
  if (tests) scores.push(dial('Tests', tests.score, format.plain(tests.level), true))
  if (governance) scores.push(dial('Governance', governance.score, format.plain(governance.status), true))
  if (risk) scores.push(dial('Privacy risk', risk.overall_risk, risk.risk_level, false))
  return scores
}

// `isGood`: the higher the better.
function dial(name, score, level, isGood) {
  const good = isGood ? score : 100 - score
  return { name, score, level, said: score === null ? '–' : format.figure(score), width: `${Math.max(0, Math.min(100, score ?? 0))}%`, tone: good >= 75 ? 'good' : good >= 40 ? 'warning' : 'bad' }
}

function riskOf(data) {
  const fields = data.fields.filter((field) => field.risk_score).sort((a, b) => b.risk_score - a.risk_score)
  return {
    fields: fields.map((field) => ({
      name: field.name,
      level: field.risk_level,
      score: field.risk_score,
      width: `${field.risk_score}%`,
      kinds: field.kinds.map((kind) => format.plain(kind.kind)).join(', '),
      notes: field.regulations.join(' · '),
    })),
    together: data.quasi_identifiers,
  }
}

function readyOf(data) {
  return { components: data.components.map((part) => ({ ...part, width: `${part.score ?? 0}%`, shown: part.deductions.slice(0, 12), rest: part.deductions.length - 12 })) }
}

function testsOf(data) {
  const tests = [...data.tests].sort((a, b) => b.failed - a.failed)
  return { shown: tests.slice(0, 60).map((test, key) => ({ key, ...test })), total: tests.length, failed: tests.filter((test) => test.failed).length }
}

function governanceOf(data) {
  return { areas: data.areas.map((area) => ({ ...area, width: `${Math.round(100 * area.strength)}%` })), fields: data.personal_fields.map((field) => field.name) }
}
