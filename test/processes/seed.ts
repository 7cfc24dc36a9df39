import type { TokenStore } from '#coatcheck'
import { systemEnvironment } from '#coatcheck/core/environment'
import type { SessionRecord } from '#coatcheck/core/session/record'
import { toStored } from '#coatcheck/core/session/record'
import { sessionIdOfTicket } from '#coatcheck/core/session/ticket'
import { createKeyring } from '#coatcheck/core/tokens/keyring'
import { KEY } from '../support/application.ts'

/** Puts many sessions of one user into a store, as sign-ins would have; returns their tickets. */
export async function seedSessions(
  store: TokenStore,
  issuer: string,
  subject: string,
  names: readonly string[],
  lifetime = 86_400_000,
): Promise<string[]> {
  const keyring = createKeyring(store, [KEY], systemEnvironment)
  const vault = await keyring.load()
  const now = Date.now()
  const idToken = `header.${Buffer.from(JSON.stringify({ sub: subject })).toString('base64url')}.signature`
  const limits = { lifetime, idle: lifetime }
  const tickets = names.map(() => Buffer.from(systemEnvironment.random(32)).toString('base64url'))
  await Promise.all(
    names.map((name, at) => {
      const record: SessionRecord = {
        issuer,
        subject,
        sids: [`sid-${name}`],
        idToken,
        otherClaims: {},
        nonce: 'nonce',
        authTime: undefined,
        establishedAt: now - 5000,
        beganAt: now - 5000,
        clientId: 'app',
        browser: name,
        signedInAt: now,
        lastSeenAt: now,
        validatedAt: now,
        mustRevalidate: false,
        generation: 0,
        refreshToken: `refresh-${name}`,
        accessTokens: [],
      }
      const id = sessionIdOfTicket(tickets[at] ?? '')
      return store.insert(id, toStored(vault, id, record, limits))
    }),
  )
  return tickets
}
