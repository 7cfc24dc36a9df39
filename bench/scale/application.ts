import { type Auth, createAuth, type TokenStore } from '#coatcheck'
import type { BenchProvider } from '../provider.ts'
import { settledAt } from '../settled.ts'
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
  const auth = createAuth({
    origin: ORIGIN,
    provider: provider.options,
    store,
    keys: [KEY],
  })
  return {
    auth,
    async logout(token) {
      const body = new URLSearchParams({ logout_token: token })
      const url = `${ORIGIN}/auth/backchannel-logout`
      const { status } = await auth.handle(new Request(url, { method: 'POST', body }))
      if (status !== 200) throw new Error(`The logout was answered ${status}.`)
    },
    settled: await settledAt(store, ownerAt(provider)),
  }
}
