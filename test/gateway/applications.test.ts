import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { AuthOptions, Place } from 'coatcheck'
import { environment } from 'coatcheck/testing'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { loopbackFetch } from '#coatcheck/testing/loopback'
import { applicationPlace } from '#gateway/applications/application-place'
import { signingKeys } from '#gateway/identity/signing-keys'
import { socketAsk } from './socket-ask.ts'
import { type Deployment, deploy, type Upstream, upstream } from './under-test.ts'

test('An application with sessions of its own gets a standard logout token when its user signs out', async (t) => {
  const { app, deployment, tokens } = await start(t)
  const { origin, signedIn, gateway } = deployment
  const browser = await signedIn()
  const { headers } = JSON.parse((await browser.get(origin)).text)
  const { sid } = JSON.parse(
    Buffer.from(headers['x-coatcheck-identity'].split('.')[1], 'base64url').toString(),
  )
  const receipt = await gateway.auth.signOut({ subject: 'U1' })
  assert.deepEqual(receipt.places, [
    { name: 'application-shop', outcome: 'done', removed: undefined },
  ])
  // One for the session, and one for what it began by earlier ones.
  assert.equal(tokens.length, 2)
  assert.deepEqual(tokens.map((token) => payloadOf(token).sid).sort(), [sid, undefined].sort())
  const ofSession = tokens.find((token) => payloadOf(token).sid !== undefined)
  const keys = createRemoteJWKSet(new URL(`${origin}/.well-known/jwks.json`))
  const { payload, protectedHeader } = await jwtVerify(ofSession ?? '', keys, {
    issuer: origin,
    audience: 'shop',
    typ: 'logout+jwt',
  })
  assert.equal(protectedHeader.alg, 'ES256')
  const { iat = 0, exp = 0, jti, ...said } = payload
  assert.deepEqual(said, {
    iss: origin,
    aud: 'shop',
    sub: 'U1',
    sid,
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
  })
  assert.equal(exp - iat, 120)
  assert.ok(jti)
  assert.equal('nonce' in payload, false)
  assert.equal(
    app.requests.at(-1)?.headers['content-type'],
    'application/x-www-form-urlencoded;charset=UTF-8',
  )
})

test('A sign-out at the provider and by the button tell it, too, each for the session that ended', async (t) => {
  const { deployment, tokens } = await start(t)
  const { origin, signedIn, provider } = deployment
  const one = await signedIn({ sub: 'U1' })
  const other = await signedIn({ sub: 'U2' })
  await provider.endSession(provider.sessions[0]?.sid ?? '')
  assert.deepEqual(tokens.map(subjectOf), ['U1'])
  await other.post(`${origin}/auth/sign-out`)
  assert.deepEqual(tokens.map(subjectOf), ['U1', 'U2'])
  assert.equal((await one.get(`${origin}/auth/session`)).text, '{"authenticated":false}')
})

test('What an application did not confirm is owed to it, and the sign-out is done all the same', async (t) => {
  const { deployment, tokens, answers } = await start(t)
  answers.push(500, 404, 302)
  await deployment.signedIn()
  const receipt = await deployment.gateway.auth.signOut({ subject: 'U1' })
  assert.equal(receipt.places[0]?.outcome, 'owed')
  assert.deepEqual(tokens.map(subjectOf), ['U1', 'U1'])
  const failed = deployment.events.find((event) => event.type === 'place')
  assert.equal(failed?.type === 'place' && failed.outcome, 'failed')
})

test('An application that refuses one logout token hears of the other sessions all the same', async (t) => {
  const { deployment, tokens, answers } = await start(t)
  answers.push(400)
  for (let count = 0; count < 10; count += 1) await deployment.signedIn()
  const receipt = await deployment.gateway.auth.signOut({ subject: 'U1' })
  assert.equal(receipt.removed, 10)
  assert.equal(receipt.places[0]?.outcome, 'owed')
  assert.equal(new Set(tokens.map((token) => payloadOf(token).sid)).size, 11)
})

test('What is owed to an application is done once it answers, without anybody asking', async (t) => {
  let later = 0
  const now = (): number => Date.now() + later
  const time = {
    now,
    async wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
      const until = now() + milliseconds
      while (now() < until && !signal?.aborted) await pause(5)
    },
  }
  const { deployment, tokens, answers } = await start(t, '', { [environment]: time })
  answers.push(503)
  await deployment.signedIn()
  await deployment.gateway.auth.signOut({ subject: 'U1' })
  assert.equal(tokens.length, 2)
  later = 3_600_000
  while (!deployment.events.some((event) => event.type === 'place' && event.outcome === 'done')) {
    await pause(5)
  }
  assert.deepEqual(tokens.map(subjectOf), ['U1', 'U1', 'U1', 'U1'])
})

test('An application told late of a user by name can tell whom it is about: the token is as old as the sign-out, and valid', async (t) => {
  const { place, payloads } = await startPlace(t)
  const at = Date.now() - 3_600_000
  await place.end({ ...LATE, at }, AbortSignal.timeout(10_000))
  const [{ iat, exp, sub, sid } = NONE] = payloads
  assert.deepEqual([sub, sid], ['U1', undefined])
  assert.equal(iat, Math.ceil(at / 1000))
  assert.ok(exp >= iat + 3_600 + 119, `it expires ${exp - iat} seconds after the sign-out`)
})

test('An application told late of a session gets a token made now: nobody else has its sid', async (t) => {
  const { place, payloads } = await startPlace(t)
  const session = { handle: 'H1', issuer: 'x', subject: 'U1', sid: 'S1', claims: {} }
  const ended = { ...LATE, at: Date.now() - 3_600_000, sessions: [session] }
  await place.end(ended, AbortSignal.timeout(10_000))
  const [{ iat, exp, sub, sid } = NONE] = payloads
  assert.deepEqual([sub, sid], ['U1', 'H1'])
  assert.ok(iat * 1000 > ended.at + 3_590_000)
  assert.equal(exp - iat, 120)
})

test('An application told of a user whose sessions ended hears of each, and of all it began for the user by others', async (t) => {
  const { place, payloads } = await startPlace(t)
  const session = { handle: 'H1', issuer: 'x', subject: 'U1', sid: 'S1', claims: {} }
  const sessions = [session, { ...session, handle: 'H2' }]
  const at = Date.now() - 3_600_000
  await place.end({ ...LATE, at, sessions }, AbortSignal.timeout(10_000))
  assert.deepEqual(payloads.map(({ sid }) => sid ?? '').sort(), ['', 'H1', 'H2'])
  // Late, it spares who signed in since.
  assert.equal(payloads.find(({ sid }) => sid === undefined)?.iat, Math.ceil(at / 1000))
})

test('An application told of one session of a user hears of that one only', async (t) => {
  const { place, payloads } = await startPlace(t)
  const session = { handle: 'H1', issuer: 'x', subject: 'U1', sid: 'S1', claims: {} }
  for (const named of [[], [{ issuer: 'x', sid: 'S1', subject: 'U1' }]]) {
    await place.end(
      { ...LATE, at: Date.now(), named, sessions: [session] },
      AbortSignal.timeout(9e3),
    )
  }
  assert.deepEqual(
    payloads.map(({ sid }) => sid),
    ['H1', 'H1'],
  )
})

test('A token about a sign-out of this moment is never from the future', async (t) => {
  const { place, payloads } = await startPlace(t)
  const before = Date.now()
  await place.end({ ...LATE, at: before + 5_000 }, AbortSignal.timeout(10_000))
  const [{ iat } = NONE] = payloads
  assert.ok(iat <= Math.floor(Date.now() / 1000))
})

test('An application that redirects does not have its logout token sent elsewhere', async (t) => {
  const elsewhere = await upstream(t)
  const { deployment, answers } = await start(t, elsewhere.url)
  answers.push(307)
  await deployment.signedIn()
  await deployment.gateway.auth.signOut({ subject: 'U1' })
  assert.equal(elsewhere.requests.length, 0)
})

test('Applications by path, the prefix taken off where it is wanted, each with its own access', async (t) => {
  const [one, two] = [await upstream(t), await upstream(t)]
  const { origin, signedIn } = await deploy(t, {
    applications: [
      { upstream: one.url, name: 'one', path: '/one', stripPath: true, access: 'public' },
      { upstream: two.url, name: 'two', path: '/two', access: 'api' },
      { upstream: two.url, name: 'rest', path: '/' },
    ],
  })
  const seen = async (path: string): Promise<Record<string, string>> => {
    const { url, headers } = await (await fetch(origin + path)).json()
    return { url, prefix: headers['x-forwarded-prefix'] }
  }
  assert.deepEqual(await seen('/one/x?y=1'), { url: '/x?y=1', prefix: '/one' })
  assert.deepEqual(await seen('/one'), { url: '/', prefix: '/one' })
  assert.equal((await fetch(`${origin}/two`)).status, 401)
  assert.equal((await fetch(`${origin}/onetwo`)).status, 401)
  assert.equal(two.requests.length, 0)
  const browser = await signedIn()
  assert.equal(JSON.parse((await browser.get(`${origin}/two/x`)).text).url, '/two/x')
  const page = { accept: 'text/html', 'sec-fetch-mode': 'navigate' }
  // Even what looks like a page: nobody sees what an API answers.
  assert.equal((await loopbackFetch(`${origin}/two`, { headers: page })).status, 401)
})

test('An application by host, and none for other hosts', async (t) => {
  const app = await upstream(t)
  const { origin } = await deploy(t, {
    applications: [{ upstream: app.url, host: 'shop.localhost', access: 'public' }],
  })
  const { port } = new URL(origin)
  const ask = (host: string) => loopbackFetch(`http://${host}:${port}/`)
  assert.equal((await ask('127.0.0.1')).status, 404)
  const answer = await ask('shop.localhost')
  assert.equal(answer.status, 200)
  const { headers } = (await answer.json()) as { headers: Record<string, string> }
  assert.equal(headers['host'], `shop.localhost:${port}`)
})

test('A path that a lenient server would read as another application’s is refused', async (t) => {
  const app = await upstream(t)
  const { origin } = await deploy(t, {
    applications: [
      { upstream: app.url, name: 'admin', path: '/admin' },
      { upstream: app.url, name: 'site', path: '/', access: 'public' },
    ],
  })
  for (const path of [
    '//admin',
    '/%61dmin',
    '/Admin/x',
    '/./admin',
    '/x/../admin',
    '/x/..%2fadmin',
    '/x/%2e%2e/admin',
    '/\\admin',
    '/%5cadmin',
    '/admin;x=1/y',
    '/x/..;/admin',
    '/%2561dmin',
    '/admin%2fx',
    '/admin%00',
    '/%zz',
    '/a%0d%0ab',
  ]) {
    const answer = await socketAsk(origin, [`GET ${path} HTTP/1.1`, 'Host: x', 'Connection: close'])
    assert.match(answer, /^HTTP\/1\.1 40[01] /, path)
  }
  assert.equal(app.requests.length, 0)
  for (const path of [
    '/a%20b',
    '/caf%C3%A9',
    '/Home/Index',
    '/x.y/.well-known',
    '/a;b',
    '/100%25',
  ]) {
    assert.equal((await fetch(origin + path)).status, 200, path)
  }
})

async function start(
  t: TestContext,
  elsewhere = '',
  authOptions: Partial<AuthOptions> = {},
): Promise<{ app: Upstream; deployment: Deployment; tokens: string[]; answers: number[] }> {
  const tokens: string[] = []
  const answers: number[] = []
  const app = await upstream(t, async (request, response) => {
    if (request.url !== '/backchannel-logout') {
      return response.end(JSON.stringify({ headers: request.headers }))
    }
    let body = ''
    for await (const chunk of request) body += chunk
    tokens.push(new URLSearchParams(body).get('logout_token') ?? '')
    return response.writeHead(answers.shift() ?? 204, { location: elsewhere }).end()
  })
  const deployment = await deploy(t, {
    parts: { authOptions },
    applications: [
      { upstream: app.url, name: 'shop', backchannelLogoutUri: `${app.url}/backchannel-logout` },
    ],
  })
  return { app, deployment, tokens, answers }
}

/** A user who was signed out by name, of whom the gateway had no session. */
const LATE = {
  receipt: 'R1',
  cause: 'administrator',
  named: [{ issuer: 'https://provider.test', subject: 'U1' }],
  sessions: [],
} as const

/** An application as a place, and what the tokens said that it got. */
async function startPlace(t: TestContext): Promise<{ place: Place; payloads: Payload[] }> {
  const payloads: Payload[] = []
  const app = await upstream(t, async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    payloads.push(payloadOf(new URLSearchParams(body).get('logout_token') ?? ''))
    return response.writeHead(204).end()
  })
  const keys = signingKeys(['a key for tests of thirty-two bytes at least'])
  const shop = { name: 'shop', audience: 'shop' }
  return { place: applicationPlace(shop, app.url, keys, 'https://gateway.test'), payloads }
}

const NONE: Payload = { iat: Number.NaN, exp: Number.NaN, sub: '' }

interface Payload {
  readonly iat: number
  readonly exp: number
  readonly sub: string
  readonly sid?: string
}

function payloadOf(token: string): Payload {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

function subjectOf(token: string): string {
  return payloadOf(token).sub
}
