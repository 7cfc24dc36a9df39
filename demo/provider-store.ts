import { Provider } from 'oidc-provider'

interface Entry {
  consumed?: number
  readonly grantId?: string
  readonly uid?: string
  readonly [name: string]: unknown
}

/** Where the provider keeps its own sessions and tokens: a map that ends with the demo. */
export function providerStore(): (model: string) => Readonly<Record<string, unknown>> {
  const entries = new Map<string, Entry>()

  return (model) => {
    const key = (id: string): string => `${model}:${id}`
    return {
      async upsert(id: string, entry: Entry) {
        entries.set(key(id), entry)
      },
      async find(id: string) {
        return entries.get(key(id))
      },
      async findByUid(uid: string) {
        for (const [at, entry] of entries) {
          if (at.startsWith(`${model}:`) && entry.uid === uid) return entry
        }
      },
      async consume(id: string) {
        const entry = entries.get(key(id))
        if (entry !== undefined) entry.consumed = Math.floor(Date.now() / 1000)
      },
      async destroy(id: string) {
        entries.delete(key(id))
      },
      async revokeByGrantId(grantId: string) {
        // A revocation ends the very token it names (see `revokeGrantPolicy` in provider.ts).
        if (Provider.ctx?.oidc?.route === 'revocation') return
        for (const [at, entry] of entries) {
          if (at.startsWith(`${model}:`) && entry.grantId === grantId) entries.delete(at)
        }
      },
    }
  }
}
