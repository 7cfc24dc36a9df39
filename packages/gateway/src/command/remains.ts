import { findRemains, type Remains } from 'coatcheck/testing'
import { type ExitCode, FAILED, FINE } from './exit-codes.ts'
import { type Named, oneOf } from './named.ts'
import { type Invocation, withOpened } from './opened.ts'
import { tableText } from './terminal.ts'

/** `coatcheck remains`: goes through everything the store holds, and says what is left of somebody. */
export function remains(
  invocation: Invocation,
  options: Named & { readonly json?: boolean },
): Promise<ExitCode> {
  const one = oneOf(options)
  const { terminal } = invocation
  return withOpened<ExitCode>(invocation, async ({ configuration, opened }) => {
    const { issuer, clientId } = configuration.provider
    const found = await findRemains({
      contents: opened.contents ?? [],
      keys: configuration.keys,
      issuer,
      clientId,
      identities: [one],
    })
    terminal.print(options.json ? JSON.stringify(found, undefined, 2) : toText(found))
    return found.verdict === 'nothing_left' ? FINE : FAILED
  })
}

function toText({ verdict, found, undecided, undecidedCount, looked }: Remains): string {
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
    'Not looked at: backups, replicas, logs of the database, pages that were erased and not overwritten, and the memory of processes.',
  ].join('\n')
}

const VERDICTS: Readonly<Record<Remains['verdict'], string>> = {
  nothing_left: 'Nothing is left.',
  remains: 'Something is left:',
  not_judged: 'Not judged: nobody can say that nothing is left.',
}
