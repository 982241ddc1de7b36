// Numbers, times and words as this reader writes them.

const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 })
const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 })
const figures = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 4 })
const shares = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 })
const compact = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 })
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })
const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte']

const isMissing = (value) => value === null || value === undefined || value === ''

// The next number to zero is zero to a reader; what is merely small is told by its power of ten.
function figured(value) {
  const size = Math.abs(value)
  if (size < 1e-12) return figures.format(0)
  return size < 1e-3 ? value.toExponential(2) : figures.format(value)
}

export const format = {
  number: (value) => (isMissing(value) ? '–' : number.format(value)),
  whole: (value) => (isMissing(value) ? '–' : whole.format(value)),
  figure: (value) => (isMissing(value) ? '–' : figured(value)),
  compact: (value) => (isMissing(value) ? '–' : compact.format(value)),
  percent: (value) => (isMissing(value) ? '–' : `${shares.format(value)} %`),
  share: (value) => (isMissing(value) ? '–' : `${shares.format(100 * value)} %`),
  credits: (value) => `${whole.format(value || 0)} ${Math.abs(value) === 1 ? 'credit' : 'credits'}`,
  time: (iso) => (iso ? moment.format(new Date(iso)) : '–'),
  clock: (iso) => (iso ? clock.format(new Date(iso)) : '–'),
  bytes(size) {
    if (isMissing(size)) return '–'
    const step = Math.min(Math.floor(Math.log10(Math.max(size, 1)) / 3), UNITS.length - 1)
    const options = { style: 'unit', unit: UNITS[step], unitDisplay: 'short', maximumSignificantDigits: 3 }
    return new Intl.NumberFormat(undefined, options).format(size / 1000 ** step)
  },
  // 0.8 s · 12 s · 3 min 5 s · 2 h 4 min
  seconds(value) {
    if (isMissing(value)) return '–'
    if (value < 10) return `${number.format(Math.round(value * 10) / 10)} s`
    if (value < 60) return `${whole.format(value)} s`
    if (value < 3600) return `${Math.floor(value / 60)} min ${whole.format(value % 60)} s`
    return `${Math.floor(value / 3600)} h ${whole.format((value % 3600) / 60)} min`
  },
  milliseconds: (value) => (isMissing(value) ? '' : format.seconds(value / 1000)),
  // null_alert_threshold → Null alert threshold
  words(name) {
    const text = String(name ?? '').replaceAll('_', ' ').toLowerCase()
    return text.charAt(0).toUpperCase() + text.slice(1)
  },
  plain: (name) => String(name ?? '').replaceAll('_', ' ').toLowerCase(),
  plural: (count, noun) => `${whole.format(count)} ${noun}${count === 1 ? '' : 's'}`,
  value(value) {
    if (isMissing(value)) return '–'
    if (typeof value === 'boolean') return value ? 'yes' : 'no'
    if (typeof value === 'number') return Number.isInteger(value) ? whole.format(value) : figured(value)
    if (Array.isArray(value)) return value.map(format.value).join(', ') || '–'
    return /^[a-z]+(_[a-z]+)+$/.test(value) ? format.plain(value) : String(value)
  },
}
