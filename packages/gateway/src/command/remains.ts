import { findRemains, type Remains } from 'coatcheck/testing'
import type { GatewayConfiguration } from '../configuration/configuration.ts'
import { type ExitCode, FAILED, FINE } from './exit-codes.ts'
import { type Named, oneOf } from './named.ts'
import { type Invocation, withOpened } from './opened.ts'
import { filesText, type InFiles, lookIntoFiles } from './remains-in-files.ts'
import { tableText } from './terminal.ts'

/** What was written behind `coatcheck remains`. */
export interface RemainsCommandOptions extends Named {
  /** Further files to look into. */
  readonly file?: readonly string[]
  readonly json?: boolean
}

/**
 * `coatcheck remains`: goes through everything the store holds, and through its files where they are
 * on this machine, and says what is left of somebody.
 */
export function remains(
  invocation: Invocation,
  { file = [], json = false, ...named }: RemainsCommandOptions,
): Promise<ExitCode> {
  const one = oneOf(named)
  const { terminal } = invocation
  return withOpened<ExitCode>(invocation, async ({ configuration, opened }) => {
    const { issuer, clientId } = configuration.provider
    const { contents = [], folder } = opened
    const question = { keys: configuration.keys, issuer, clientId, identities: [one] }
    const found = await findRemains({ ...question, contents })
    const files = await lookIntoFiles({ ...question, contents }, folder, file)
    const notLookedAt = elsewhere(configuration)
    terminal.print(
      json
        ? JSON.stringify({ ...found, files, notLookedAt }, undefined, 2)
        : toText(found, files, notLookedAt),
    )
    return found.verdict === 'nothing_left' && files.found.length === 0 ? FINE : FAILED
  })
}

function toText(
  { verdict, found, undecided, undecidedCount, looked }: Remains,
  files: InFiles,
  notLookedAt: readonly string[],
): string {
  const open = Object.values(undecidedCount).reduce((sum, count) => sum + count, 0)
  const { entries, bytes, deciphered, others, keyrings, marks } = looked
  return [
    VERDICTS[verdict],
    ...(found.length > 0
      ? [tableText(found.map(({ kind, place, what }) => [kind, place, what]))]
      : []),
    ...(open > 0
      ? [`Undecided: ${open}.`, tableText(undecided.map(({ kind, place }) => [kind, place]))]
      : []),
    `Looked through ${entries} entries, ${bytes} bytes. Deciphered ${deciphered} sealed texts, ${others} of them of others. ` +
      `Keyrings: ${keyrings.found} found, ${keyrings.unwrapped} unwrapped. Marks that keep a late sign-in out: ${marks}.`,
    ...filesText(files),
    `Not looked at: ${notLookedAt.join('; ')}.`,
  ].join('\n')
}

const VERDICTS: Readonly<Record<Remains['verdict'], string>> = {
  nothing_left: 'Nothing is left in the store.',
  remains: 'Something is left in the store:',
  not_judged: 'Not judged: nobody can say that nothing is left in the store.',
}

/** Where something may be that nobody can look into from here. */
function elsewhere({ store, applications, msal = [] }: GatewayConfiguration): string[] {
  const tellsNobody = applications.every((one) => one.backchannelLogoutUri === undefined)
  return [
    ...(SERVERS[store.kind] ?? []),
    'copies and backups that --file does not name',
    'the memory of processes, and what of it was swapped out',
    ...(tellsNobody ? [] : ['sessions that applications keep themselves']),
    ...(msal.length > 0 ? ['caches of Microsoft’s libraries'] : []),
  ]
}

const SERVERS: Readonly<Record<string, readonly string[]>> = {
  redis: ['the servers’ append-only files and dumps', 'their replicas'],
  postgres: [
    'the server’s files, which keep dead rows until they are vacuumed, and its write-ahead log',
    'its replicas',
  ],
}
