import type { Auth, HasHeaders, Session } from '../../auth.ts'
import { headerOf } from '../../core/http/headers.ts'
import { AuthError } from '../../errors.ts'
import { SignInRequired } from '../../sign-in-required.ts'
import { latch } from './latch.ts'

/** The public origin of the application under test; nothing listens there. */
export const origin = 'https://app.example'

/** What a request looked like when it reached the core. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly contentType: string | null
  readonly body: string
}

/** An {@link Auth} without a provider or a store, which remembers every request it was handed. */
export interface StandIn extends Auth {
  readonly seen: readonly Seen[]
  /** `GET /auth/slow` has arrived and waits for {@link StandIn.answerSlow}. */
  readonly slow: Promise<void>
  answerSlow(): void
}

/** The session cookie is `session=alice`, or `session=store-down` for a store out of reach. */
export function standIn(): StandIn {
  const seen: Seen[] = []
  const slow = latch()
  const slowAnswer = latch()
  let signedOut = false

  async function session(request: HasHeaders): Promise<Session | undefined> {
    const cookie = headerOf(request, 'cookie')
    if (cookie === 'session=store-down') {
      throw new AuthError('store_unavailable', 'The store is out of reach.')
    }
    return cookie === 'session=alice' && !signedOut ? alice : undefined
  }

  async function handle(request: Request): Promise<Response> {
    const body = await request.text()
    const contentType = request.headers.get('content-type')
    seen.push({ method: request.method, url: request.url, contentType, body })
    const url = new URL(request.url)
    if (url.pathname === '/auth/broken') throw new Error('broken on purpose')
    if (url.pathname === '/auth/slow') {
      slow.open()
      await slowAnswer.opened
    }
    if (url.pathname === '/auth/callback') return signedIn(url, body)
    return page(url.pathname)
  }

  return {
    origin,
    seen,
    slow: slow.opened,
    answerSlow: slowAnswer.open,
    owns: (path) => routes.includes(path),
    handle,
    session,
    async accessToken(from) {
      if ('headers' in from && (await session(from))) {
        return { value: 'at', expiresAt: 0, scope: undefined, tokenType: 'Bearer' }
      }
      throw new SignInRequired('/auth/sign-in')
    },
    signInPath: (returnTo) =>
      returnTo === undefined
        ? '/auth/sign-in'
        : `/auth/sign-in?return_to=${encodeURIComponent(returnTo)}`,
    async signOut() {
      signedOut = true
      return receipt
    },
    fetch: () => Promise.reject(new Error('The stand-in calls no API.')),
    refuseSignInsUnderWay: async () => undefined,
    sessions: async () => [],
    coverage: async () => ({ lines: [], warnings: [], registration: {} }),
    close: async () => undefined,
  }
}

const routes = [
  '/auth/callback',
  '/auth/sign-out',
  '/auth/backchannel-logout',
  '/auth/frontchannel-logout',
  '/auth/slow',
  '/auth/broken',
]

const alice: Session = {
  issuer: 'https://op.example',
  subject: 'alice',
  claims: {},
  establishedAt: 0,
  expiresAt: Number.MAX_SAFE_INTEGER,
  handle: 'handle',
}

const receipt = {
  id: 'receipt',
  cause: 'administrator',
  named: [],
  sessions: ['handle'],
  removed: 1,
  tokens: { access: 1, refresh: 1, id: 1 },
  revocationsOwed: 0,
  places: [],
  providerSession: 'not_asked',
  at: 0,
  durationMilliseconds: 0,
} as const

function signedIn(url: URL, body: string): Response {
  const code = url.searchParams.get('code') ?? new URLSearchParams(body).get('code')
  const headers = new Headers({ location: `/home?code=${code}`, 'cache-control': 'no-store' })
  headers.append('set-cookie', 'session=alice; Expires=Wed, 21 Oct 2026 07:28:00 GMT; HttpOnly')
  headers.append('set-cookie', 'pending=; Max-Age=0')
  return new Response(null, { status: 303, headers })
}

function page(path: string): Response {
  const framedBy = path === '/auth/frontchannel-logout' ? 'https://op.example' : "'none'"
  return new Response(`<p>${path}</p>`, {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none'; frame-ancestors ${framedBy}`,
    },
  })
}
