// The states of a task in a customer's words.

const SAID = {
  CREATED: 'Not started yet',
  QUEUED: 'Waiting',
  PROCESSING: 'Working',
  WAITING: 'Waiting for its parts',
  COMPLETED: 'Done',
  FAILED: 'Failed',
  CANCELLED: 'Cancelled',
  EXPIRED: 'Expired',
}
const ENDED = ['COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED']

export const hasEnded = (task) => ENDED.includes(task.status)
export const stateSaid = (task) => (task.outcome === 'partial' ? 'Done in part' : SAID[task.status] || task.status)
export const stateTone = (task) => (task.outcome === 'partial' ? 'partial' : task.status)
