import { type Summary, text } from '../statistics.ts'
import { type Cell, table } from './markdown.ts'
import type { PairRow } from './pairs.ts'
import type { Results } from './results.ts'

/** How several runs of one thing are told: median and spread, or less. */
export type Show = (summary: Summary) => Cell

/** All tables of a run, in Markdown that can be read as it is. Each has a title in its first column. */
export function tablesOf(results: Results, show: Show = text): string[] {
  const { hotPath = [], calls = [], signOut = [], storm = [], gateway = [], size = [] } = results
  const shown = (summary: Summary | undefined): Cell => summary && show(summary)
  const [{ requests, users, processes } = { requests: 0, users: 0, processes: 0 }] = storm
  return [
    pairTable('signed in, access token in hand', hotPath, show, {
      title: 'cookie bytes',
      of: ({ bare, cookieBytes }) => (bare === undefined ? undefined : cookieBytes),
    }),
    tableOf(calls, {
      'session() and accessToken() alone': ({ name }) => name,
      'CPU µs': ({ cpuMicroseconds }) => shown(cpuMicroseconds),
    }),
    tableOf(signOut, {
      'back-channel logouts, one process': ({ name }) => name,
      'per second': ({ logoutsPerSecond }) => shown(logoutsPerSecond),
      'to verifying only': ({ ratio }) => shown(ratio),
      'CPU µs': ({ cpuMicroseconds }) => shown(cpuMicroseconds),
      'p99 ms': ({ p99Milliseconds }) => p99Milliseconds.median,
    }),
    tableOf(storm, {
      [`${requests} requests of ${users} users with expired tokens, ${processes} processes`]: ({
        name,
      }) => name,
      refreshes: ({ refreshes }) => refreshes,
      refused: ({ refused }) => refused,
      'requests failed': ({ errors }) => errors,
      'users signed out': ({ lost }) => lost,
      'p50 ms': ({ p50Milliseconds }) => p50Milliseconds,
      'p99 ms': ({ p99Milliseconds }) => p99Milliseconds,
    }),
    ...gateway.map(({ situation, rows }) => pairTable(`gateway, ${situation}`, rows, show)),
    ...scaleTables(results, shown),
    tableOf(spaceOf(results), {
      'live sessions': ({ name }) => name,
      'how many': ({ sessions }) => sessions.toLocaleString('en'),
      'bytes each': ({ bytesPerSession }) => bytesPerSession,
      'MB for 100,000': ({ bytesPerSession }) => Math.round(bytesPerSession / 10),
      "to the tokens' own bytes": ({ ratio }) => ratio?.toFixed(2),
    }),
    tableOf(size, {
      'installed, without the framework': ({ name }) => name,
      packages: ({ packages }) => packages,
      MB: ({ megabytes }) => megabytes,
      'import, ms': ({ importMilliseconds }) => shown(importMilliseconds),
    }),
  ].filter((one) => one !== '')
}

/** What is not in the tables, one line each. */
export function absencesOf({ leftOut, failed }: Results): string[] {
  return [
    ...Object.entries(leftOut).map(([name, why]) => `Left out: ${name}: ${why}`),
    ...Object.entries(failed).map(([name, why]) => `FAILED: ${name}: ${why}`),
  ]
}

function pairTable<Row extends PairRow>(
  title: string,
  rows: readonly Row[],
  show: Show,
  last?: { readonly title: string; readonly of: (row: Row) => Cell },
): string {
  return tableOf(rows, {
    [title]: ({ name }) => name,
    'requests/s': ({ requestsPerSecond }) => show(requestsPerSecond),
    'to the bare one': ({ ratio }) => ratio && show(ratio),
    'CPU µs': ({ cpuMicroseconds }) => show(cpuMicroseconds),
    'CPU µs added': ({ addedCpuMicroseconds }) => addedCpuMicroseconds,
    'p99 ms': ({ p99Milliseconds }) => p99Milliseconds.median,
    ...(last && { [last.title]: last.of }),
  })
}

function scaleTables({ scale = [] }: Results, shown: (one?: Summary) => Cell): string[] {
  const bySize = scale.flatMap((row) => row.sessions.map((sessions, at) => ({ row, sessions, at })))
  const isBiggest = ({ row, at }: (typeof bySize)[number]): boolean =>
    at === row.sessions.length - 1
  return [
    tableOf(bySize, {
      'one sign-out among so many sessions': ({ row, sessions }) =>
        `coatcheck, ${row.name}: ${sessions.toLocaleString('en')}`,
      'one session, ms': ({ row, at }) => shown(row.sessionMilliseconds[at]),
      'to the smallest': (one) => (isBiggest(one) ? one.row.sessionRatio : undefined),
      'a user with ten, ms': ({ row, at }) => shown(row.userMilliseconds[at]),
      'user, to the smallest': (one) => (isBiggest(one) ? one.row.userRatio : undefined),
    }),
    tableOf(scale, {
      'sign-out of a user with very many sessions': ({ name }) => `coatcheck, ${name}`,
      'how many': ({ many }) => many.sessionsOfOneUser.toLocaleString('en'),
      'answered after ms': ({ many }) => many.signedOutWithin,
      'others waited at most ms': ({ many }) => many.longestBlock,
      'CPU ms': ({ many }) => many.processorTime,
    }),
  ]
}

/** In a process's memory, in our stores, and the peers'. */
function spaceOf({ space = [], scale = [] }: Results): NonNullable<Results['space']> {
  const [memory, ...peers] = space
  const stores = scale.map(({ name, sessions, bytesPerSession, bytesOverTokens: ratio }) => ({
    name: `coatcheck, ${name}`,
    sessions: sessions.at(-1) ?? 0,
    bytesPerSession,
    ratio,
  }))
  return [...(memory === undefined ? [] : [memory]), ...stores, ...peers]
}

/** Nothing, without rows. */
function tableOf<Row>(
  rows: readonly Row[],
  columns: Readonly<Record<string, (row: Row) => Cell>>,
): string {
  if (rows.length === 0) return ''
  const cells = rows.map((row) => Object.values(columns).map((of) => of(row)))
  return table(Object.keys(columns), cells)
}
