import type { TokenStore } from 'coatcheck'
import { decodeJwt } from 'jose'
import { systemEnvironment } from '../packages/coatcheck/src/core/environment.ts'
import { sessionIn } from '../packages/coatcheck/src/core/session/sealed.ts'
import { createKeyring } from '../packages/coatcheck/src/core/tokens/keyring.ts'
import type { Held } from './cache-view.ts'

/** Says of which kinds the tokens are that a session holds. */
export interface LookingGlass {
  look(handle: string): Promise<Held[] | undefined>
}

/**
 * The library shows nobody what a session holds. So that a person can watch, the demo opens the
 * very records in the store with the application's own keys, by the library's internals, and
 * keeps kinds and times only. An application has no use for this.
 */
export function lookingGlass(store: TokenStore, keys: readonly string[]): LookingGlass {
  const keyring = createKeyring(store, keys, systemEnvironment)

  return {
    async look(handle) {
      const id = `s.${handle}`
      const sealed = await store.get(id)
      if (sealed === undefined) return undefined
      const opened = (await keyring.load()).open('session', id, sealed)
      if (opened.content === undefined) return undefined
      const record = sessionIn(opened)
      return [
        ...record.accessTokens.map(
          ({ resource, expiresAt }): Held => ({ kind: 'access_token', resource, expiresAt }),
        ),
        ...(record.refreshToken === undefined ? [] : [{ kind: 'refresh_token' } as const]),
        { kind: 'id_token', expiresAt: (decodeJwt(record.idToken).exp ?? 0) * 1000 },
      ]
    },
  }
}
