import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import type { Auth, AuthEvent, Session } from '#coatcheck'
import { startBrowser, type TestBrowser } from '#coatcheck/testing/browser'
import { findRemains, type RawContents, type SignedOut } from '#coatcheck/testing/remains'
import { type LemonLdap, type LemonLdapClient, startLemonLdap } from '../servers/lemonldap.ts'
import { freePorts } from '../servers/ports.ts'
import { until } from '../servers/until.ts'

/** An application whose page at `/` tells `subject` as JSON to whoever is signed in, and only then. */
export interface Served {
  readonly auth: Auth
  readonly events: readonly AuthEvent[]
  /** Everything in its store. */
  readonly contents: RawContents
}

/** What it is told before it starts. */
export interface Given {
  readonly origin: string
  readonly port: number
  readonly issuer: string
  readonly client: LemonLdapClient
}

/** Starts one that ends with its test. */
export type Serve = (t: TestContext, given: Given) => Promise<Served>

export const KEY = 'a key for tests of thirty-two bytes at least'

/** Registers what must hold at LemonLDAP::NG, however an application is served. */
export function testSignOutsAtLemonLdap(serve: Serve): void {
  it('signs a user in by the form of its portal, with name and mail address', async (t) => {
    const { back } = await start(t, serve)
    const { session } = await back.signIn('dwho')
    assert.equal(session.subject, 'dwho')
    assert.equal(session.claims['email'], 'dwho@badwolf.org')
    assert.equal(session.claims['name'], 'Doctor Who')
  })

  for (const channel of ['back', 'front'] as const) {
    it(`a sign-out at its portal ends the session by the ${channel} channel, and nothing of it remains`, async (t) => {
      const world = await start(t, serve)
      const app = world[channel]
      const here = await app.signIn('dwho')
      const elsewhere = await app.signIn('dwho')
      const other = await app.signIn('rtyler')
      const { sid = '' } = here.session
      assert.notEqual(sid, elsewhere.session.sid)
      assert.equal(await app.verdict([{ sid }], [here.ticket]), 'remains')

      await here.browser.get(world.provider.signOutUrl)

      assert.equal(await app.answersTo(here.cookie), 401)
      await until(
        'nothing remains',
        async () => (await app.verdict([{ sid }], [here.ticket])) === 'nothing_left',
      )
      assert.deepEqual(app.causes(), [`${channel}_channel`])
      // Nobody else was signed out, nor the same user where the portal was not left.
      assert.equal(await app.answersTo(elsewhere.cookie), 200)
      assert.equal(await app.answersTo(other.cookie), 200)
    })
  }

  it('its logout tokens have no expiry and pass, each with a word to the operator', async (t) => {
    const { provider, back } = await start(t, serve)
    const { browser } = await back.signIn('dwho')
    await browser.get(provider.signOutUrl)
    const types = back.events.map(({ type }) => type)
    assert.ok(types.includes('logout_without_expiry'))
    assert.ok(!types.includes('logout_refused'))
  })

  for (const [channel, other] of [
    ['back', 'front'],
    ['front', 'back'],
  ] as const) {
    it(`a sign-out in one application ends that in another, which hears of it by the ${other} channel`, async (t) => {
      const world = await start(t, serve)
      const { browser, cookie } = await world[channel].signIn('dwho')
      const { cookie: cookieThere } = await world[other].signIn('dwho', browser)

      await browser.post(`${world[channel].origin}/auth/sign-out`)

      assert.equal(await world[channel].answersTo(cookie), 401)
      assert.equal(await world[other].answersTo(cookieThere), 401)
      assert.equal(world[other].causes()[0], `${other}_channel`)
      const page = await browser.get(world[channel].origin)
      assert.ok(page.form?.fields.has('password'), 'the portal wants to know who it is')
    })
  }
}

/** Who has signed in, and what a thief of the cookie would have. */
interface SignedIn {
  readonly browser: TestBrowser
  readonly session: Session
  readonly cookie: string
  readonly ticket: string
}

interface App extends Served {
  readonly origin: string
  signIn(user: string, browser?: TestBrowser): Promise<SignedIn>
  /** The status of its page for this cookie. */
  answersTo(cookie: string): Promise<number>
  /** Why sessions were removed. */
  causes(): string[]
  verdict(identities: readonly SignedOut[], texts: readonly string[]): Promise<string>
}

interface World {
  readonly provider: LemonLdap
  /** The application that hears of sign-outs by the back channel. */
  readonly back: App
  readonly front: App
}

async function start(t: TestContext, serve: Serve): Promise<World> {
  const [one = 0, two = 0] = await freePorts(2)
  const clients = { back: client('back', one), front: client('front', two) }
  const provider = await startLemonLdap({ clients: Object.values(clients) })
  t.after(provider.close)
  const { issuer } = provider
  const served = async (port: number, of: LemonLdapClient): Promise<App> => {
    const origin = originAt(port)
    return appOf(
      { origin, port, issuer, client: of },
      await serve(t, { origin, port, issuer, client: of }),
    )
  }
  return {
    provider,
    back: await served(one, clients.back),
    front: await served(two, clients.front),
  }
}

function appOf({ origin, issuer, client: { id } }: Given, served: Served): App {
  return {
    ...served,
    origin,
    async signIn(user, browser = startBrowser()) {
      const page = await browser.get(`${origin}/`)
      const asks = page.form?.fields.has('password')
      const inside = asks ? await browser.submit(page, { user, password: user }) : page
      assert.equal(inside.url.href, `${origin}/`, JSON.stringify(served.events))
      assert.equal(JSON.parse(inside.text).subject, user)
      const cookie = browser.cookieHeader(origin)
      const session = await served.auth.session({ headers: { cookie } })
      assert.ok(session)
      return { browser, session, cookie, ticket: cookie.slice(cookie.indexOf('=') + 1) }
    },
    async answersTo(cookie) {
      return (await fetch(origin, { headers: { cookie, accept: 'application/json' } })).status
    },
    causes: () =>
      served.events.flatMap((event) => (event.type === 'signed_out' ? event.receipt.cause : [])),
    async verdict(identities, texts) {
      const { contents } = served
      const looked = { contents, keys: [KEY], issuer, clientId: id, identities, texts }
      return (await findRemains(looked)).verdict
    },
  }
}

function client(channel: 'back' | 'front', port: number): LemonLdapClient {
  const origin = originAt(port)
  return {
    id: `app-${channel}`,
    secret: `secret-of-app-${channel}`,
    redirectUri: `${origin}/auth/callback`,
    postLogoutRedirectUri: `${origin}/auth/signed-out`,
    logout: { channel, url: `${origin}/auth/${channel}channel-logout` },
  }
}

function originAt(port: number): string {
  return `http://127.0.0.1:${port}`
}
