import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { request as send } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { startBrowser, type TestBrowser } from '#coatcheck/testing/browser'
import { startProvider } from '#coatcheck/testing/provider'
import type { TestProvider } from '#coatcheck/testing/provider/contract'
import { loadConfiguration } from '#gateway/configuration/load'
import { openStore } from '#gateway/configuration/open'
import { startGateway } from '#gateway/server/start'
import { startNginx } from '../servers/nginx.ts'
import { freePorts } from '../servers/ports.ts'
import { type Upstream, upstream } from './under-test.ts'

it('nginx with the documented configuration sends a page to sign in, and back to where it was asked for', async (t) => {
  const { origin, application } = await start(t)
  const page = await startBrowser().get(`${origin}/coats?of=winter&a=%2F`)
  assert.equal(page.status, 200)
  assert.equal(page.url.href, `${origin}/coats?of=winter&a=%2F`)
  assert.equal(application.requests.length, 1)
})

it('an application behind nginx is told who is signed in, by headers, a signed identity and the access token', async (t) => {
  const { origin, provider } = await start(t)
  const browser = startBrowser()
  const headers = await headersOf(browser, origin)
  assert.equal(headers['x-forwarded-user'], 'alice')
  const keys = createLocalJWKSet(await (await fetch(`${origin}/.well-known/jwks.json`)).json())
  const wanted = { issuer: origin, audience: 'python' }
  const { payload } = await jwtVerify(headers['x-coatcheck-identity'] ?? '', keys, wanted)
  assert.equal(payload.sub, 'alice')
  const [type, token = ''] = headers['authorization']?.split(' ') ?? []
  assert.equal(type, 'Bearer')
  assert.ok(provider.introspect(token))
})

it('an application behind nginx gets the cookies that are its own, and never the ticket', async (t) => {
  const { origin } = await start(t)
  const browser = startBrowser()
  await headersOf(browser, origin)
  const [ticket = ''] = browser.cookieHeader(origin).match(/coatcheck-\d+=[^;]+/) ?? []
  for (const [cookie, left] of [
    [ticket, undefined],
    [`a=1; ${ticket}`, /^a=1;?$/],
    [`${ticket}; b=2`, /^b=2$/],
    [`a=1; ${ticket}; b=2`, /^a=1; b=2$/],
    // Of another port of this host, before and behind.
    [`${ticket}; coatcheck-1=x; b=2`, /^b=2$/],
    [`coatcheck-1=x; a=1; ${ticket}`, /^a=1;?$/],
    [`${ticket}; coatcheck-1=x; __Host-coatcheck=y; b=2`, undefined],
  ] as const) {
    const { cookie: seen } = JSON.parse((await rawGet(origin, { cookie })).text).headers
    if (left === undefined) assert.equal(seen, undefined)
    else assert.match(seen, left)
  }
})

it('what is said from outside about who it is does not pass nginx, however it is spelled', async (t) => {
  const { origin } = await start(t)
  const browser = startBrowser()
  const honest = await headersOf(browser, origin)
  const cookie = browser.cookieHeader(origin)
  for (const name of FORGED) {
    const { text } = await rawGet(origin, { cookie, [name]: `forged by ${name}` })
    assert.doesNotMatch(text, /forged by/, name)
    assert.equal(JSON.parse(text).headers['x-forwarded-user'], honest['x-forwarded-user'], name)
  }
})

it('forged headers sign nobody in at nginx, nor do they make it ask about something else', async (t) => {
  const { origin, application } = await start(t)
  for (const name of FORGED) {
    const answer = await rawGet(`${origin}/page`, { [name]: 'alice', accept: 'text/html' })
    assert.equal(answer.status, 303, name)
    assert.equal(answer.location, '/auth/sign-in?return_to=%2Fpage', name)
  }
  assert.equal(application.requests.length, 0)
})

it('the gateway answers only to nginx: from outside its endpoint is not there', async (t) => {
  const { origin } = await start(t)
  const browser = startBrowser()
  await headersOf(browser, origin)
  const cookie = browser.cookieHeader(origin)
  for (const path of WAYS_TO_FORWARD_AUTH) {
    assert.equal((await rawGet(origin, { cookie }, path)).identity, undefined, path)
  }
  assert.equal((await rawGet(origin, { cookie }, '/forward-auth')).status, 404)
})

it('the gateway does not answer under a path that an nginx passes on as it came, for another', async (t) => {
  const { origin, gateway } = await start(t)
  const browser = startBrowser()
  await headersOf(browser, origin)
  const cookie = browser.cookieHeader(origin)
  for (const path of WAYS_TO_FORWARD_AUTH.filter((one) => one.includes('/forward-auth/'))) {
    const { status, identity } = await rawGet(gateway, { cookie }, path)
    assert.equal(status, 400, path)
    assert.equal(identity, undefined, path)
  }
})

it('after a sign-out at the provider nginx refuses the next request, and the application hears none', async (t) => {
  const { origin, provider, application } = await start(t)
  const browser = startBrowser()
  await headersOf(browser, origin)
  const cookie = browser.cookieHeader(origin)
  const program = { headers: { cookie, accept: 'application/json' }, redirect: 'manual' } as const
  assert.equal((await fetch(`${origin}/`, program)).status, 200)
  const heard = application.requests.length

  const told = await provider.sendLogout(
    `${origin}/auth/backchannel-logout`,
    await provider.logoutToken({ client: 'gateway' }),
  )
  assert.equal(told.status, 200)

  assert.equal((await fetch(`${origin}/`, program)).status, 401)
  const page = await browser.get(`${origin}/`, { follow: false })
  assert.equal(page.status, 303)
  assert.match(page.headers.get('location') ?? '', /^\/auth\/sign-in/)
  assert.equal(application.requests.length, heard)
})

/** nginx and the gateway must not read one path in two ways. */
const WAYS_TO_FORWARD_AUTH = [
  '/forward-auth',
  '/forward-auth?x=1',
  '/auth/../forward-auth',
  '/forward-auth/../auth/sign-in/../nothing',
  '/forward-auth/%2e%2e/auth/nothing',
  '/forward-auth/../.well-known/jwks.json/',
  '//forward-auth',
  '/forward%2Dauth',
]

/** Names that some application somewhere believes. */
const FORGED = [
  'X-Forwarded-User',
  'x-forwarded-USER',
  'X_Forwarded_User',
  'X-Forwarded_User',
  'X.Forwarded.User',
  'X-Forwarded%2DUser',
  'X-Forwarded-Email',
  'X-Forwarded-Preferred-Username',
  'X-Forwarded-Groups',
  'X-Forwarded-Access-Token',
  'X-Coatcheck-Identity',
  'X_Coatcheck_Identity',
  'Authorization',
  'Remote-User',
  'REMOTE_USER',
  'Remote-Groups',
  'X-Remote-User',
  'X-Auth-Request-User',
  'X-Auth-Request-Email',
  'X-Original-URI',
  'X-Original-URL',
  'X-Original-Method',
  'X-Rewrite-URL',
  'X-Forwarded-Uri',
  'X-Forwarded-Method',
  'X-Forwarded-For',
  'X-Real-IP',
  'Forwarded',
  'Proxy',
]

interface Deployed {
  readonly origin: string
  /** Where nginx finds it. */
  readonly gateway: string
  readonly provider: TestProvider
  readonly application: Upstream
}

/** nginx, the gateway and an application, with the two files that an operator copies. */
async function start(t: TestContext): Promise<Deployed> {
  const [nginxPort = 0, gatewayPort = 0, asked = 0, tokens = 0] = await freePorts(4)
  const origin = `http://127.0.0.1:${nginxPort}`
  const provider = await startProvider()
  t.after(() => provider.close())
  provider.user = { sub: 'alice' }
  provider.register({ client_id: 'gateway', client_secret: 'a secret of the example', origin })
  const application = await upstream(t)
  const example = (name: string): string =>
    readFileSync(new URL(`../../examples/gateway/${name}`, import.meta.url), 'utf8')
      .replaceAll('127.0.0.1:8080', `127.0.0.1:${nginxPort}`)
      .replaceAll('8090', String(gatewayPort))
      .replaceAll('8091', String(asked))
      .replaceAll('127.0.0.1:8081', `127.0.0.1:${tokens}`)
      .replaceAll('http://127.0.0.1:4000', provider.issuer)
      .replaceAll('127.0.0.1:5003', new URL(application.url).host)

  const folder = await mkdtemp(join(tmpdir(), 'coatcheck-nginx-'))
  const file = join(folder, 'nginx.yaml')
  writeFileSync(file, `${example('nginx.yaml')}\nlog: silent\n`)
  const configuration = loadConfiguration(file, {})
  const opened = await openStore(configuration.store)
  const gateway = await startGateway(configuration, { store: opened.store })
  const nginx = await startNginx(nginxPort, example('nginx.conf'))
  t.after(async () => {
    await nginx.close()
    await gateway.close()
    await opened.close()
    await rm(folder, { recursive: true })
  })
  return { origin, gateway: gateway.url, provider, application }
}

/** Opens a page, with a sign-in on the way where it needs one, and tells what the application saw. */
async function headersOf(browser: TestBrowser, origin: string): Promise<Record<string, string>> {
  const page = await browser.get(`${origin}/`)
  assert.equal(page.status, 200, page.text)
  return JSON.parse(page.text).headers
}

/** `fetch` has its own ideas of some headers. */
function rawGet(
  url: string,
  headers: Record<string, string>,
  path = new URL(url).pathname,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const request = send(url, { headers, path }, async (response) => {
      const parts: Buffer[] = []
      for await (const part of response) parts.push(part)
      const { statusCode: status, headers } = response
      resolve({
        status,
        location: headers.location,
        identity: headers['x-coatcheck-identity'],
        text: Buffer.concat(parts).toString(),
      })
    })
    request.once('error', reject)
    request.end()
  })
}

interface RawAnswer {
  readonly status: number | undefined
  readonly location: string | undefined
  readonly identity: string | string[] | undefined
  readonly text: string
}
