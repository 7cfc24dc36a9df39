import { setTimeout as sleep } from 'node:timers/promises'
import type { TokenStore } from '#coatcheck'
import { systemEnvironment } from '#coatcheck/core/environment'
import { owedIndex } from '#coatcheck/core/tokens/home'
import { createKeyring } from '#coatcheck/core/tokens/keyring'
import type { Owner } from './scale/population.ts'

/** Answers what resolves when nothing is owed to the provider any more: all that was signed out is revoked. */
export async function settledAt(store: TokenStore, owner: Owner): Promise<() => Promise<void>> {
  const vault = await createKeyring(store, [owner.key], systemEnvironment).load()
  const owed = owedIndex(vault, owner)
  return async () => {
    while ((await store.list(owed, { limit: 1 })).length > 0) await sleep(10)
    // What the worker has still to do when nothing is left.
    await sleep(10)
  }
}
