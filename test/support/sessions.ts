import assert from 'node:assert/strict'
import type { Auth, AuthOptions } from '#coatcheck'
import type { TestBrowser } from '#coatcheck/testing/browser'
import { type Application, startApplication, startClock, startTestProvider } from './application.ts'

/**
 * The sessions every row of the requirements begins with: U1 three times (A1 and A3 in one session
 * of the provider, A2 on another device), another user, a user without `sid`, and, at another
 * provider but in the same store, the same names again.
 */
export type SessionName = 'A1' | 'A2' | 'A3' | 'B1' | 'X1' | 'N1'

const WHO = {
  A1: { sub: 'U1', sid: 'S1' },
  A2: { sub: 'U1', sid: 'S2' },
  A3: { sub: 'U1', sid: 'S1' },
  B1: { sub: 'U2', sid: 'S3' },
  X1: { sub: 'U1', sid: 'S1' },
  N1: { sub: 'U3', sid: null },
} as const

/** An application with all of them signed in. */
export interface SixSessions extends Application {
  readonly other: Application
  readonly browsers: Readonly<Record<SessionName, TestBrowser>>
  /** Fails unless exactly these are signed out, in every process, and all others still serve. */
  assertGone(...names: SessionName[]): Promise<void>
  /** Posts to the back-channel logout endpoint whatever is given. */
  post(body: BodyInit | null, init?: { headers?: HeadersInit; path?: string }): Promise<Response>
}

/** Signs them in. The clock is a second later then, so that marks cover them. */
export async function startSixSessions(options: Partial<AuthOptions> = {}): Promise<SixSessions> {
  const clock = startClock()
  const app = await startApplication({ ...options, given: { clock } })
  const provider = await startTestProvider(clock)
  const other = await startApplication({ ...options, store: app.store, given: { clock, provider } })
  const second = app.another()
  const processes = (name: SessionName): Auth[] =>
    name === 'X1' ? [other.auth] : [app.auth, second]

  const browsers = {} as Record<SessionName, TestBrowser>
  for (const name of Object.keys(WHO) as SessionName[]) {
    browsers[name] = await (name === 'X1' ? other : app).signedIn(WHO[name])
  }
  clock.forward(1000)

  async function assertServes(name: SessionName, serves: boolean): Promise<void> {
    const request = app.as(browsers[name])
    for (const auth of processes(name)) {
      const session = await auth.session(request)
      assert.equal(
        session !== undefined,
        serves,
        `${name} is ${serves ? 'signed out' : 'still signed in'}`,
      )
      if (serves) assert.ok((await auth.accessToken(request)).value)
      else await assert.rejects(auth.accessToken(request), { code: 'sign_in_required' })
    }
  }

  return {
    ...app,
    other,
    browsers,
    async assertGone(...names) {
      for (const name of Object.keys(WHO) as SessionName[]) {
        await assertServes(name, !names.includes(name))
      }
    },
    post: (body, { headers = {}, path = '/auth/backchannel-logout' } = {}) =>
      app.auth.handle(new Request(app.origin + path, { method: 'POST', body, headers })),
    async close() {
      await other.close()
      await app.close()
    },
  }
}

/** A refusal as the requirements define it: 400 (or an HTTP fault), never cached, nothing secret. */
export async function assertRefused(response: Response, status = 400): Promise<void> {
  assert.equal(response.status, status)
  assert.match(response.headers.get('cache-control') ?? '', /(^|, ?)no-store(,|$)/)
  assert.equal(response.headers.get('set-cookie'), null)
  const body = await response.text()
  if (body !== '') assert.equal(typeof JSON.parse(body).error, 'string')
}

/** Success as the requirements define it. */
export function assertDone(response: Response): void {
  assert.equal(response.status, 200)
  assert.match(response.headers.get('cache-control') ?? '', /(^|, ?)no-store(,|$)/)
  assert.equal(response.headers.get('set-cookie'), null)
}
