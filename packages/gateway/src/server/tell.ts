import type { AuthEvent } from 'coatcheck'
import type { Logger } from './log.ts'

/** Writes what the library tells into the log: its events hold no secret and nobody's name. */
export function logEvent(logger: Logger, event: AuthEvent): void {
  const { type, ...fields } = event
  const severity = SEVERITY[type]
  logger[severity === undefined ? levelOf(event) : severity](type, fields)
}

const SEVERITY: Partial<Record<AuthEvent['type'], 'debug' | 'info' | 'warn' | 'error'>> = {
  refreshed: 'debug',
  sign_in_failed: 'warn',
  sign_out_deferred: 'warn',
  sign_out_lost: 'error',
  logout_refused: 'warn',
  refresh_failed: 'warn',
  record_unreadable: 'warn',
  store_failed: 'error',
  worker_failed: 'error',
}

/** What was given up needs somebody to act. */
function levelOf(event: AuthEvent): 'info' | 'warn' | 'error' {
  if (!('outcome' in event)) return 'info'
  if (event.outcome === 'abandoned') return 'error'
  return event.outcome === 'failed' ? 'warn' : 'info'
}
