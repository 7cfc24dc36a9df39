import type { SessionSummary } from 'coatcheck'
import { type ExitCode, FAILED, FINE } from './exit-codes.ts'
import { type Invocation, withOpened } from './opened.ts'
import { tableText } from './terminal.ts'

/** `coatcheck sessions list`: every session of a user. */
export function listSessions(
  invocation: Invocation,
  { subject, json }: { readonly subject: string; readonly json: boolean },
): Promise<ExitCode> {
  const { terminal } = invocation
  return withOpened<ExitCode>(invocation, async ({ auth }) => {
    const sessions = await auth.sessions({ subject })
    if (json) terminal.print(JSON.stringify(sessions, undefined, 2))
    else if (sessions.length === 0) terminal.print('No session: this user is not signed in.')
    else {
      const head = ['SESSION', 'SIGNED IN', 'ENDS', 'SID']
      terminal.print(tableText([head, ...sessions.map(toRow)]))
    }
    return FINE
  })
}

/** `coatcheck sessions show`: one session by its handle. */
export function showSession(
  invocation: Invocation,
  { handle, json }: { readonly handle: string; readonly json: boolean },
): Promise<ExitCode> {
  const { terminal } = invocation
  return withOpened<ExitCode>(invocation, async ({ auth }) => {
    const [session] = await auth.sessions({ session: handle })
    if (session === undefined) {
      if (json) terminal.print('null')
      else terminal.complain('There is no such session: it ended, or never was.')
      return FAILED
    }
    terminal.print(json ? JSON.stringify(session, undefined, 2) : toText(session))
    return FINE
  })
}

function toRow({ handle, establishedAt, expiresAt, sid }: SessionSummary): string[] {
  return [handle, timeText(establishedAt), timeText(expiresAt), sid ?? '-']
}

function toText({
  handle,
  issuer,
  subject,
  sid,
  establishedAt,
  expiresAt,
}: SessionSummary): string {
  return tableText([
    ['session', handle],
    ['issuer', issuer],
    ['subject', subject],
    ['sid', sid ?? '-'],
    ['signed in', timeText(establishedAt)],
    ['ends', timeText(expiresAt)],
  ])
}

/** Milliseconds since the epoch as people write them. */
function timeText(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z')
}
