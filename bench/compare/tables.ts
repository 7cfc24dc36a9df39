import type { Results } from './results.ts'
import { type Summary, text } from './summary.ts'

/** What a cell of a table is made of. */
type Cell = string | number | undefined

/** All tables of a run, in Markdown that can be read as it is. */
export function tablesOf(results: Results): string {
  const { hotPath, signOut, storm, space, size, failed } = results
  return [
    hotPathTable(hotPath),
    signOut.length > 0 ? signOutTable(signOut) : '',
    storm === undefined ? '' : stormTable(storm),
    space === undefined ? '' : spaceTable(space),
    size === undefined ? '' : sizeTable(size),
    ...Object.entries(failed).map(([name, why]) => `Left out: ${name}: ${why}`),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** Signed in, access token in hand. */
function hotPathTable(rows: Results['hotPath']): string {
  return table(
    [
      'signed in, access token in hand',
      'requests/s',
      'to its bare route',
      'CPU µs',
      'added',
      'p99 ms',
      'cookie bytes',
    ],
    rows.map((row) => [
      row.name,
      text(row.requestsPerSecond),
      ratio(row.ratio),
      text(row.cpuMicroseconds),
      row.addedCpuMicroseconds,
      row.p99Milliseconds.median,
      row.bare === undefined ? undefined : row.cookieBytes,
    ]),
  )
}

/** Back-channel logouts. */
function signOutTable(rows: Results['signOut']): string {
  return table(
    ['back-channel logouts', 'per second', 'to jwtVerify only', 'CPU µs', 'p99 ms'],
    rows.map((row) => [
      row.name,
      text(row.logoutsPerSecond),
      ratio(row.ratio),
      text(row.cpuMicroseconds),
      row.p99Milliseconds.median,
    ]),
  )
}

/** A refresh storm. */
function stormTable(rows: NonNullable<Results['storm']>): string {
  const [{ requests, users, processes } = { requests: 0, users: 0, processes: 0 }] = rows
  return table(
    [
      `${requests} requests of ${users} users whose tokens are over, ${processes} processes`,
      'refreshes',
      'refused',
      'requests failed',
      'users signed out',
      'p50 ms',
      'p99 ms',
    ],
    rows.map((row) => [
      row.name,
      row.refreshes,
      row.refused,
      row.errors,
      row.lost,
      row.p50Milliseconds,
      row.p99Milliseconds,
    ]),
  )
}

/** Bytes of a session. */
function spaceTable(rows: NonNullable<Results['space']>): string {
  return table(
    ['live sessions', 'how many', 'bytes each', "to the tokens' own bytes"],
    rows.map((row) => [row.name, row.sessions, row.bytesPerSession, row.ratio]),
  )
}

/** Installation and start. */
function sizeTable(rows: NonNullable<Results['size']>): string {
  return table(
    ['installed', 'packages', 'MB', 'import ms'],
    rows.map((row) => [row.name, row.packages, row.megabytes, text(row.importMilliseconds)]),
  )
}

function ratio(summary: Summary | undefined): string | undefined {
  return summary && text(summary)
}

/** A Markdown table whose columns are aligned; numbers to the right. */
export function table(titles: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = [titles, ...rows.map((row) => row.map((cell) => `${cell ?? ''}`))]
  const widths = titles.map((_, at) => Math.max(3, ...cells.map((row) => row[at]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    `| ${widths
      .map((width, at) => (at === 0 ? row[at]?.padEnd(width) : row[at]?.padStart(width)))
      .join(' | ')} |`
  const rule = widths.map((width, at) => `${'-'.repeat(width - 1)}${at === 0 ? '-' : ':'}`)
  return [line(titles), line(rule), ...cells.slice(1).map(line)].join('\n')
}
