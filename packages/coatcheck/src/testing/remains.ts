import { isHandle } from '../core/session/ticket.ts'
import type { RawContents, RawEntry } from './remains/entry.ts'
import { createExamination } from './remains/examine.ts'
import type { SignedOut } from './remains/identities.ts'
import { createKeyrings } from './remains/keyrings.ts'
import type { Remains } from './remains/remain.ts'

export type { RawContents, RawEntry } from './remains/entry.ts'
export type { SignedOut } from './remains/identities.ts'
export type { Looked, Remain, Remains, Undecided } from './remains/remain.ts'

/** What {@link findRemains} looks for, and in what. */
export interface RemainsOptions {
  /** Everything the store holds, as one of the readers of this kit gives it. */
  readonly contents: RawContents
  /** As `createAuth` has them, those that were used before included. */
  readonly keys: readonly (string | Uint8Array)[]
  /** Of whom the identities are: the same subject at another provider is somebody else. */
  readonly issuer: string
  readonly clientId: string
  readonly identities: readonly SignedOut[]
  /** Tokens, tickets and whatever else must not be anywhere, sealed or not. */
  readonly texts?: readonly string[]
}

/**
 * Looks through the raw contents of a store for anything that is left of those who were signed out:
 * what the application could still reach, and what anybody who has the bytes and the keys could
 * decipher, reachable or not. It goes through all entries, two or three times, and uses no index of
 * the store.
 *
 * What it cannot see: copies elsewhere (backups, replicas, logs of the database, pages that were
 * erased and not overwritten; for these see `fileContents`), and what was compressed or hashed
 * before it was stored.
 */
export async function findRemains(options: RemainsOptions): Promise<Remains> {
  check(options)
  const keyrings = createKeyrings(options.keys)
  let seen = 0
  for await (const entry of options.contents) {
    seen++
    keyrings.look(entry)
  }
  const examination = createExamination(options, keyrings.end())
  let again = 0
  for await (const entry of options.contents) {
    again++
    examination.examine(entry)
  }
  if (seen > 0 && again === 0) throw usedUp()
  if (examination.hasLeads) {
    for await (const entry of options.contents) examination.follow(entry)
  }
  return examination.end()
}

function check({ contents, keys, issuer, clientId, identities, texts = [] }: RemainsOptions): void {
  const iterable = Object(contents) as Partial<Iterable<RawEntry> & AsyncIterable<RawEntry>>
  if (!(Symbol.asyncIterator in iterable || Symbol.iterator in iterable)) {
    throw new TypeError('contents must be what lmdbContents, redisContents, … give, or an array.')
  }
  if (keys.length === 0)
    throw new TypeError('keys must be those of createAuth: without, nothing opens.')
  if (!issuer || !clientId) throw new TypeError('issuer and clientId must be those of createAuth.')
  if (identities.length + texts.length === 0) {
    throw new TypeError('identities must name whoever was signed out, or texts what must be gone.')
  }
  if (identities.some((one) => 'session' in one && !isHandle(one.session))) {
    throw new TypeError('A session is named by its handle, as auth.session and receipts tell it.')
  }
  if (texts.includes('') || identities.some((one) => Object.values(one).includes(''))) {
    throw new TypeError('An empty text is in everything: leave it out of texts and identities.')
  }
}

function usedUp(): TypeError {
  return new TypeError(
    'contents was used up at the first reading: give an array, or an object that begins anew each ' +
      'time, instead of a generator.',
  )
}
