import { type Auth, createAuth, type TokenStore } from '#coatcheck'
import { environment } from '#coatcheck/core/environment'
import { startProvider } from '#coatcheck/testing/provider'
import type { TestProvider } from '#coatcheck/testing/provider/contract'
import type { Owner } from './population.ts'

const ORIGIN = 'https://app.test'

/** An application on a store, and the provider that tells it of sign-outs. */
export interface BenchApplication {
  readonly auth: Auth
  readonly owner: Owner
  readonly provider: TestProvider
  /** A logout token for a `sid` or a subject, sent; resolves when it is answered. */
  logout(token: string): Promise<void>
}

/** Starts one, without sockets. */
export async function startBenchApplication(store: TokenStore): Promise<BenchApplication> {
  const provider = await startProvider({ fetch: () => Promise.reject(new TypeError('no sockets')) })
  const [client] = provider.clients.values()
  if (client === undefined) throw new Error('The provider has no client.')
  const owner = {
    issuer: provider.issuer,
    clientId: client.client_id,
    key: 'a key for benchmarks of thirty-two bytes',
  }
  const auth = createAuth({
    origin: ORIGIN,
    provider: {
      issuer: owner.issuer,
      clientId: owner.clientId,
      clientSecret: client.client_secret ?? '',
    },
    store,
    keys: [owner.key],
    [environment]: { fetch: provider.fetch },
  })
  return {
    auth,
    owner,
    provider,
    async logout(token) {
      const body = new URLSearchParams({ logout_token: token })
      const url = `${ORIGIN}/auth/backchannel-logout`
      const { status } = await auth.handle(new Request(url, { method: 'POST', body }))
      if (status !== 200) throw new Error(`The logout was answered ${status}.`)
    },
  }
}
