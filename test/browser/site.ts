import assert from 'node:assert/strict'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import express, { type Express, type Request } from 'express'
import helmet from 'helmet'
import type { Page } from 'playwright-core'
import type { AuthOptions } from '#coatcheck'
import { expressAuth, requireSession } from '#coatcheck/adapters/express'
import { environment } from '#coatcheck/core/environment'
import { loopbackFetch } from '#coatcheck/testing/loopback'
import { startProvider } from '#coatcheck/testing/provider'
import { type Application, startApplication, startClock } from '../support/application.ts'
import { selfSigned } from './certificate.ts'

/** An application on a real socket, and what browsers sent there. */
export interface Site extends Application {
  /** For pages of a test's own; its routes come before the application's. */
  readonly pages: Express
  readonly seen: Seen[]
}

/** One request as it came over the wire. */
export interface Seen {
  readonly method: string
  readonly path: string
  /** Names only. */
  readonly cookies: readonly string[]
  readonly referer: string | undefined
  /** `Sec-Fetch-Site`: where the page stood that asked. */
  readonly from: string | undefined
  /** `Sec-Fetch-Dest`: what for. */
  readonly as: string | undefined
}

/** How a site differs from `http://app-a.localhost`. */
export interface SiteOptions extends Partial<AuthOptions> {
  readonly host?: string
  readonly https?: boolean
}

/**
 * An application behind helmet with its provider at `op.localhost`, which is another site: for
 * browsers, whatever follows the last dot but one is.
 */
export async function startSite(t: TestContext, options: SiteOptions = {}): Promise<Site> {
  const { host = 'app-a.localhost', https = false, ...over } = options
  const pages = express()
  const { port } = await serve(t, pages, https ? selfSigned(host) : undefined)
  const clock = startClock()
  const provider = await startProvider({ host: 'op.localhost', now: clock.now })
  t.after(provider.close)
  const app = await startApplication({
    origin: `${https ? 'https' : 'http'}://${host}:${port}`,
    given: { provider: Object.assign(provider, { applications: new Map() }), clock },
    [environment]: { fetch: loopbackFetch },
    ...over,
  })
  t.after(app.close)
  const seen: Seen[] = []
  pages.use((request, _response, next) => {
    seen.push(seenOf(request))
    next()
  })
  const own = express()
  pages.use(own, helmet(), expressAuth(app.auth))
  pages.get('/account', requireSession(app.auth), (_request, response) => {
    response.send(
      html('Account', `<p>the coat of ${response.locals.session.subject}</p>${signOutLink}`),
    )
  })
  pages.get('/', async (request, response) => {
    const session = await app.auth.session(request)
    const who = session === undefined ? 'Nobody' : session.subject
    const link = `<p><a href="${app.auth.signInPath('/account')}">Sign in</a></p>`
    response.send(html(`${who} is signed in`, session === undefined ? link : signOutLink))
  })
  return { ...app, pages: own, seen }
}

/** Somebody else's server, under a name of its own. */
export async function startStranger(
  t: TestContext,
  host: string,
  options: { readonly https?: boolean } = {},
): Promise<{ readonly origin: string; readonly pages: Express }> {
  const pages = express()
  const { https = false } = options
  const { port } = await serve(t, pages, https ? selfSigned(host) : undefined)
  return { origin: `${https ? 'https' : 'http'}://${host}:${port}`, pages }
}

/** Signs in, and ends on a page that only a signed-in user sees. */
export async function signIn(site: Site, page: Page): Promise<void> {
  await page.goto(`${site.origin}/auth/sign-in?return_to=/account`)
  assert.equal(await page.textContent('p'), `the coat of ${site.provider.user.sub}`)
}

/** A page of a test. Its icon is inline, so that browsers do not ask for one. */
export function html(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>
<link rel="icon" href="data:,"><h1>${title}</h1>${body}</html>`
}

/** A link, since helmet's policy keeps the forms of a page from leading to the provider. */
const signOutLink = '<p><a href="/auth/sign-out">Sign out</a></p>'

async function serve(
  t: TestContext,
  listener: RequestListener,
  certificate?: { readonly key: string; readonly cert: string },
): Promise<AddressInfo> {
  const server: Server =
    certificate === undefined ? createServer(listener) : createSecureServer(certificate, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return server.address() as AddressInfo
}

function seenOf({ method, path, headers }: Request): Seen {
  const text = (name: string): string | undefined => headers[name] as string | undefined
  return {
    method,
    path,
    cookies: (headers.cookie ?? '')
      .split('; ')
      .filter(Boolean)
      .map((pair) => pair.split('=')[0] ?? ''),
    referer: headers.referer,
    from: text('sec-fetch-site'),
    as: text('sec-fetch-dest'),
  }
}
