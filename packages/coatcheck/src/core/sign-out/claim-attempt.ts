import type { Context } from '../context.ts'
import type { StoredEntry } from '../tokens/store.ts'
import { openWork, type Work } from './owed.ts'

/** A piece of owed work that nobody else is at. */
export interface ClaimedWork<Kind extends Work = Work> {
  readonly entry: StoredEntry
  readonly work: Kind
}

/**
 * Claims one attempt at a piece of work for so many milliseconds, which is longer than it may take.
 * Resolves with nothing where somebody else is at it, or has done it.
 */
export async function claimAttempt(
  context: Context,
  id: string,
  attempt: string,
  forMilliseconds: number,
): Promise<ClaimedWork | undefined> {
  const vault = await context.keyring.load()
  const claim = vault.index('claim', 'work', id, attempt)
  const until = (await context.store.now()) + forMilliseconds
  if (!(await context.store.claim(claim, until))) return undefined
  // Since it was listed somebody may have done it, so long ago that their claim is over.
  const value = await context.store.get(id)
  const work = value && openWork(vault, id, value)
  if (value === undefined || work === undefined || attemptOf(work) !== attempt) return undefined
  return { entry: { id, value }, work }
}

/** What a claim is for: of one piece of work each attempt is claimed anew. */
export function attemptOf(work: Work): string {
  return String(work.kind === 'sign_out' ? work.dueAt : work.attempts)
}
