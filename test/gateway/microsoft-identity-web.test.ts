import assert from 'node:assert/strict'
import { join } from 'node:path'
import { before, describe, it, type TestContext } from 'node:test'
import { Redis } from 'ioredis'
import { type AuthEvent, createAuth } from '#coatcheck'
import { environment } from '#coatcheck/core/environment'
import { type MsalRemainsFound, msalRemains } from '#coatcheck/msal/index'
import { memoryStore } from '#coatcheck/stores/memory'
import { startBrowser, type TestBrowser } from '#coatcheck/testing/browser'
import { root } from '../../scripts/run.mjs'
import { listen } from '../adapters/listen.ts'
import { buildDotnet, type DotnetServer, startDotnet } from '../servers/dotnet.ts'
import { type RedisServer, startRedis } from '../servers/redis.ts'
import { type Entra, type EntraUser, entraUser, startEntra } from './entra.ts'

const GATE = 'https://gate.test'
const PREFIX = 'Coats_'
const SECTIONS = ['AccessToken', 'RefreshToken', 'IdToken', 'Account']

describe('an ASP.NET Core application with Microsoft.Identity.Web and its cache in Redis', () => {
  let dll: string
  before(
    async () => {
      dll = await buildDotnet(join(root, 'examples/gateway/microsoft-identity-web'))
      // Where nothing is compiled yet, its packages are fetched first.
    },
    { timeout: 280_000 },
  )

  it('keeps the tokens of a user in one entry, readable to whoever reads Redis, for good', async (t) => {
    const world = await start(t, dll)
    const ada = await world.signIn('Ada')
    const { oid, tid } = ada.user.claims
    assert.deepEqual(await world.keys(), [`${PREFIX}${oid}.${tid}`])
    const key = keyOf(ada.user)
    assert.equal(await world.redis.ask('TYPE', key), 'hash')
    assert.equal(await world.redis.ask('TTL', key), -1)
    const fields = (await world.redis.ask('HGETALL', key)) as string[]
    assert.deepEqual(fields.filter((_, at) => at % 2 === 0).sort(), ['absexp', 'data', 'sldexp'])
    const cache = JSON.parse(String(await world.redis.ask('HGET', key, 'data')))
    assert.deepEqual(Object.keys(cache).sort(), [...SECTIONS, 'AppMetadata'].sort())
    for (const section of SECTIONS) {
      const members: { home_account_id: string }[] = Object.values(cache[section])
      assert.deepEqual(
        members.map((member) => member.home_account_id),
        [`${oid}.${tid}`],
        section,
      )
    }
    const held = JSON.stringify(cache)
    for (const live of world.entra.liveRefreshTokens()) assert.ok(held.includes(live))
  })

  it('ends its cookie at a front-channel sign-out and leaves the entry, which serves whoever has a copy of the cookie', async (t) => {
    const world = await start(t, dll)
    const ada = await world.signIn('Ada')
    const copy = ada.browser.cookieHeader(world.app.url)
    await ada.browser.get(`${world.entra.issuer}/end-session`)
    assert.deepEqual(ada.framed(), [`${world.app.url}/signout-oidc 200`])
    assert.equal(ada.browser.cookieHeader(world.app.url), '')
    assert.deepEqual(await world.keys(), [keyOf(ada.user)])
    const stolen = await world.coats(copy)
    assert.equal(stolen.status, 200)
    assert.equal(await stolen.text(), `coats of ${ada.user.sub}`)
  })

  for (const channel of ['front-channel', 'back-channel'] as const) {
    it(`has no entry of a user any more when coatcheck hears of a ${channel} sign-out`, async (t) => {
      const world = await start(t, dll)
      const gate = startGate(world)
      const bob = await world.signIn('Bob')
      const ada = await world.signIn('Ada', gate)
      assert.deepEqual(await world.keys(), [keyOf(ada.user), keyOf(bob.user)].sort())
      const copy = ada.browser.cookieHeader(world.app.url)
      world.entra.settings.backChannel = channel === 'back-channel'
      if (channel === 'front-channel') await ada.browser.get(`${world.entra.issuer}/end-session`)
      else {
        const logout_token = await world.entra.logoutToken({ client: 'gate' })
        const body = new URLSearchParams({ logout_token })
        const url = `${GATE}/auth/backchannel-logout`
        const answer = await gate.auth.handle(new Request(url, { method: 'POST', body }))
        assert.equal(answer.status, 200)
      }
      assert.deepEqual(await world.keys(), [keyOf(bob.user)])
      const stolen = await world.coats(copy)
      assert.equal(stolen.status, 302)
      assert.ok(stolen.headers.get('location')?.startsWith(world.entra.issuer))
      assert.deepEqual(gate.receipts(), [[{ name: 'msal', outcome: 'done', removed: 1 }]])
      const bobs = await world.coats(bob.browser.cookieHeader(world.app.url))
      assert.equal(await bobs.text(), `coats of ${bob.user.sub}`)
    })
  }

  it('keeps its own cookie where the browser gives frames none, and has no token for it when coatcheck hears', async (t) => {
    const world = await start(t, dll)
    const ada = await world.signIn('Ada', startGate(world), false)
    await ada.browser.get(`${world.entra.issuer}/end-session`)
    assert.equal(
      (await ada.browser.get(world.app.url)).text,
      `${ada.user.claims.preferred_username} is signed in`,
    )
    assert.deepEqual(await world.keys(), [])
    const page = await ada.browser.get(`${world.app.url}/coats`, { follow: false })
    assert.ok(page.headers.get('location')?.startsWith(world.entra.issuer))
  })

  it('writes the entry again from a memory cache in front of Redis, which coatcheck cannot reach', async (t) => {
    const world = await start(t, dll, { TokenCache__DisableL1Cache: 'false' })
    const gate = startGate(world)
    // MSAL refreshes what has less than five minutes to live.
    world.entra.settings.accessTokenSeconds = 60
    const ada = await world.signIn('Ada', gate)
    const copy = ada.browser.cookieHeader(world.app.url)
    await ada.browser.get(`${world.entra.issuer}/end-session`)
    assert.deepEqual(await world.keys(), [])
    assert.equal((await world.coats(copy)).status, 200)
    assert.deepEqual(await world.keys(), [keyOf(ada.user)])
  })

  it('keeps an entry that it encrypts, and coatcheck tells that there is one', async (t) => {
    const world = await start(t, dll, { TokenCache__Encrypt: 'true' })
    const gate = startGate(world)
    const ada = await world.signIn('Ada', gate)
    await ada.browser.get(`${world.entra.issuer}/end-session`)
    assert.deepEqual(await world.keys(), [keyOf(ada.user)])
    const counts = gate.found.map(({ removed, changed, unreadable }) => [
      removed,
      changed,
      unreadable,
    ])
    assert.deepEqual(counts, [[0, 0, 1]])
  })
})

interface World {
  readonly app: DotnetServer
  readonly redis: RedisServer
  readonly entra: Entra
  /** What was started last ends first. */
  ending(end: () => Promise<void>): void
  /**
   * A browser in which this user has signed in and called the API; at the gate too, if there is
   * one. Not every browser gives frames of another site their cookies.
   */
  signIn(name: string, gate?: Gate, thirdPartyCookies?: boolean): Promise<SignedIn>
  keys(): Promise<string[]>
  /** Calls the API through the application with these cookies. */
  coats(cookie: string): Promise<Response>
}

interface SignedIn {
  readonly user: EntraUser
  readonly browser: TestBrowser
  /** Paths and answers of frames. */
  framed(): string[]
}

/** Redis, the provider, an API and the application, each a real server. */
async function start(
  t: TestContext,
  dll: string,
  env: Readonly<Record<string, string>> = {},
): Promise<World> {
  const ends: (() => Promise<void>)[] = []
  const ending = (end: () => Promise<void>) => ends.unshift(end)
  t.after(async () => {
    for (const end of ends) await end()
  })
  const redis = await startRedis()
  ending(redis.close)
  const entra = await startEntra()
  ending(entra.close)
  const api = await listen((request, response) => {
    const token = request.headers.authorization?.replace('Bearer ', '') ?? ''
    const active = entra.introspect(token)
    response.writeHead(active === undefined ? 401 : 200)
    response.end(`coats of ${active?.family.session.sub}`)
  })
  ending(api.close)
  const client = entra.register({
    client_id: 'coats',
    token_endpoint_auth_method: 'client_secret_post',
  })
  const app = await startDotnet(dll, {
    env: {
      SSL_CERT_FILE: entra.certificate,
      Redis: `127.0.0.1:${redis.port}`,
      Api: api.url,
      AzureAd__Authority: entra.issuer,
      AzureAd__ClientId: client.client_id,
      AzureAd__ClientSecret: client.client_secret ?? '',
      ...env,
    },
  })
  ending(app.close)
  client.frontchannel_logout_uri = `${app.url}/signout-oidc`

  return {
    app,
    redis,
    entra,
    ending,
    async signIn(name, gate, thirdPartyCookies = true) {
      const user = entraUser(name, entra.tenant)
      entra.user = user
      const browser = startBrowser({
        thirdPartyCookies,
        origins: {
          [new URL(entra.issuer).origin]: entra.answer,
          ...(gate && { [GATE]: gate.auth.handle }),
        },
      })
      const page = await browser.get(`${app.url}/coats`)
      assert.equal(page.text, `coats of ${user.sub}`, app.output())
      if (gate) await browser.get(`${GATE}/auth/sign-in`)
      const framed = (): string[] =>
        browser.history.flatMap(({ url, framed, status }) =>
          framed ? [`${url.split('?')[0]} ${status}`] : [],
        )
      return { user, browser, framed }
    },
    keys: async () => ((await redis.ask('KEYS', '*')) as string[]).sort(),
    coats: (cookie) => fetch(`${app.url}/coats`, { headers: { cookie }, redirect: 'manual' }),
  }
}

type Gate = ReturnType<typeof startGate>

/** Coatcheck beside the application: another client of the same provider. */
function startGate({ redis, entra, ending }: World) {
  const events: AuthEvent[] = []
  const found: MsalRemainsFound[] = []
  const connection = new Redis(redis.url)
  const { client_id, client_secret } = entra.register({ client_id: 'gate', origin: GATE })
  const auth = createAuth({
    origin: GATE,
    provider: { issuer: entra.issuer, clientId: client_id, clientSecret: client_secret ?? '' },
    store: memoryStore(),
    keys: ['a key for tests of thirty-two bytes at least'],
    places: [
      msalRemains(connection, {
        keys: [`${PREFIX}{account}`],
        observe: (what) => found.push(what),
      }),
    ],
    observe: (event) => events.push(event),
    [environment]: { fetch: entra.fetch },
  })
  ending(async () => {
    await auth.close()
    connection.disconnect()
  })
  const receipts = () =>
    events.flatMap((event) => (event.type === 'signed_out' ? [event.receipt.places] : []))
  return { auth, found, receipts }
}

function keyOf({ claims: { oid, tid } }: EntraUser): string {
  return `${PREFIX}${oid}.${tid}`
}
