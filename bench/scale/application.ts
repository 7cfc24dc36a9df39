import { setTimeout as sleep } from 'node:timers/promises'
import { type Auth, createAuth, type TokenStore } from '#coatcheck'
import { systemEnvironment } from '#coatcheck/core/environment'
import { owedIndex } from '#coatcheck/core/tokens/home'
import { createKeyring } from '#coatcheck/core/tokens/keyring'
import type { BenchProvider } from '../provider.ts'
import type { Owner } from './population.ts'

const ORIGIN = 'https://app.test'
const KEY = 'a key for benchmarks of thirty-two bytes'

/** An application on a store. */
export interface BenchApplication {
  readonly auth: Auth
  /** Sends a logout token to it; resolves when it is answered. */
  logout(token: string): Promise<void>
  /** Resolves when nothing is owed to the provider any more. */
  settled(): Promise<void>
}

/** Whose the sessions of the application are that {@link startBenchApplication} starts. */
export function ownerAt({ options: { issuer, clientId } }: BenchProvider): Owner {
  return { issuer, clientId, key: KEY }
}

/** Starts one. Its worker looks after what is owed at once, and then every five seconds. */
export async function startBenchApplication(
  store: TokenStore,
  provider: BenchProvider,
): Promise<BenchApplication> {
  const owner = ownerAt(provider)
  const auth = createAuth({
    origin: ORIGIN,
    provider: provider.options,
    store,
    keys: [KEY],
  })
  const vault = await createKeyring(store, [KEY], systemEnvironment).load()
  return {
    auth,
    async logout(token) {
      const body = new URLSearchParams({ logout_token: token })
      const url = `${ORIGIN}/auth/backchannel-logout`
      const { status } = await auth.handle(new Request(url, { method: 'POST', body }))
      if (status !== 200) throw new Error(`The logout was answered ${status}.`)
    },
    async settled() {
      const owed = owedIndex(vault, owner)
      while ((await store.list(owed, { limit: 1 })).length > 0) await sleep(10)
      // What the worker has still to do when nothing is left.
      await sleep(10)
    },
  }
}
