import type { MaybePromise, TokenStore } from '../core/tokens/store.ts'
import { testClaims } from './token-store/claims.ts'
import { testInserting } from './token-store/inserting.ts'
import { testListing } from './token-store/listing.ts'
import { testMarks } from './token-store/marks.ts'
import { testRaces } from './token-store/races.ts'
import { testReading } from './token-store/reading.ts'
import { testRemoving } from './token-store/removing.ts'
import { testRemovingAll } from './token-store/removing-all.ts'
import { testReplacing } from './token-store/replacing.ts'
import { testSweeping } from './token-store/sweeping.ts'
import { createTrial, type Trial } from './token-store/trial.ts'

/** Registers one test: `it` of node:test, Vitest, Jest or Mocha. */
export type RegisterTest = (title: string, run: () => Promise<void>) => unknown

/**
 * Opens the store under test. It must take the time from `now`, so that nothing has to sleep
 * until something expires. Called for each test; all of them may share one database, which nobody
 * else uses meanwhile.
 */
export type OpenTokenStore = (options: { readonly now: () => number }) => MaybePromise<TokenStore>

/**
 * Registers the contract of {@link TokenStore}: a test for each of its sentences, in ids and
 * indexes that no other test uses.
 */
export function testTokenStore(it: RegisterTest, open: OpenTokenStore): void {
  const test = (title: string, run: (trial: Trial) => Promise<void>): void => {
    it(title, async () => {
      const trial = await createTrial(open)
      try {
        await run(trial)
      } finally {
        await trial.store.close()
      }
    })
  }
  testInserting(test)
  testReading(test)
  testReplacing(test)
  testRemoving(test)
  testRemovingAll(test)
  testMarks(test)
  testRaces(test)
  testListing(test)
  testClaims(test)
  testSweeping(test)
}
