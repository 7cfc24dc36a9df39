import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Auth, AuthErrorCode, Session } from '#coatcheck'
import { type Application, startApplication } from './application.ts'

/** An application that ends with its test. */
export async function start(
  t: TestContext,
  options: Parameters<typeof startApplication>[0] = {},
): Promise<Application> {
  const app = await startApplication(options)
  t.after(app.close)
  return app
}

/** The codes of all sign-ins that failed, in their order. */
export function failures(app: Application): AuthErrorCode[] {
  return app.heard('sign_in_failed').map(({ code }) => code)
}

/** One line of `Set-Cookie`, taken apart. */
export interface WrittenCookie {
  readonly name: string
  readonly value: string
  /** Names in lower case. */
  readonly attributes: ReadonlyMap<string, string>
}

/** How a request differs from a page that somebody opens without cookies. */
export interface Ask {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly cookie?: string
  readonly body?: BodyInit
  readonly auth?: Auth
}

/** Opens a path of the application, as a browser without a memory. */
export function ask(
  app: Application,
  path: string,
  { method = 'GET', headers = {}, cookie, body, auth = app.auth }: Ask = {},
): Promise<Response> {
  const page = { accept: 'text/html', 'sec-fetch-mode': 'navigate' }
  const all = { ...page, ...(cookie === undefined ? {} : { cookie }), ...headers }
  const init = { method, headers: all, ...(body === undefined ? {} : { body }) }
  return auth.handle(new Request(new URL(path, app.origin), init))
}

/** The cookies an answer writes. */
export function cookiesIn(response: Response): WrittenCookie[] {
  return response.headers.getSetCookie().map((line) => {
    const [pair = '', ...rest] = line.split('; ')
    const at = pair.indexOf('=')
    const attributes = rest.map((part): [string, string] => {
      const [name = '', value = ''] = part.split('=')
      return [name.toLowerCase(), value]
    })
    return { name: pair.slice(0, at), value: pair.slice(at + 1), attributes: new Map(attributes) }
  })
}

/** The `Cookie` header of a browser that got nothing but these. */
export function cookieHeader(...cookies: readonly Pick<WrittenCookie, 'name' | 'value'>[]): string {
  return cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
}

/** A browser that was sent to the provider. */
export interface Departed {
  readonly response: Response
  readonly authorization: URL
  /** What the browser has to bring back. */
  readonly cookie: string
}

/** Starts a sign-in and does not go on. */
export async function depart(
  app: Application,
  query: string | Record<string, string> = '',
  how: Ask = {},
): Promise<Departed> {
  const search = new URLSearchParams(query).toString()
  const response = await ask(app, `/auth/sign-in?${search}`, how)
  assert.equal(response.status, 303, `sign-in answered ${response.status}`)
  const kept = cookiesIn(response).filter(({ value }) => value !== '')
  return {
    response,
    authorization: new URL(response.headers.get('location') ?? ''),
    cookie: cookieHeader(...kept),
  }
}

/** The way back: the provider lets the user in, and names the address of the callback. */
export async function permitted(app: Application, departed: Departed): Promise<URL> {
  const url = new URL(departed.authorization)
  // An answer that would be posted is taken as a query, to have it in one piece.
  url.searchParams.delete('response_mode')
  const answer = await app.provider.fetch(url, { redirect: 'manual' })
  return new URL(answer.headers.get('location') ?? '')
}

/** A whole sign-in up to the callback, which was not called yet. */
export async function arriving(
  app: Application,
  query: string | Record<string, string> = '',
  how: Ask = {},
): Promise<{ readonly path: string; readonly cookie: string; readonly departed: Departed }> {
  const departed = await depart(app, query, how)
  const { pathname, search } = await permitted(app, departed)
  const cookie = [how.cookie, departed.cookie].filter(Boolean).join('; ')
  return { path: pathname + search, cookie, departed }
}

/** The session a `Cookie` header stands for. */
export function sessionOf(
  app: Application,
  cookie: string,
  auth: Auth = app.auth,
): Promise<Session | undefined> {
  return auth.session({ headers: { cookie } })
}

/** Fails unless a whole sign-in of a new browser works. */
export async function assertSignInWorks(app: Application, auth: Auth = app.auth): Promise<void> {
  const browser = await app.signedIn(undefined, auth)
  assert.ok(await auth.session(app.as(browser)), 'the next good sign-in does not work')
}

/** What an answer may always be held to: never kept by a cache. */
export function assertNotStored(response: Response): void {
  assert.match(response.headers.get('cache-control') ?? '', /(^|, ?)no-store(,|$)/)
}

/** Waits for what happens behind the scenes, turn by turn, and fails where it never does. */
export async function eventually(holds: () => boolean, what: string): Promise<void> {
  for (let turn = 0; !holds(); turn++) {
    if (turn === 100_000) assert.fail(`still not: ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
