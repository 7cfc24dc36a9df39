import type { Session } from 'coatcheck'
import type { GatewayConfiguration } from '../configuration/configuration.ts'
import { identityHeaders } from './identity-headers.ts'
import type { SigningKeys } from './signing-keys.ts'

/** Tells applications who is signed in. */
export interface Identity {
  /** The headers for one session and one application, the signed one among them. */
  headersFor(session: Session, audience: string): Readonly<Record<string, string>>
  /** The session an identity JWT of ours stands for, while it is valid. */
  read(jwt: string): IdentityClaims | undefined
}

/** What an identity JWT says to the gateway itself. */
export interface IdentityClaims {
  readonly audience: string
  readonly subject: string
  /** The session. */
  readonly handle: string
}

/** How long an identity JWT is valid, in seconds. */
const IDENTITY_SECONDS = 60
/** A signature costs as much as all the rest: so long the same one is handed out again. */
const KEPT_SECONDS = 20
const MOST_KEPT = 10_000

/** Identity headers by the configured names, and JWTs by these keys. */
export function createIdentity(
  { origin, headers: names }: Pick<GatewayConfiguration, 'origin' | 'headers'>,
  keys: SigningKeys,
  now: () => number = Date.now,
): Identity {
  /** By audience, then by session: the oldest first. */
  const kept = new Map<string, Map<string, Kept>>()

  function make(session: Session, audience: string, at: number): Kept {
    const iat = Math.floor(at / 1000)
    const jwt = keys.sign({
      iss: origin,
      aud: audience,
      sub: session.subject,
      sid: session.handle,
      iat,
      exp: iat + IDENTITY_SECONDS,
      ...shownClaims(session),
    })
    const headers = { ...identityHeaders(names, session), [names.identity]: jwt }
    return { headers, until: at + KEPT_SECONDS * 1000 }
  }

  return {
    headersFor(session, audience) {
      const at = now()
      const sessions = kept.get(audience) ?? new Map<string, Kept>()
      const before = sessions.get(session.handle)
      if (before !== undefined && before.until > at) return before.headers
      const made = make(session, audience, at)
      sessions.delete(session.handle)
      sessions.set(session.handle, made)
      kept.set(audience, sessions)
      forgetOld(sessions, at)
      return made.headers
    },

    read(jwt) {
      const claims = keys.verify(jwt, 'JWT')
      if (claims === undefined || claims['iss'] !== origin) return undefined
      const { aud: audience, sub: subject, sid: handle, exp } = claims
      if (typeof exp !== 'number' || exp * 1000 <= now()) return undefined
      if (typeof audience !== 'string' || typeof subject !== 'string') return undefined
      return typeof handle === 'string' ? { audience, subject, handle } : undefined
    },
  }
}

interface Kept {
  readonly headers: Readonly<Record<string, string>>
  readonly until: number
}

const SHOWN = ['email', 'name', 'preferred_username', 'groups']

function shownClaims({ claims }: Session): Record<string, unknown> {
  return Object.fromEntries(SHOWN.flatMap((name) => (name in claims ? [[name, claims[name]]] : [])))
}

/** In the order they were made, so that only what is dropped is looked at. */
function forgetOld(sessions: Map<string, Kept>, at: number): void {
  for (const [handle, { until }] of sessions) {
    if (until > at && sessions.size <= MOST_KEPT) return
    sessions.delete(handle)
  }
}
